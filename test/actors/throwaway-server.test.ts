import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServerDidNotStart, type ThrowawayServer, startThrowawayServer } from '../../actors/throwaway-server.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swf throwaway '));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a program that takes the server's place. */
function start(source: string, signal = new AbortController().signal): Promise<ThrowawayServer> {
  const program = join(folder, 'serve.mjs');
  writeFileSync(program, `import { writeFileSync } from 'node:fs';\n${source}`);
  const environment = { ...process.env, DATABASE_URL: 'postgresql://elsewhere', SWF_HL7_PORT: '2575' };
  return startThrowawayServer({ siteFile: '/site.yaml', transcripts: folder, environment, signal, program });
}

const ready = `console.log('hl7    mllp://127.0.0.1:4001');
console.log('dicom  SWF_OF@127.0.0.1:4002');
console.log('http   http://127.0.0.1:4003');
console.log('ready');
`;

describe('a throwaway server', () => {
  it('is ready when it says so, at the addresses it prints', async () => {
    const server = await start(`${ready}setInterval(() => {}, 1000);`);
    await server.stop();

    expect(server.orderFiller).toEqual({
      hl7: { host: '127.0.0.1', port: 4001 },
      dicom: { aeTitle: 'SWF_OF', host: '127.0.0.1', port: 4002 },
      http: { url: 'http://127.0.0.1:4003' },
    });
  });

  it('gets free ports, the site file, a data folder of its own and no database of anybody else', async () => {
    const server = await start(
      `const told = { ...process.env, args: process.argv.slice(2) };
writeFileSync(new URL('env.json', import.meta.url), JSON.stringify(told));
${ready}setInterval(() => {}, 1000);`,
    );
    const told = JSON.parse(readFileSync(join(folder, 'env.json'), 'utf8')) as Record<string, string>;

    expect(told).toMatchObject({
      SWF_CONFIG: '/site.yaml',
      SWF_HOST: '127.0.0.1',
      SWF_HL7_PORT: '0',
      SWF_DICOM_PORT: '0',
      SWF_HTTP_PORT: '0',
      args: ['serve'],
    });
    expect(told['DATABASE_URL']).toBeUndefined();
    const parent = join(told['SWF_DATA_DIR'] ?? '', '..');
    expect(existsSync(parent)).toBe(true);
    await server.stop();
    expect(existsSync(parent)).toBe(false);
  });

  it('is asked to end with SIGTERM and waited for', async () => {
    const server = await start(
      `process.on('SIGTERM', () => { console.error('ended cleanly'); process.exit(0); });\n${ready}setInterval(() => {}, 1000);`,
    );
    await server.stop();

    expect(readFileSync(join(folder, 'server.log'), 'utf8')).toContain('ended cleanly');
  });

  it('that ends before it is ready is told with the last lines of its log', async () => {
    const starting = start(`console.error('port 2575 is taken'); process.exitCode = 1;`);

    await expect(starting).rejects.toBeInstanceOf(ServerDidNotStart);
    await expect(starting).rejects.toThrow(/ended before it was ready[^]*port 2575 is taken/);
  });

  it('is not waited for any longer when the playing is stopped', async () => {
    const stopping = new AbortController();
    const starting = start('setInterval(() => {}, 1000);', stopping.signal);
    stopping.abort();

    await expect(starting).rejects.toThrow('stopped before the server was ready');
  });

  it('that is killed ends at once, and comes back at the same ports with the same data', async () => {
    const server = await start(
      `import { appendFileSync, mkdirSync } from 'node:fs';
mkdirSync(process.env.SWF_DATA_DIR, { recursive: true });
appendFileSync(new URL('lives.txt', import.meta.url), [process.env.SWF_DATA_DIR, process.env.SWF_HL7_PORT, process.env.SWF_DICOM_PORT, process.env.SWF_HTTP_PORT].join(' ') + '\\n');
process.on('SIGTERM', () => process.exit(0));
${ready}setInterval(() => {}, 1000);`,
    );
    await server.kill();
    await server.kill();
    await server.start();
    await server.start();
    await server.stop();

    const [first = '', second = '', third] = readFileSync(join(folder, 'lives.txt'), 'utf8').split('\n');
    expect(first).toMatch(/ 0 0 0$/);
    expect(second).toBe(first.replace(/ 0 0 0$/, ' 4001 4002 4003'));
    expect(third).toBe('');
  });

  it('leaves no database behind that outlived a killed server', async () => {
    const server = await start(
      `import { mkdirSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
const cluster = join(process.env.SWF_DATA_DIR, 'postgres');
mkdirSync(cluster, { recursive: true });
const database = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
writeFileSync(join(cluster, 'postmaster.pid'), database.pid + '\\n');
writeFileSync(new URL('database.txt', import.meta.url), String(database.pid));
${ready}setInterval(() => {}, 1000);`,
    );
    const pid = Number(readFileSync(join(folder, 'database.txt'), 'utf8'));
    await server.kill();
    expect(process.kill(pid, 0)).toBe(true);
    await server.stop();

    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
