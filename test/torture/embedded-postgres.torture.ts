import { spawn } from 'node:child_process';
import type { ChildProcess, ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/platform/log.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import type { EmbeddedPostgres, EmbeddedPostgresOptions } from '../../src/store/embedded-postgres.ts';

const program = fileURLToPath(new URL('../support/database-process.ts', import.meta.url));

let dataDir: string;
let running: EmbeddedPostgres[];
let children: ChildProcess[];

beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), 'swf-test-')), 'data folder');
  running = [];
  children = [];
});

afterEach(async () => {
  for (const database of running) await database.stop();
  for (const child of children) child.kill('SIGKILL');
  await rm(dirname(dataDir), { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const binDir = process.env.PG_BIN || undefined;
  const database = await startEmbeddedPostgres({ dataDir, log: silentLog, durable: false, binDir, ...options });
  running.push(database);
  return database;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows.flatMap((row) => Object.values(row));
  } finally {
    await client.end().catch(() => {});
  }
}

interface DatabaseProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly started: boolean;
}

function spawnProcess(): ChildProcessByStdio<Writable, Readable, null> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, dataDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

/** A second process with the same data folder. */
async function startProcess(): Promise<DatabaseProcess> {
  const child = spawnProcess();
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, ...(JSON.parse(line) as { url: string; started: boolean }) };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.signalCode === null) await once(child, 'exit');
}

const pidFile = (): string => join(dataDir, 'postgres', 'postmaster.pid');
const postmasterPid = async (): Promise<number> => Number((await readFile(pidFile(), 'utf8')).split('\n')[0]);

async function isRunning(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text !== '' && !/\) Z /.test(text);
}

const socketDirOf = (url: string): string => new URL(url).searchParams.get('host') ?? '';

describe('the embedded database', () => {
  it('given a fresh folder with a space in its path, when started, then it answers on a private socket only', async () => {
    const { url, started } = await start();
    expect(started).toBe(true);
    expect(await query(url, 'SHOW listen_addresses')).toEqual(['']);
    expect((await stat(socketDirOf(url))).mode & 0o777).toBe(0o700);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  });

  it('given an acknowledgement promises a commit on disk, when started durable, then every commit is flushed', async () => {
    const { url } = await start({ durable: true });
    const settings = ['fsync', 'synchronous_commit', 'full_page_writes'].map((name) => `current_setting('${name}')`);
    expect(await query(url, `SELECT ARRAY[${settings.join(', ')}]`)).toEqual([['on', 'on', 'on']]);
  });

  it('given names of patients in any language, when compared, then case is ignored beyond ASCII and order is by code point', async () => {
    const { url } = await start();
    expect(await query(url, `SELECT 'MÜLLER' ILIKE 'müller' AS a, lower('ÉΩЖ') AS b`)).toEqual([true, 'éωж']);
    expect(await query(url, `SELECT x FROM (VALUES ('b'), ('Z'), ('ä')) v(x) ORDER BY x`)).toEqual(['Z', 'b', 'ä']);
  });

  it('given a running server, when a second process starts, then it attaches, and its end leaves the server running', async () => {
    const { url } = await start();
    const second = await startProcess();
    expect(second).toMatchObject({ started: false, url });
    second.child.stdin?.write('stop\n');
    await once(second.child, 'exit');
    expect(await query(url, 'SELECT 1')).toEqual([1]);
  });

  it('given a fresh folder, when two processes start at once, then one starts the server and the other attaches', async () => {
    const found = await Promise.all([startProcess(), startProcess()]);
    expect(found.map(({ started }) => started).sort()).toEqual([false, true]);
    expect(found[0].url).toBe(found[1].url);
    expect((await readdir(dataDir)).filter((name) => name !== 'postgres')).toEqual([]);
  });

  it('given our process is killed, then the server ends by itself and the next start has every committed row', async () => {
    const first = await startProcess();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = await postmasterPid();
    await kill(first.child);
    // started while the old server may still be ending
    const next = await start();
    expect(next.started).toBe(true);
    expect(await query(next.url, 'SELECT answer FROM kept')).toEqual([42]);
    expect(await isRunning(pid)).toBe(false);
    await expect(stat(socketDirOf(first.url))).rejects.toThrow('ENOENT');
  });

  it('given the server and our process are killed together, then the next start recovers every committed row', async () => {
    const first = await startProcess();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(-(await postmasterPid()), 'SIGKILL');
    await kill(first.child);
    const next = await start();
    expect(next.started).toBe(true);
    expect(await query(next.url, 'SELECT answer FROM kept')).toEqual([42]);
    await expect(stat(socketDirOf(first.url))).rejects.toThrow('ENOENT');
  });

  it('given a process that is killed while it makes the cluster, then the next start works and clears up', async () => {
    const child = spawnProcess();
    const drafts = async (): Promise<string[]> =>
      (await readdir(dataDir).catch(() => [])).filter((name) => name.startsWith('postgres.init-'));
    await expect.poll(drafts, { interval: 5, timeout: 10_000 }).toHaveLength(1);
    await kill(child);
    expect((await start()).started).toBe(true);
    expect(await drafts()).toEqual([]);
  });

  it('given a pid file that names another living process, when started, then it is seen to be stale', async () => {
    await (await start()).stop();
    await writeFile(
      pidFile(),
      [process.pid, join(dataDir, 'postgres'), 1, 5432, '/nowhere', '', '', 'ready'].join('\n'),
    );
    expect((await start({ maxWaitMs: 5000 })).started).toBe(true);
  });

  it('given a cluster of another major version, when started, then it says which version made it and what to do', async () => {
    await (await start()).stop();
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '12\n');
    await expect(start()).rejects.toThrow(/made by PostgreSQL 12.*PG_BIN.*SWF_DATA_DIR/);
  });

  it('given nothing runs, when only attaching, then it refuses and leaves the folder alone', async () => {
    await expect(start({ attachOnly: true })).rejects.toThrow('start the server (swf serve) first');
    await expect(stat(dataDir)).rejects.toThrow('ENOENT');
  });

  it('given a folder without the programs of PostgreSQL, when started from there, then it names the setting', async () => {
    await mkdir(dataDir, { recursive: true });
    await expect(start({ binDir: dataDir })).rejects.toThrow('correct PG_BIN or unset it');
  });

  it('when stopped, then the server and its socket are gone, also when stopped twice', async () => {
    const database = await start();
    const pid = await postmasterPid();
    await Promise.all([database.stop(), database.stop()]);
    expect(await isRunning(pid)).toBe(false);
    await expect(stat(socketDirOf(database.url))).rejects.toThrow('ENOENT');
  });
});
