import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

describe('the scenarios that are shipped', () => {
  it(
    'pass against a server of ours in a process of its own, the simple case in both dialects and once more',
    async () => {
      const paths = ['01-simple-case', '01b-simple-case-swf-b', '01-simple-case'].map((name) =>
        join(packageFolder, 'scenarios', name),
      );
      const report = join(site.folder, 'junit.xml');
      const own = ['--site', site.file, '--transcripts', join(site.folder, 'transcripts'), '--report', report];

      const { status, out, err } = await swfPlay('run', ...paths, '--start', ...own);

      expect(`${out}${err}`).toContain('3 scenarios, 3 passed, 0 failed');
      expect(status).toBe(0);
      expect(readFileSync(report, 'utf8').match(/<testsuite /g)).toHaveLength(3);
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
