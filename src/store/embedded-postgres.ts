import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { SwfError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { chooseAccount, handOver, letPass } from './postgres-account.ts';
import { findBinaries } from './postgres-binaries.ts';
import { OTHER_FOLDER, createCluster, exists, explain, removeDrafts, unavailable } from './postgres-cluster.ts';
import type { ClusterPlace, Programs } from './postgres-cluster.ts';
import { PORT, hasEnded, launch, stopServer } from './postgres-server.ts';
import type { Server } from './postgres-server.ts';
import { SOCKET_DIR_PREFIX, lastSocketDir, readPostmaster } from './postmaster.ts';

const POLL_MS = 25;
// after a crash the server first reads its log again: to stop it then would only begin that anew
const RECOVERY_MS = 10 * 60_000;

export interface EmbeddedPostgresOptions {
  /** The data folder; the cluster is the folder `postgres` in it. */
  readonly dataDir: string;
  readonly log: Log;
  /** false: no fsync; a power failure destroys the cluster. Only for databases that are thrown away. */
  readonly durable?: boolean;
  /** How long to wait for another process's server that is starting or ending. Default 15 s. */
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
  /** Resolves when the server that we started ends without having been stopped; never for another process's. */
  readonly lost: Promise<void>;
  /** Stops the server if we started it. May be called again. */
  stop(): Promise<void>;
}

interface Place extends ClusterPlace, Pick<EmbeddedPostgresOptions, 'binDir' | 'attachOnly'> {
  readonly deadline: number;
}

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

async function makeSocketDir(): Promise<string> {
  // the name of the socket in it, `.s.PGSQL.5432.lock`, takes 19 bytes more
  const parent = Buffer.byteLength(tmpdir()) > 70 ? '/tmp' : tmpdir();
  return mkdtemp(join(parent, SOCKET_DIR_PREFIX));
}

/** Starts a server and waits until it answers; undefined: another process's server came first. */
async function start(place: Place, programs: Programs): Promise<EmbeddedPostgres | undefined> {
  await handOver(place.cluster, programs.account);
  const server = launch(place, programs);
  const url = urlOf(server.socketDir, PORT);
  let late = false;
  while (!hasEnded(server.process)) {
    const postmaster = await readPostmaster(place.cluster);
    if (postmaster.state === 'ready' && postmaster.pid === server.process.pid && (await answers(url))) {
      return running(place, server, url);
    }
    if (performance.now() > place.deadline && !late) {
      late = true;
      place.log.info({ path: place.cluster }, 'the embedded database recovers from a crash; waiting for it');
    }
    if (performance.now() > place.deadline + RECOVERY_MS) {
      await stopServer(server, place.durable);
      throw unavailable(`the embedded database in ${place.cluster} did not answer in time`);
    }
    await pause(POLL_MS);
  }
  await Promise.race([server.closed, pause(1000)]);
  if (server.said.some((line) => /lock file .* already exists|pre-existing shared memory block/.test(line)))
    return undefined;
  throw await explain(place, programs, server.said);
}

function running(place: Place, server: Server, url: string): EmbeddedPostgres {
  let stopping: Promise<void> | undefined;
  const lost = new Promise<void>((resolve) => {
    server.process.once('exit', () => {
      if (stopping) return;
      place.log.error({ path: place.cluster }, 'the embedded database ended unexpectedly');
      resolve();
    });
  });
  return {
    url,
    started: true,
    lost,
    stop: () => (stopping ??= stopServer(server, place.durable)),
  };
}

async function startOurs(place: Place): Promise<EmbeddedPostgres | undefined> {
  const socketDir = await makeSocketDir();
  let server: EmbeddedPostgres | undefined;
  try {
    const account = await chooseAccount(place.cluster);
    await handOver(socketDir, account);
    await letPass(place.dataDir, account);
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
      if (await answers(url)) return { url, started: false, lost: new Promise<void>(() => {}), stop: async () => {} };
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
  try {
    return await attachOrStart({
      ...options,
      durable: options.durable ?? true,
      dataDir,
      cluster: join(dataDir, 'postgres'),
      deadline,
    });
  } catch (error) {
    if (error instanceof SwfError) throw error;
    const { code = 'unknown', syscall = 'use' } = error as NodeJS.ErrnoException;
    throw unavailable(`the embedded database in ${dataDir} cannot be used (${syscall}: ${code}); ${OTHER_FOLDER}`);
  }
}
