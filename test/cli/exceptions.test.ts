import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli.ts';
import { connectSender, orm } from '../support/messages.ts';
import { type TestServer, startTestServer, writeSite } from '../support/server.ts';

let folder: string;
let site: string;
let server: TestServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swf exceptions '));
  site = await writeSite(folder, {});
  server = await startTestServer();
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function run(...args: string[]) {
  const [output, errors]: [string[], string[]] = [[], []];
  const environment = { SWF_CONFIG: site, SWF_HTTP_PORT: String(server.ports.http) };
  const status = await main(['exceptions', ...args], {
    print: (text) => void output.push(text),
    error: (text) => void errors.push(text),
    environment,
    workingDirectory: folder,
  });
  return { status, output: output.join('\n'), errors: errors.join('\n') };
}

describe('swf exceptions', () => {
  it('given nothing is wrong, then it says so; given a kind that nobody knows, then 2 and the kinds', async () => {
    expect(await run()).toEqual({ status: 0, output: '', errors: 'nobody has to look at anything' });
    expect((await run('--procedure', 'RP1')).errors).toBe('nothing of that kind or procedure');
    const { status, errors } = await run('--kind', 'nonsense');
    expect(status).toBe(2);
    expect(errors).toContain('delivery-refused');
  });

  it('given a service that is not in the catalogue, then it is a row, and the command that it prints works as it stands', async () => {
    const sender = await connectSender(server.ports.hl7);
    await sender.send(
      orm([{ placerOrderNumber: 'E1^HIS', service: 'UNHEARD^^TESTPLAN' }], { identifier: 'E1^^^CLINIC' }),
    );
    sender.end();
    const { output } = await run();
    expect(output).toMatch(/^KIND +SINCE +PROCEDURE/);
    expect(output).toMatch(/\nnot-in-catalogue +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +RP\w+ +E1 /);
    const [listed] = JSON.parse((await run('--json', '--kind', 'not-in-catalogue')).output) as { id: string }[];
    const lines = output.split('\n');
    const command = (lines[lines.findIndex((line) => line.startsWith('  settle: ')) + 1] ?? '').trim();
    expect(command).toContain(`/api/exceptions/${listed?.id}/settle`);
    const [, reason, url] = /^curl -X POST -H 'X-Reason: (\w+)' (\S+)$/.exec(command) ?? [];
    const response = await fetch(url ?? '', { method: 'POST', headers: { 'X-Reason': reason ?? '' } });
    expect(await response.json()).toEqual({ id: listed?.id, kind: 'not-in-catalogue', settled: true });
    expect((await run()).errors).toBe('nobody has to look at anything');
  });
});
