import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { access, mkdir, mkdtemp, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { SwfError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { chooseAccount, handOver } from './postgres-account.ts';
import type { PostgresAccount } from './postgres-account.ts';
import { findBinaries, localeArguments, majorVersion } from './postgres-binaries.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { SOCKET_DIR_PREFIX, lastSocketDir, readPostmaster } from './postmaster.ts';

const run = promisify(execFile);
const PORT = 5432;
const POLL_MS = 25;

export interface EmbeddedPostgresOptions {
  /** The data folder; the cluster is the folder `postgres` in it. */
  readonly dataDir: string;
  readonly log: Log;
  /** false: no fsync; a power failure destroys the cluster. Only for databases that are thrown away. */
  readonly durable?: boolean;
  /** How long to wait for another process's server that is starting or ending, and for our own. Default 15 s. */
  readonly maxWaitMs?: number;
  /** Only use a server that is running; start none. */
  readonly attachOnly?: boolean;
  /** Folder of `initdb` and `postgres`, instead of the npm package's. */
  readonly binDir?: string | undefined;
}

export interface EmbeddedPostgres {
  /** Of the database, over a socket that only our account can reach. */
  readonly url: string;
  /** We started the server; false: we use one that another process started. */
  readonly started: boolean;
  /** Stops the server if we started it. May be called again. */
  stop(): Promise<void>;
}

interface Place extends EmbeddedPostgresOptions {
  readonly cluster: string;
  readonly deadline: number;
}

interface Programs {
  readonly binaries: PostgresBinaries;
  readonly account: PostgresAccount;
  readonly socketDir: string;
}

interface Server {
  readonly process: ChildProcess;
  readonly socketDir: string;
  /** The last lines it said. */
  readonly said: string[];
}

const unavailable = (text: string): SwfError => new SwfError('database-unavailable', text);

function urlOf(socketDir: string, port: number): string {
  return `postgresql://postgres@localhost:${port}/postgres?host=${encodeURIComponent(socketDir)}&sslmode=disable`;
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function makeSocketDir(): Promise<string> {
  // the name of the socket in it, `.s.PGSQL.5432.lock`, takes 19 bytes more
  const parent = Buffer.byteLength(tmpdir()) > 70 ? '/tmp' : tmpdir();
  return mkdtemp(join(parent, SOCKET_DIR_PREFIX));
}

function commandOf({ binaries, account }: Programs, program: string): [string, string[]] {
  const [first = '', ...rest] = [...account.prefix, ...binaries.prefix, join(binaries.binDir, program)];
  return [first, rest];
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

/** Runs `initdb` beside the cluster folder and renames: a cluster is there whole or not at all. */
async function createCluster(place: Place, programs: Programs): Promise<void> {
  place.log.info({ path: place.cluster }, 'creating the embedded database');
  const draft = await mkdtemp(`${place.cluster}.init-`);
  await handOver(draft, programs.account);
  const [program, args] = commandOf(programs, 'initdb');
  const locale = localeArguments(await majorVersion(programs.binaries));
  const sync = place.durable === false ? ['--no-sync'] : [];
  try {
    const all = [...args, '-D', draft, '-U', 'postgres', '-A', 'trust', '--no-instructions', ...locale, ...sync];
    await run(program, all, { ...programs.account.as, timeout: 120_000 });
    await rename(draft, place.cluster);
    if (place.durable !== false) await syncFolder(dirname(place.cluster));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // another process was faster
    if (await exists(place.cluster)) return;
    const said = (error as { stderr?: string }).stderr ?? String(error);
    throw unavailable(
      `the embedded database could not be created in ${place.dataDir}: ${said.trim().split('\n').at(-1) ?? ''}; ` +
        'choose a data folder that this account may write and reach (SWF_DATA_DIR), or set DATABASE_URL',
    );
  }
}

async function removeDrafts(cluster: string): Promise<void> {
  for (const name of await readdir(dirname(cluster))) {
    if (!name.startsWith(`${basename(cluster)}.init-`)) continue;
    await rm(join(dirname(cluster), name), { recursive: true, force: true });
  }
}

function serverArguments({ cluster, durable }: Place, socketDir: string): string[] {
  const safe = durable === false ? 'off' : 'on';
  const settings: Record<string, string | number> = {
    listen_addresses: '',
    port: PORT,
    unix_socket_permissions: '0700',
    fsync: safe,
    synchronous_commit: safe,
    full_page_writes: safe,
    max_connections: 100,
    timezone: 'UTC',
    log_timezone: 'UTC',
    // errors of statements quote values: they are the client's business and never in a log
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    logging_collector: 'off',
    log_destination: 'stderr',
    log_line_prefix: '',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', cluster, '-k', socketDir, ...flags];
}

function launch(place: Place, programs: Programs): Server {
  const [program, args] = commandOf(programs, 'postgres');
  // a process group of its own: Ctrl-C goes to ours, and only we stop the database, last
  const child = spawn(program, [...args, ...serverArguments(place, programs.socketDir)], {
    ...programs.account.as,
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  child.on('error', (error) => said.push(error.message));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n').filter(Boolean)) {
      said.push(line);
      place.log.debug({}, `PostgreSQL: ${line}`);
    }
    said.splice(0, said.length - 20);
  });
  // the server must never keep us running
  child.unref();
  (child.stderr as unknown as { unref(): void }).unref();
  return { process: child, socketDir: programs.socketDir, said };
}

const hasEnded = (child: ChildProcess): boolean =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

async function waitForEnd(child: ChildProcess, milliseconds: number): Promise<boolean> {
  const until = performance.now() + milliseconds;
  while (!hasEnded(child) && performance.now() < until) await pause(5);
  return hasEnded(child);
}

/** Fast shutdown, then immediate, then by force; PostgreSQL recovers from each at the next start. */
async function stopServer({ process: child, socketDir }: Server, durable: boolean): Promise<void> {
  for (const signal of durable ? (['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) : (['SIGQUIT', 'SIGKILL'] as const)) {
    if (hasEnded(child)) break;
    child.kill(signal);
    await waitForEnd(child, 10_000);
  }
  await rm(socketDir, { recursive: true, force: true });
}

async function explain(place: Place, { said }: Server): Promise<SwfError> {
  const fatal = said.filter((line) => /FATAL|PANIC|error/i.test(line)).at(-1) ?? said.at(-1) ?? 'it said nothing';
  if (fatal.includes('incompatible with server')) {
    const version = (await readFile(join(place.cluster, 'PG_VERSION'), 'utf8').catch(() => '?')).trim();
    return unavailable(
      `the database in ${place.cluster} was made by PostgreSQL ${version}, which the installed PostgreSQL cannot read; ` +
        `set PG_BIN to the programs of version ${version}, or choose another data folder (SWF_DATA_DIR)`,
    );
  }
  return unavailable(`the embedded database in ${place.cluster} did not start: ${fatal}`);
}

/** Starts a server and waits until it answers; undefined: another process's server came first. */
async function start(place: Place, programs: Programs): Promise<EmbeddedPostgres | undefined> {
  await handOver(place.cluster, programs.account);
  const server = launch(place, programs);
  const url = urlOf(server.socketDir, PORT);
  const durable = place.durable !== false;
  while (!hasEnded(server.process)) {
    const postmaster = await readPostmaster(place.cluster);
    if (postmaster.state === 'ready' && postmaster.pid === server.process.pid && (await answers(url))) {
      return running(place, server, url);
    }
    if (performance.now() > place.deadline) {
      await stopServer(server, durable);
      throw unavailable(`the embedded database in ${place.cluster} did not answer in time`);
    }
    await pause(POLL_MS);
  }
  if (server.said.some((line) => /lock file .* already exists|pre-existing shared memory block/.test(line)))
    return undefined;
  throw await explain(place, server);
}

function running(place: Place, server: Server, url: string): EmbeddedPostgres {
  let stopping: Promise<void> | undefined;
  server.process.once('exit', () => {
    if (!stopping) place.log.error({ path: place.cluster }, 'the embedded database ended unexpectedly');
  });
  return {
    url,
    started: true,
    stop: () => (stopping ??= stopServer(server, place.durable !== false)),
  };
}

async function startOurs(place: Place): Promise<EmbeddedPostgres | undefined> {
  const socketDir = await makeSocketDir();
  let server: EmbeddedPostgres | undefined;
  try {
    const account = await chooseAccount(place.cluster);
    await handOver(socketDir, account);
    const programs = { account, socketDir, binaries: await findBinaries(place.binDir, socketDir) };
    if (!(await exists(place.cluster))) await createCluster(place, programs);
    server = await start(place, programs);
    if (server) await removeDrafts(place.cluster);
    return server;
  } finally {
    if (!server) await rm(socketDir, { recursive: true, force: true });
  }
}

async function attachOrStart(place: Place): Promise<EmbeddedPostgres> {
  let waited = false;
  for (;;) {
    // read before the pid file: PostgreSQL writes it after that one, so this is no live server's folder if that one is absent
    const leftover = await lastSocketDir(place.cluster);
    const found = await readPostmaster(place.cluster);
    if (found.state === 'absent') {
      if (place.attachOnly)
        throw unavailable(`no database is running in ${place.dataDir}; start the server (swf serve) first`);
      if (leftover !== undefined) await rm(leftover, { recursive: true, force: true });
      const server = await startOurs(place);
      if (server) return server;
    } else if (found.state === 'ready') {
      const url = urlOf(found.socketDir, found.port);
      if (await answers(url)) return { url, started: false, stop: async () => {} };
    }
    if (performance.now() > place.deadline) {
      const pid = found.state === 'absent' ? '' : ` (process ${found.pid})`;
      throw unavailable(
        `another PostgreSQL${pid} holds ${place.cluster} and neither answers nor ends; end it and start again`,
      );
    }
    if (!waited)
      place.log.info({ path: place.cluster }, 'waiting for another process that starts or stops the embedded database');
    waited = true;
    await pause(POLL_MS);
  }
}

/**
 * PostgreSQL from npm on a private socket: attaches to the server that runs in the data folder, else starts it.
 * @throws SwfError `database-unavailable`, with what to do
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  if (!options.attachOnly) {
    await mkdir(dataDir, { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      throw unavailable(`the data folder ${dataDir} cannot be made (${error.code}); choose another one (SWF_DATA_DIR)`);
    });
  }
  const deadline = performance.now() + (options.maxWaitMs ?? 15_000);
  return attachOrStart({ ...options, dataDir, cluster: join(dataDir, 'postgres'), deadline });
}
