import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { type TestDatabase, freshDatabase } from '../support/database.ts';
import { siteOf, writeSite } from '../support/server.ts';
import { type SwfProcess, startSwf } from '../support/swf-process.ts';
import { until } from '../support/until.ts';

/** A start that has failed, or was told to end, is over by then. */
const ENDED_WITHIN_MS = 5_000;
/** Nothing waits in a server that has nothing to do: no timer may keep it. */
const IDLE_ENDED_WITHIN_MS = 2_500;
const STARTED_WITHIN_MS = 30_000;

let folder: string;
let dataDir: string;
let processes: SwfProcess[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swf serve '));
  dataDir = join(folder, 'data');
  processes = [];
});
afterEach(async () => {
  for (const one of processes) {
    one.child.kill('SIGKILL');
    await one.ended;
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

function swf(command: string, site: string, environment: Readonly<Record<string, string>> = {}): SwfProcess {
  const started = startSwf([command, '--config', site], {
    SWF_DATA_DIR: dataDir,
    SWF_LOG_LEVEL: 'warn',
    ...environment,
  });
  processes.push(started);
  return started;
}

/** The exit status of a process that has to end soon. */
async function statusOf(one: SwfProcess, withinMs = ENDED_WITHIN_MS): Promise<number> {
  await until('the process has ended', () => one.hasEnded(), withinMs);
  return one.ended;
}

describe.each(['serve', 'check'])('`swf %s` with mistakes that only the files and wires know', (command) => {
  it('given TLS files that are missing and character sets that nobody knows, then every one is told with its place and the exit status is 2, before anything is opened', async () => {
    const hl7 = { host: '127.0.0.1', application: 'A', facility: 'F' };
    const site = join(folder, 'site.yaml');
    await writeFile(join(folder, 'there.pem'), 'anything');
    await writeFile(
      site,
      JSON.stringify({
        ...siteOf({}),
        catalogue: undefined,
        hl7: { port: 0, tls: { key: 'no-hl7-key.pem', cert: 'there.pem' } },
        dicom: { port: 0, tls: { key: 'there.pem', cert: 'no-dicom-cert.pem' } },
        peers: [
          { name: 'IM', actor: 'image-manager', hl7: { ...hl7, port: 4001, characterSet: 'KLINGON' } },
          {
            name: 'OP',
            actor: 'order-placer',
            hl7: { ...hl7, port: 4002, tls: { key: 'there.pem', cert: 'there.pem', ca: 'no-peer-ca.pem' } },
          },
        ],
        senders: [
          { match: { application: 'HIS' }, characterSet: '8859/1' },
          { match: { application: 'LIS' }, characterSet: 'ROMULAN' },
        ],
        stations: [
          { aeTitle: 'DX1', characterSet: 'ISO_IR 100' },
          { aeTitle: 'MR1', characterSet: 'VULCAN' },
        ],
      }),
    );
    const one = swf(command, site);
    expect(await one.ended).toBe(2);
    const told = one.errors.slice(1).map((line) => line.trim().replace(`${site}: `, ''));
    expect(one.errors[0]).toContain('6 mistakes');
    expect(told.map((line) => line.split(': ')[0]).sort()).toEqual([
      'dicom.tls.cert',
      'hl7.tls.key',
      'peers.0.hl7.characterSet',
      'peers.1.hl7.tls.ca',
      'senders.1.characterSet',
      'stations.1.characterSet',
    ]);
    for (const path of ['no-hl7-key.pem', 'no-dicom-cert.pem', 'no-peer-ca.pem'])
      expect(told.join('\n')).toContain(join(folder, path));
    expect(one.output).toEqual([]);
    expect(existsSync(dataDir)).toBe(false);
  });

  it('given a TLS file that can be read and is no key, then it is told with its place and the exit status is 2', async () => {
    const site = join(folder, 'site.yaml');
    await writeFile(join(folder, 'there.pem'), 'anything');
    const tls = { key: 'there.pem', cert: 'there.pem' };
    await writeFile(site, JSON.stringify({ ...siteOf({}), catalogue: undefined, hl7: { port: 0, tls } }));
    const one = swf(command, site);
    expect(await one.ended).toBe(2);
    expect(one.errors.join('\n')).toContain('hl7.tls: key, cert and ca are not PEM files');
  });
});

/** The pid of the server of the embedded database, once it runs. */
async function postmaster(): Promise<number> {
  const file = join(dataDir, 'postgres', 'postmaster.pid');
  const text = await until(
    'the embedded database is starting',
    () => readFile(file, 'utf8').catch(() => undefined),
    STARTED_WITHIN_MS,
  );
  return Number(text.split('\n')[0]);
}

async function isRunning(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text !== '' && !/\) Z /.test(text);
}

describe('a start that cannot succeed: a port is taken', () => {
  let taken: Server;
  let port: number;
  beforeEach(async () => {
    taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    ({ port } = taken.address() as AddressInfo);
  });
  afterEach(() => void taken.close());

  it('given an embedded database, then exit status 1 names port and setting, and the database has ended too', async () => {
    const one = swf('serve', await writeSite(folder, {}), { SWF_HL7_PORT: String(port) });
    const pid = await postmaster();
    await until('the failure is told or the process has ended', () => one.errors.length > 0 || one.hasEnded(), 30_000);
    expect(await statusOf(one)).toBe(1);
    expect(one.errors.join('\n')).toContain(`hl7 port ${port} on 127.0.0.1 is taken`);
    expect(one.errors.join('\n')).toContain('SWF_HL7_PORT');
    expect(one.output).toEqual([]);
    expect(await isRunning(pid)).toBe(false);
  });

  describe('given DATABASE_URL', () => {
    let database: TestDatabase;
    let administrator: pg.Client;
    beforeEach(async () => {
      database = await freshDatabase();
      administrator = new pg.Client({ connectionString: inject('databaseUrl') });
      await administrator.connect();
    });
    afterEach(async () => {
      await administrator.end();
      await database.drop();
    });

    async function connections(): Promise<number> {
      const name = new URL(database.url).pathname.slice(1);
      const { rows } = await administrator.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = $1',
        [name],
      );
      return rows[0]?.n ?? 0;
    }

    it.each(['SWF_HL7_PORT', 'SWF_DICOM_PORT', 'SWF_HTTP_PORT'])(
      'and the port of %s, then it ends with 1 within 5 s and leaves no connection',
      async (setting) => {
        const environment = { DATABASE_URL: database.url, [setting]: String(port) };
        const one = swf('serve', await writeSite(folder, {}), environment);
        const reached = async (): Promise<boolean> => one.hasEnded() || (await connections()) > 0;
        await until('the start has come to its database', reached, STARTED_WITHIN_MS);
        expect(await statusOf(one)).toBe(1);
        expect(one.errors.join('\n')).toContain(setting);
        await until('every connection has ended', async () => (await connections()) === 0);
      },
    );
  });
});

describe('SIGTERM right after the start', () => {
  it('given the embedded database is still starting, then exit status 143 within 5 s, and it has ended too', async () => {
    const one = swf('serve', await writeSite(folder, {}));
    const pid = await postmaster();
    one.child.kill('SIGTERM');
    expect(await statusOf(one)).toBe(143);
    expect(await isRunning(pid)).toBe(false);
    expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
  });

  it('given it has said that it is ready, then exit status 143 without delay, and the database has ended too', async () => {
    const one = swf('serve', await writeSite(folder, {}));
    await until('it is ready', () => one.output.includes('ready'), STARTED_WITHIN_MS);
    const pid = await postmaster();
    one.child.kill('SIGTERM');
    expect(await statusOf(one, IDLE_ENDED_WITHIN_MS)).toBe(143);
    expect(await isRunning(pid)).toBe(false);
  });

  it('given it has just been called, then it ends like that too, and what it began can be started again', async () => {
    const site = await writeSite(folder, {});
    const one = swf('serve', site);
    await once(one.child, 'spawn');
    one.child.kill('SIGTERM');
    expect(await statusOf(one)).toBe(143);
    const again = swf('serve', site);
    await until('it is ready', () => again.output.includes('ready'), STARTED_WITHIN_MS);
    again.child.kill('SIGTERM');
    expect(await statusOf(again)).toBe(143);
  });
});

describe('a server that loses what it stands on', () => {
  it('given its embedded database is killed, then it says so and ends with 1, and the next start works', async () => {
    const site = await writeSite(folder, {});
    const one = swf('serve', site);
    await until('it is ready', () => one.output.includes('ready'), STARTED_WITHIN_MS);
    process.kill(await postmaster(), 'SIGKILL');
    expect(await statusOf(one, 15_000)).toBe(1);
    expect(one.errors.join('\n')).toContain('The embedded database ended by itself');
    const again = swf('serve', site);
    await until('it is ready', () => again.output.includes('ready'), STARTED_WITHIN_MS);
    again.child.kill('SIGTERM');
    expect(await statusOf(again)).toBe(143);
  });

  it('given npm that started it is killed, then neither it nor its database is left', async () => {
    const site = await writeSite(folder, {});
    const script = '"$0" --import tsx src/cli.ts serve & echo "pid $!"; wait';
    const npm = spawn('sh', ['-c', script, process.execPath], {
      env: {
        ...process.env,
        npm_lifecycle_event: 'start',
        SWF_CONFIG: site,
        SWF_DATA_DIR: dataDir,
        SWF_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const lines: string[] = [];
    createInterface({ input: npm.stdout }).on('line', (line) => lines.push(line));
    await until('it is ready', () => lines.includes('ready'), STARTED_WITHIN_MS);
    const server = Number(lines.find((line) => line.startsWith('pid '))?.slice(4));
    const database = await postmaster();
    npm.kill('SIGKILL');
    await until('the server has ended', async () => !(await isRunning(server)), 10_000);
    expect(await isRunning(database)).toBe(false);
  });
});
