import { createHash, randomUUID } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { advisoryLocks } from './advisory-lock.ts';
import { SwfError } from '../platform/errors.ts';

const DEFAULT_DIR = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));
const LOCK_TIMEOUT = '60s';

// Prisma's own table, so that its commands know the state of a database that we migrated.
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL,
  "checksum" VARCHAR(64) NOT NULL,
  "finished_at" TIMESTAMPTZ,
  "migration_name" VARCHAR(255) NOT NULL,
  "logs" TEXT,
  "rolled_back_at" TIMESTAMPTZ,
  "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
  "applied_steps_count" INTEGER NOT NULL DEFAULT 0
)`;

/** The database has migrations that this program does not know: it was last used by a newer one (exit status 3). */
export class DatabaseNewerError extends SwfError {
  /** Names of the unknown migrations. */
  readonly unknown: readonly string[];

  constructor(unknown: readonly string[]) {
    super(
      'internal',
      `the database is newer than this program: it has the migrations ${unknown.join(', ')}; start the newer program, or restore an older database`,
    );
    this.name = 'DatabaseNewerError';
    this.unknown = unknown;
  }
}

export interface MigrateOptions {
  /** Folder of `<name>/migration.sql`; default: the program's own. */
  readonly migrationsDir?: string;
  /** Only tell what would be applied. */
  readonly dryRun?: boolean;
}

interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, hexadecimal, as Prisma records it. */
  readonly checksum: string;
}

interface Row {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished: boolean;
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function readRows(client: pg.Client): Promise<Row[]> {
  const { rows: found } = await client.query<{ found: boolean }>(
    `SELECT to_regclass('"_prisma_migrations"') IS NOT NULL AS found`,
  );
  if (!found[0]?.found) return [];
  const { rows } = await client.query<Row>(
    `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished
     FROM "_prisma_migrations" WHERE rolled_back_at IS NULL ORDER BY started_at`,
  );
  return rows;
}

function unapplied(migrations: readonly Migration[], rows: readonly Row[]): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  const unknown = rows.map((row) => row.migration_name).filter((name) => !known.has(name));
  if (unknown.length > 0) throw new DatabaseNewerError(unknown);
  for (const row of rows) refuseUnlessWhole(row, known.get(row.migration_name)?.checksum);
  const applied = new Set(rows.map((row) => row.migration_name));
  return migrations.filter((migration) => !applied.has(migration.name));
}

function refuseUnlessWhole({ migration_name: name, checksum, finished }: Row, expected: string | undefined): void {
  if (!finished) {
    throw new SwfError(
      'internal',
      `the migration ${name} failed half way in this database; mend it and record that with "npx prisma migrate resolve"`,
    );
  }
  if (checksum === expected) return;
  throw new SwfError(
    'internal',
    `the migration ${name} was changed after it was applied to this database; restore prisma/migrations/${name}/migration.sql and put the change into a new migration`,
  );
}

/** Where and why a migration failed; PostgreSQL's own sentence only where it cannot quote a value (class 42). */
function migrationFailure({ name, sql }: Migration, thrown: unknown): SwfError {
  const { code = 'unknown', message, position } = thrown as { code?: string; message: string; position?: string };
  const line = position === undefined ? '' : ` at line ${sql.slice(0, Number(position)).split('\n').length}`;
  const reason = code.startsWith('42') ? `: ${message}` : '';
  return new SwfError(
    'internal',
    `the migration ${name} failed${line} (SQLSTATE ${code})${reason}; nothing of it was applied`,
  );
}

/** The migration and the row that records it are one transaction: there is no half-applied migration. */
async function apply(client: pg.Client, migration: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(migration.sql);
    await client.query(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), migration.checksum, migration.name],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw migrationFailure(migration, error);
  }
}

async function takeLock(client: pg.Client): Promise<void> {
  await client.query(`SET lock_timeout = '${LOCK_TIMEOUT}'`);
  await client.query('SELECT pg_advisory_lock($1)', [advisoryLocks.migration]).catch(() => {
    throw new SwfError('database-unavailable', `another process migrates this database for more than ${LOCK_TIMEOUT}`);
  });
}

function placeOf(url: string): string {
  try {
    const { host, pathname, searchParams } = new URL(url);
    return `${searchParams.get('host') ?? host}${pathname}`;
  } catch {
    return 'DATABASE_URL, which is not a URL';
  }
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    const code = (error as { code?: string }).code ?? 'no answer';
    throw new SwfError(
      'database-unavailable',
      `no connection to the database at ${placeOf(url)} (${code}); see DATABASE_URL`,
    );
  }
  // the lock is the session's and ends with it
  return use(client).finally(() => client.end());
}

/**
 * Applies the checked-in migrations that a database has not got, in the order of their names.
 * @throws DatabaseNewerError, SwfError (a migration was edited, failed, or the database does not answer)
 */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<{ applied: string[] }> {
  const migrations = await readMigrations(options.migrationsDir ?? DEFAULT_DIR);
  return withClient(url, async (client) => {
    const pending = unapplied(migrations, await readRows(client));
    if (options.dryRun || pending.length === 0) return { applied: pending.map(({ name }) => name) };
    await takeLock(client);
    await client.query('SET client_min_messages = warning');
    await client.query(CREATE_TABLE);
    // another process may have applied some while we waited
    const left = unapplied(migrations, await readRows(client));
    for (const migration of left) await apply(client, migration);
    return { applied: left.map(({ name }) => name) };
  });
}

/** The names of the migrations that {@link migrate} would apply; changes nothing. */
export async function pendingMigrations(url: string, options: Omit<MigrateOptions, 'dryRun'> = {}): Promise<string[]> {
  return (await migrate(url, { ...options, dryRun: true })).applied;
}
