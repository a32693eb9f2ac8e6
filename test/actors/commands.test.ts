import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../actors/commands.ts';

const scenarios = fileURLToPath(new URL('../../scenarios', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swf-play-commands-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const status = await main(args, {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    colour: false,
    environment: {},
    workingDirectory: folder,
    signal: new AbortController().signal,
  });
  return { status, out: out.join('\n'), err: err.join('\n') };
}

describe('swf-play', () => {
  it('explains itself and tells its version', async () => {
    expect(await run('--help')).toMatchObject({ status: 0, err: '' });
    expect((await run('run', '--help')).out).toContain('Usage  swf-play <command> [options]');
    expect((await run('--version')).out).toMatch(/^swf-play \d+\.\d+\.\d+$/);
  });

  it.each([
    [[], 'a command is missing'],
    [['paly'], 'there is no command paly'],
    [['toString'], 'there is no command toString'],
    [['run'], 'run needs the path of a scenario'],
    [['lint'], 'lint needs the path of a scenario'],
    [['run', '--stpe', '3', 'x'], "Unknown option '--stpe'"],
    [['run', '--step', '0', scenarios], '--step is a number from 1'],
    [['run', '--jobs', 'many', scenarios], '--jobs is a number from 1'],
    [['run', '--rounds', '0', scenarios], '--rounds is a number from 1'],
    [['run', '--seed', '-1', scenarios], '--seed'],
    [['run', 'nowhere'], 'nowhere: there is no scenario.yaml here'],
    [['run', scenarios, '--site', 'none.yaml'], 'there is no such file'],
    [['run', scenarios, '--start', '--of', 'mllp://127.0.0.1:1'], 'leave out --of'],
    [['list', 'nowhere'], 'nowhere: there is no scenario.yaml here'],
    [['mesa'], 'mesa needs the folder of a MESA kit'],
    [['mesa', '.'], '.: there is no script here, such as scenarios/131/131.txt'],
  ])('asked wrongly with %j, says why and ends with 2', async (args, reason) => {
    const { status, out, err } = await run(...args);

    expect(err).toContain(reason);
    expect(status).toBe(2);
    expect(out).toBe('');
  });

  it('lints: 0 when all is well, 2 and every mistake when not', async () => {
    mkdirSync(join(folder, 'bad'));
    writeFileSync(
      join(folder, 'bad', 'scenario.yaml'),
      'scenario: bad\ntitle: Bad\ncast: [ADT]\nsteps:\n  - { step: A, quiet: 1s, fo: x }\n',
    );

    expect(await run('lint', scenarios)).toMatchObject({ status: 0, err: '' });
    const bad = await run('lint', 'bad', scenarios);
    expect(bad.status).toBe(2);
    expect(bad.err).toContain('scenario.yaml:5  step 1: Unrecognized key: "fo"');
  });

  it('lists the scenarios of a folder with profile, title and what they follow', async () => {
    const { status, out } = await run('list', scenarios);

    expect(status).toBe(0);
    expect(out).toMatch(/^01-simple-case +SWF +Scheduled Workflow, .* {2}\[IHE RAD TF-1 3.3; MESA 131; MESA 107\]$/m);
    expect(out).toMatch(/^01b-simple-case-swf-b +SWF\.b +/m);
  });
});
