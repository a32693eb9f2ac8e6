import { createServer, type Server } from 'node:http';
import { startDicomServer } from './dicom/server.ts';
import { startLanes } from './delivery/lanes.ts';
import { startMllpServer } from './hl7/mllp-server.ts';
import { createApp } from './http/app.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import { type SiteFiles, readSiteFiles } from './site-files.ts';
import { SwfError, describeError } from './platform/errors.ts';
import { type Ids, randomIds } from './platform/ids.ts';
import type { Log } from './platform/log.ts';
import { version } from './platform/version.ts';
import { type EmbeddedPostgresOptions, startEmbeddedPostgres } from './store/embedded-postgres.ts';
import { migrate, pendingMigrations } from './store/migrate.ts';
import { openStore } from './store/prisma.ts';
import { takeSiteLock } from './store/site-lock.ts';
import { type Department, createBackground } from './transactions/department.ts';
import { receiveHl7 } from './transactions/inbound-hl7.ts';
import { inboundHl7Transactions } from './transactions/index.ts';
import { mppsGet } from './transactions/mpps-retrieve.ts';
import { findWorklist } from './transactions/rad-05-worklist.ts';
import { MPPS_SOP_CLASS, mppsCreate, mppsSet } from './transactions/rad-06-07-mpps.ts';
import { IAN_SOP_CLASS, availabilityNotified } from './transactions/rad-11-49-availability.ts';

/** A running Order Filler. */
export interface RunningServer {
  readonly ports: { readonly hl7: number; readonly dicom: number; readonly http: number };
  /** Resolves when the embedded database has ended by itself: nothing can be promised any more. */
  readonly databaseLost: Promise<void>;
  /** Stops listening, lets what was accepted finish, leaves the lanes where they are, closes the database last. */
  stop(): Promise<void>;
}

/** Something that keeps the server from starting: what, where, and what to do about it. */
export class StartError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StartError';
  }
}

export interface ServerDeps {
  readonly log: Log;
  readonly clock?: Clock;
  readonly ids?: Ids;
}

/** What has been started, newest last; a failed start undoes it in reverse. */
interface Started {
  add(stop: () => Promise<void>): void;
  stop(): Promise<void>;
}

function startedThings(log: Log): Started {
  const stops: (() => Promise<void>)[] = [];
  return {
    add: (stop) => void stops.push(stop),
    stop: async () => {
      for (const stop of stops.splice(0).reverse()) {
        await stop().catch((error: unknown) => log.warn(describeError(error), 'something did not stop cleanly'));
      }
    },
  };
}

/** How the embedded database of a site is started or attached to. */
export function embeddedDatabase(config: Config, log: Log): EmbeddedPostgresOptions {
  const { dataDir, postgresBinDir } = config;
  return { dataDir, log, ...(postgresBinDir === undefined ? {} : { binDir: postgresBinDir }) };
}

interface Database {
  readonly url: string;
  readonly lost: Promise<void>;
}

async function openDatabase(config: Config, log: Log, started: Started): Promise<Database> {
  // A server of somebody's own comes back by itself; the lanes and listeners wait for it.
  if (config.databaseUrl !== undefined) return { url: config.databaseUrl, lost: new Promise(() => {}) };
  const database = await startEmbeddedPostgres(embeddedDatabase(config, log));
  started.add(() => database.stop());
  const lock = await takeSiteLock(database.url);
  if (!lock) {
    throw new StartError(
      `another swf serve uses ${config.dataDir}; give this one a folder of its own (SWF_DATA_DIR), or set DATABASE_URL for several processes on one database`,
    );
  }
  started.add(() => lock.release());
  return database;
}

const portSettings = {
  hl7: { file: 'hl7.port', environment: 'SWF_HL7_PORT' },
  dicom: { file: 'dicom.port', environment: 'SWF_DICOM_PORT' },
  http: { file: 'http.port', environment: 'SWF_HTTP_PORT' },
} as const;

/** A port that is taken ends the start with its number, its setting and who can change it. */
async function listening<T>(
  name: keyof typeof portSettings,
  address: { host: string; port: number },
  start: () => Promise<T>,
): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    const { file, environment } = portSettings[name];
    const where = `${name} port ${address.port} on ${address.host}`;
    const change = `stop the program that uses it, or change ${file} in the site file or ${environment} in the environment`;
    if (code === 'EADDRINUSE') throw new StartError(`${where} is taken: ${change}`);
    if (code === 'EACCES') throw new StartError(`${where} may not be opened by this user: ${change}`);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new StartError(
        `${where}: this machine has no such address: change ${name}.host in the site file or SWF_HOST in the environment`,
      );
    }
    throw error;
  }
}

