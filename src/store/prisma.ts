import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { SwfError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { describeError } from '../platform/errors.ts';
import { Prisma, PrismaClient } from './generated/client.ts';

/** A database transaction: the first parameter of everything that writes. */
export type Tx = Prisma.TransactionClient;

/** The database, open. */
export interface Store {
  /** For reading outside a transaction. */
  readonly prisma: PrismaClient;
  /**
   * One unit: everything in it is on disk when the promise resolves, or nothing is.
   * Serialisation failures and deadlocks repeat it; SwfErrors thrown inside roll back and pass through.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Answers when the database does; rejects with 'database-unavailable'. */
  ping(): Promise<void>;
  /** Called after a commit that left messages for these destinations, or by which a person wants them to go on. */
  onDeliveries(listener: DeliveryListener): void;
  notifyDeliveries: DeliveryListener;
  /** Called after a commit that made timers, with the instant at which the first of them is due. */
  onTimers(listener: (dueAt: Date) => void): void;
  notifyTimers(dueAt: readonly Date[]): void;
  close(): Promise<void>;
}

/** `wake`: there is something to send; `hurry`: at once, also where a lane waits before it tries again. */
type DeliveryListener = (destinations: readonly string[], how: 'wake' | 'hurry') => void;

// A unit repeats after a deadlock or serialisation failure; more often than this means something is wrong.
const ATTEMPTS = 5;
const MAX_CONNECTIONS = 10;
// Each distinct statement text is prepared once per connection; IN lists of many lengths must not grow without end.
const MAX_STATEMENT_NAMES = 300;

function isPrismaCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && codes.includes(error.code);
}

interface DriverFailure {
  /** The driver's own name for what happened. */
  readonly kind?: unknown;
  /** SQLSTATE */
  readonly originalCode?: unknown;
}

/** What the driver said, which Prisma wraps differently for raw and for built queries. */
function driverFailureOf(error: unknown): DriverFailure {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return {};
  const meta = error.meta as { driverAdapterError?: { cause?: DriverFailure } } | undefined;
  return meta?.driverAdapterError?.cause ?? {};
}

const driverKindOf = (error: unknown): string => String(driverFailureOf(error).kind);

/** A write conflict, serialisation failure or deadlock, in a built or a raw query. */
function isConflict(error: unknown): boolean {
  // A key that somebody else took in the same instant is looked up anew as well.
  return (
    ['P2034', 'P2002'].some((code) => isPrismaCode(error, code)) || driverKindOf(error) === 'TransactionWriteConflict'
  );
}

const connectionTrouble = new Set(['P1001', 'P1002', 'P1008', 'P1011', 'P1017', 'P2024', 'P2028', 'P2037']);

const unreachable = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TlsConnectionError',
  'TooManyConnections',
]);

// SQLSTATE: connection exception, insufficient resources, operator intervention; the database takes no connections.
const noDatabase = /^(08|53|57P|55000)/;

// The driver gives no code where it finds the connection gone, or none free in time.
const noConnection = /^(Client (has encountered a connection error|was closed)|Connection terminated|timeout exceeded)/;

function databaseUnavailable(): SwfError {
  return new SwfError('database-unavailable', 'the database cannot be reached; send it again later');
}

/** Driver errors in our own words: what nobody outside the store needs to know stays here. */
export function storeError(error: unknown): unknown {
  if (error instanceof SwfError) return error;
  if (isConflict(error)) return new SwfError('conflict', 'the same records are being changed by others; send it again');
  if (unreachable.has(driverKindOf(error))) return databaseUnavailable();
  if (noDatabase.test(String(driverFailureOf(error).originalCode))) return databaseUnavailable();
  if (error instanceof Error && noConnection.test(error.message)) return databaseUnavailable();
  const code = (error as { code?: unknown } | null)?.code;
  const driver = typeof code === 'string' ? code : '';
  if (connectionTrouble.has(driver) || noDatabase.test(driver) || /^E[A-Z]+$/.test(driver)) {
    return databaseUnavailable();
  }
  return error;
}

/**
 * A comment for a query whose best plan depends on its values (name prefixes, dates, stations): without a name it is
 * planned anew each time, where PostgreSQL would go over to one plan for all values after a few times.
 */
export const PLANNED_EACH_TIME = '/* planned each time */';

function statementNames(): (query: { sql: string }) => string | undefined {
  const names = new Map<string, string>();
  return ({ sql }) => {
    if (sql.includes(PLANNED_EACH_TIME)) return undefined;
    const known = names.get(sql);
    if (known !== undefined) return known;
    if (names.size >= MAX_STATEMENT_NAMES) return undefined;
    const name = `s${names.size}`;
    names.set(sql, name);
    return name;
  };
}

/** Opens a pool of connections to a migrated database. */
export function openStore(url: string, log: Log): Store {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  });
  // Without a listener a database restart would end the process.
  pool.on('error', (error) => log.warn(describeError(error), 'an idle database connection broke'));
  // Between the pool's care and the adapter's a connection has nobody who hears that it broke; whoever uses it next does.
  pool.on('connect', (client) => client.on('error', () => {}));
  const adapter = new PrismaPg(pool, { statementNameGenerator: statementNames() } as ConstructorParameters<
    typeof PrismaPg
  >[1]);
  const prisma = new PrismaClient({ adapter, transactionOptions: { maxWait: 5_000, timeout: 15_000 } });
  const listeners = new Set<DeliveryListener>();
  const timerListeners = new Set<(dueAt: Date) => void>();
  return {
    prisma,
    transaction: (work) => runTransaction(prisma, work),
    ping: async () => {
      await prisma.$queryRaw`SELECT 1`.catch((error: unknown) => {
        throw storeError(error);
      });
    },
    onDeliveries: (listener) => void listeners.add(listener),
    notifyDeliveries: (destinations, how) => {
      if (destinations.length > 0) for (const listener of listeners) listener(destinations, how);
    },
    onTimers: (listener) => void timerListeners.add(listener),
    notifyTimers: (dueAt) => {
      const [first] = [...dueAt].sort((one, other) => one.getTime() - other.getTime());
      if (first) for (const listener of timerListeners) listener(first);
    },
    close: async () => {
      await prisma.$disconnect();
      await pool.end().catch(() => {});
    },
  };
}

/** Something was moved between a look and its lock: the whole unit is to be done again, from what stands now. */
export function changedMeanwhile(): Error {
  return new Prisma.PrismaClientKnownRequestError('changed meanwhile', { code: 'P2034', clientVersion: '' });
}

async function runTransaction<T>(prisma: PrismaClient, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await prisma.$transaction(work);
    } catch (error) {
      if (attempt < ATTEMPTS && isConflict(error)) continue;
      throw storeError(error);
    }
  }
}

/** A plain value as a JSON column takes it. */
export function json(value: object): Prisma.InputJsonValue {
  return value;
}

/** `YYYY-MM-DD` as a DATE column takes it. */
export function dateColumn(date: string): Date {
  return new Date(`${date}T00:00:00Z`);
}

/** `HH:MM:SS` as a TIME column takes it. */
export function timeColumn(time: string): Date {
  return new Date(`1970-01-01T${time}Z`);
}

export function dateOf(column: Date): string {
  return column.toISOString().slice(0, 10);
}

export function timeOf(column: Date): string {
  return column.toISOString().slice(11, 19);
}
