import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OrderFillerDouble, startOrderFillerDouble } from './order-filler.ts';
import { type TestSite, writeTestSite } from './site.ts';

const packageFolder = fileURLToPath(new URL('../..', import.meta.url));

let site: TestSite;
let orderFiller: OrderFillerDouble;
let children: ChildProcess[];
beforeEach(async () => {
  site = await writeTestSite();
  orderFiller = await startOrderFillerDouble({ op: site.ports['OP'] ?? 0, im: site.ports['IM'] ?? 0, imDicom: 1 });
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await orderFiller.stop();
  site.remove();
});

/** `swf-play run` in a process of its own, on a scenario with these steps. */
function start(steps: string): ChildProcess {
  const folder = join(site.folder, 'own');
  mkdirSync(folder);
  writeFileSync(join(folder, 'scenario.yaml'), `scenario: own\ntitle: Own\ncast: [OP]\nsteps:\n${steps}`);
  const of = ['--of', `mllp://127.0.0.1:${orderFiller.hl7Port}`, '--of-dicom', `OF@127.0.0.1:${orderFiller.dicomPort}`];
  const own = ['--site', site.file, '--transcripts', join(site.folder, 'transcripts')];
  const child = spawn(process.execPath, ['--import', 'tsx', join('actors', 'cli.ts'), 'run', folder, ...of, ...own], {
    cwd: packageFolder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

/** Waits until the process has printed a text. */
async function printed(child: ChildProcess, text: string): Promise<void> {
  let seen = '';
  for await (const chunk of child.stdout ?? []) {
    seen += String(chunk);
    if (seen.includes(text)) return;
  }
  throw new Error(`the process ended without printing ${text}`);
}

const forever = '  - { step: Begin, quiet: 1ms }\n  - { step: Wait, to: OP, receive: ORM^O01, within: 10m }\n';

describe('swf-play as a process', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends a playing on %s with %i and leaves no port open', async (signal, status) => {
    const child = start(forever);
    await printed(child, 'Begin');

    child.kill(signal);
    const [code] = (await once(child, 'exit')) as [number | null];

    expect(code).toBe(status);
    const free = createServer().listen(site.ports['OP'], '127.0.0.1');
    await once(free, 'listening');
    free.close();
  });

  it('ends with 0 by itself when all is played', async () => {
    const child = start('  - { step: Begin, quiet: 1ms }\n');
    await printed(child, '1 scenario, 1 passed, 0 failed');

    const [code] = child.exitCode === null ? ((await once(child, 'exit')) as [number | null]) : [child.exitCode];

    expect(code).toBe(0);
  });

  it('ends with 1 when a scenario failed', async () => {
    const child = start('  - { step: Wait, to: OP, receive: ORM^O01, within: 1ms }\n');
    await printed(child, '1 scenario, 0 passed, 1 failed');

    const [code] = child.exitCode === null ? ((await once(child, 'exit')) as [number | null]) : [child.exitCode];

    expect(code).toBe(1);
  });
});