async function startHl7(
  department: Department,
  { hl7: tls }: SiteFiles,
): Promise<{ port: number; stop(): Promise<void> }> {
  const { config, log } = department;
  const { connections, messageBytes, idle } = config.limits.hl7;
  return startMllpServer({
    host: config.hl7.host,
    port: config.hl7.port,
    limits: { connections, messageBytes, idleMs: idle },
    handle: (message) => receiveHl7(department, inboundHl7Transactions, message),
    onEvent: (event) => log.warn({ remote: event.remoteAddress, outcome: event.kind }, 'hl7 connection'),
    ...(tls ? { tls } : {}),
  });
}

// What every association goes through; all else is worth a line in the log.
const ordinary: ReadonlySet<string> = new Set(['accepted', 'released', 'closed']);

async function startDicom(
  department: Department,
  { dicom: tls }: SiteFiles,
): Promise<{ port: number; stop(): Promise<void> }> {
  const { config, log } = department;
  const { associations, pduBytes, messageBytes, idle, artim } = config.limits.dicom;
  return startDicomServer({
    host: config.dicom.host,
    port: config.dicom.port,
    calledAeTitles: [config.dicom.aeTitle, ...config.worklists.map((worklist) => worklist.aeTitle)],
    callingAeTitles: config.dicom.callingAeTitles,
    limits: { associations, pduBytes, messageBytes, idleMs: idle, artimMs: artim },
    handlers: {
      find: (identifier, context) => findWorklist(department, identifier, context),
      nCreate: (request, { callingAeTitle }) => {
        const create = { ...request, callingAeTitle };
        if (request.sopClassUid === IAN_SOP_CLASS) return availabilityNotified(department, create);
        if (request.sopClassUid === MPPS_SOP_CLASS) return mppsCreate(department, create);
        return Promise.resolve({ status: 0x0118, comment: 'no such SOP class' });
      },
      nSet: (request, { callingAeTitle }) => mppsSet(department, { ...request, callingAeTitle }),
      nGet: (asked, { callingAeTitle }) => mppsGet(department, asked, callingAeTitle),
    },
    onEvent: (event) => {
      const fields = {
        remote: event.remoteAddress,
        peer: event.callingAeTitle,
        outcome: event.kind,
        error: event.text,
      };
      if (ordinary.has(event.kind)) log.debug(fields, 'dicom connection');
      else log.warn(fields, 'dicom connection');
    },
    ...(tls ? { tls } : {}),
  });
}

async function startHttp(
  department: Department,
  url: string,
  ports: () => Record<string, number>,
): Promise<{ port: number; stop(): Promise<void> }> {
  const { config, store, log } = department;
  const readiness = async () => [
    await check('database', () => store.ping()),
    await check('migrations', async () => {
      const pending = await pendingMigrations(url);
      if (pending.length > 0) throw new SwfError('internal', `pending: ${pending.join(', ')}`);
    }),
  ];
  const app = createApp({ department, readiness, ports, token: config.apiToken, version });
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.http.port, config.http.host, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', (error) => log.warn(describeError(error), 'http listener'));
  const address = server.address();
  return { port: typeof address === 'object' && address ? address.port : 0, stop: () => closeHttp(server) };
}

async function check(name: string, ask: () => Promise<void>): Promise<{ name: string; ok: boolean; detail?: string }> {
  try {
    await ask();
    return { name, ok: true };
  } catch (error) {
    return { name, ok: false, detail: error instanceof SwfError ? error.message : describeError(error).error };
  }
}

async function closeHttp(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 2_000).unref();
  });
}

/** Builds everything, opens the three ports and starts the lanes. Throws StartError with what to do about it. */
export async function startServer(config: Config, deps: ServerDeps): Promise<RunningServer> {
  const { log, clock = systemClock, ids = randomIds(config.organisation.uidRoot) } = deps;
  // What is wrong in the files that the site names is told before anything listens.
  const files = readSiteFiles(config);
  const started = startedThings(log);
  try {
    const { url, lost } = await openDatabase(config, log, started);
    for (const name of (await migrate(url)).applied) log.info({ outcome: name }, 'migration applied');
    const store = openStore(url, log);
    started.add(() => store.close());
    const background = createBackground(log);
    const department: Department = { store, config, clock, ids, log, background };
    const lanes = startLanes(department, url, files.peers);
    started.add(() => lanes.stop());
    started.add(() => background.settled());
    const ports = { hl7: 0, dicom: 0, http: 0 };
    const open = async (
      name: keyof typeof ports,
      start: () => Promise<{ port: number; stop(): Promise<void> }>,
    ): Promise<void> => {
      const listener = await listening(name, config[name], start);
      ports[name] = listener.port;
      started.add(() => listener.stop());
    };
    await open('http', () => startHttp(department, url, () => ports));
    await open('dicom', () => startDicom(department, files));
    await open('hl7', () => startHl7(department, files));
    return { ports, databaseLost: lost, stop: () => started.stop() };
  } catch (error) {
    await started.stop();
    throw error;
  }
}
