import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadScenario, scenarioFilesAt } from '../actors/lint.ts';
import { smallKit, writeKit } from './actors/mesa-folder.ts';
import { type TestSite, writeTestSite } from './actors/site.ts';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const startAndPlayMs = 240_000;

let site: TestSite;
beforeAll(async () => {
  site = await writeTestSite('catalogue.yaml');
  copyFileSync(join(packageFolder, 'catalogue.yaml'), join(site.folder, 'catalogue.yaml'));
});
afterAll(() => site.remove());

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** `swf-play` in a process of its own: in one process both ends would share the faults of the libraries. */
async function swfPlay(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', join('actors', 'cli.ts'), ...args], {
    cwd: packageFolder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, out, err };
}

/** A message for another system, which is refused only where the site file says so (ITI TF-2 Appendix C). */
function writeStrictCase(folder: string): string {
  mkdirSync(folder);
  const message = 'MSH|^~\\&|||OTHER|ELSEWHERE|||ADT^A04||P|2.3.1\nEVN|A04|${now}\nPID|||${patientId}\nPV1||O\n';
  writeFileSync(join(folder, 'adt.hl7'), message);
  const head = "scenario: own\ntitle: Own\ncast: [ADT]\nlet: { patientId: 'P${run}' }\n";
  const settings = 'settings: { policy: { receiver: ours } }\n';
  const steps = [
    'steps:',
    '  - { step: It is refused, from: ADT, send: adt.hl7, ack: { MSA-1: AE } }',
    '  - { step: The Order Filler is killed, killed: OF }',
    '  - { step: It is there again, online: OF }',
    '  - { step: It is refused once more, from: ADT, send: adt.hl7, ack: { MSA-1: AE } }\n',
  ].join('\n');
  writeFileSync(join(folder, 'scenario.yaml'), head + settings + steps);
  return folder;
}

const scenarios = join(packageFolder, 'scenarios');
const families = ['01-', '01b-', '1\\d\\d-', '2\\d\\d-', '3\\d\\d-', '4\\d\\d-', 'cardiology-', 'eye-care-'];
const disturbing = ['answers', 'offline', 'killed', 'online'];

/** One of each family of scenarios, the first that takes the site as it is and lets its actors live. */
function oneOfEach(): string[] {
  const loaded = scenarioFilesAt(scenarios).flatMap((file) => loadScenario(file).scenario ?? []);
  const plain = loaded.filter(
    ({ settings, steps }) => settings === undefined && !steps.some(({ verb }) => disturbing.includes(verb)),
  );
  return families.flatMap((family) => plain.find(({ name }) => new RegExp(`^${family}`).test(name))?.folder ?? []);
}

describe('the scenarios that are shipped', () => {
  // All of them are played by `npm run scenarios`.
  it(
    'pass against a server of ours in a process of its own, one of each family, then one with settings that kills it',
    async () => {
      const paths = [writeStrictCase(join(site.folder, 'strict')), ...oneOfEach()];
      const report = join(site.folder, 'junit.xml');
      const own = ['--site', site.file, '--transcripts', join(site.folder, 'transcripts'), '--report', report];

      const { status, out, err } = await swfPlay('run', ...paths, '--start', '--jobs', '3', ...own);

      expect(paths.length).toBeGreaterThanOrEqual(3);
      expect(`${out}${err}`).toContain(`${paths.length} scenarios, ${paths.length} passed, 0 failed`);
      expect(status).toBe(0);
      expect(readFileSync(report, 'utf8').match(/<testsuite /g)).toHaveLength(paths.length);
    },
    startAndPlayMs,
  );
});

describe('a kit in the shape of MESA', () => {
  it(
    'is played against a server of ours that does what staff do over HTTP; a script that is not understood is left out',
    async () => {
      const kit = join(site.folder, 'kit');
      writeKit(kit, smallKit);
      const own = ['--site', site.file, '--transcripts', join(site.folder, 'transcripts')];

      const { out, err } = await swfPlay('mesa', kit, '--start', ...own);

      expect(`${out}${err}`).toContain('2 scripts, 2 passed, 0 failed\nnot played: 902');
      expect(out).toMatch(/902\.txt:1 {2}transaction 99 from XX to OF, event DANCE, is not played/);
      expect(out).toMatch(/equal +MSH-9 12 {2}PID-3 5 {2}ORC-1 2 {2}OBR-4 24\n +present +ORC-3 5 {2}OBR-18\n/);
    },
    startAndPlayMs,
  );
});
