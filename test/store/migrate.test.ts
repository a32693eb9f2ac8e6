import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { advisoryLocks } from '../../src/store/advisory-lock.ts';
import { DatabaseNewerError, migrate, pendingMigrations } from '../../src/store/migrate.ts';
import { emptyDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let migrationsDir: string;

beforeEach(async () => {
  database = await emptyDatabase();
  migrationsDir = await mkdtemp(join(tmpdir(), 'swf-migrations-'));
});

afterEach(async () => {
  await database.drop();
  await rm(migrationsDir, { recursive: true, force: true });
});

async function write(name: string, sql: string): Promise<void> {
  await mkdir(join(migrationsDir, name), { recursive: true });
  await writeFile(join(migrationsDir, name, 'migration.sql'), sql);
}

async function query(sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows.flatMap((row) => Object.values(row));
  } finally {
    await client.end();
  }
}

const names = 'SELECT migration_name FROM _prisma_migrations ORDER BY migration_name';
const apply = (): Promise<{ applied: string[] }> => migrate(database.url, { migrationsDir });

describe('migrations', () => {
  it('given an empty database, when migrated, then all are applied in the order of their names, once', async () => {
    await write('2_fill', `INSERT INTO "Step" VALUES (1); DO $$ BEGIN PERFORM 1; END $$;`);
    await write('1_make', 'CREATE TABLE "Step" (id INT PRIMARY KEY);');
    expect(await apply()).toEqual({ applied: ['1_make', '2_fill'] });
    expect(await apply()).toEqual({ applied: [] });
    expect(await query('SELECT count(*)::int FROM "Step"')).toEqual([1]);
    expect(await query(names)).toEqual(['1_make', '2_fill']);
  });

  it('given pending migrations, when only asked, then they are named and nothing is written', async () => {
    await write('1_make', 'CREATE TABLE "Step" (id INT);');
    expect(await pendingMigrations(database.url, { migrationsDir })).toEqual(['1_make']);
    expect(await migrate(database.url, { migrationsDir, dryRun: true })).toEqual({ applied: ['1_make'] });
    expect(await query('SELECT count(*)::int FROM pg_tables WHERE schemaname = current_schema()')).toEqual([0]);
  });

  it('given an applied migration, when its file was edited, then it is refused by name', async () => {
    await write('1_make', 'CREATE TABLE "Step" (id INT);');
    await apply();
    await write('1_make', 'CREATE TABLE "Step" (id BIGINT);');
    await expect(apply()).rejects.toThrow('the migration 1_make was changed after it was applied');
  });

  it('given a database that a newer program migrated, then it is refused as newer (exit status 3) and left alone', async () => {
    await write('1_make', 'CREATE TABLE "Step" (id INT);');
    await write('2_more', 'CREATE TABLE "More" (id INT);');
    await apply();
    await rm(join(migrationsDir, '2_more'), { recursive: true });
    await write('3_other', 'CREATE TABLE "Other" (id INT);');
    const refusal: unknown = await apply().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DatabaseNewerError);
    expect((refusal as DatabaseNewerError).unknown).toEqual(['2_more']);
    expect(await query(names)).toEqual(['1_make', '2_more']);
  });

  it('given a migration that fails half way, then nothing of it is applied, and the error has its place but no value', async () => {
    await write('1_make', 'CREATE TABLE "Step" (id INT);');
    await write('2_bad', `CREATE TABLE "More" (id INT);\nINSERT INTO "More"\nSELECT 'Mustermann'::int;`);
    const refusal = await apply().then(() => '', String);
    expect(refusal).toContain('the migration 2_bad failed at line 3 (SQLSTATE 22P02); nothing of it was applied');
    expect(refusal).not.toContain('Mustermann');
    expect(await query(names)).toEqual(['1_make']);
    await write('2_bad', 'CREATE TABLE "More" (id INT);');
    expect(await apply()).toEqual({ applied: ['2_bad'] });
  });

  it('given a migration that another tool left half applied, then it is refused and says how to mend it', async () => {
    await write('1_make', 'CREATE TABLE "Step" (id INT);');
    await apply();
    await query('UPDATE _prisma_migrations SET finished_at = NULL');
    await expect(apply()).rejects.toThrow('prisma migrate resolve');
    await query('UPDATE _prisma_migrations SET rolled_back_at = now()');
    await query('DROP TABLE "Step"');
    expect(await apply()).toEqual({ applied: ['1_make'] });
  });

  it('given two processes at once, then each migration is applied by exactly one of them', async () => {
    await write('1_make', 'CREATE TABLE "Step" (id INT); SELECT pg_sleep(0.2);');
    await write('2_more', 'CREATE TABLE "More" (id INT);');
    const all = await Promise.all([apply(), apply(), apply()]);
    expect(all.flatMap(({ applied }) => applied).sort()).toEqual(['1_make', '2_more']);
    expect(await query(names)).toEqual(['1_make', '2_more']);
  });

  it('given the lock under which Prisma migrates is held, then we wait for it', async () => {
    await write('1_make', 'CREATE TABLE "Step" (id INT);');
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('SELECT pg_advisory_lock($1)', [advisoryLocks.migration]);
    const migrating = apply();
    const waiting = `SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`;
    await expect.poll(() => query(waiting)).toEqual([1]);
    expect(await query(`SELECT to_regclass('"Step"')`)).toEqual([null]);
    await other.end();
    expect(await migrating).toEqual({ applied: ['1_make'] });
  });

  it('given a server that does not answer, then the error names the place and the setting, never a password', async () => {
    const refusal = await migrate('postgresql://swf:secret@127.0.0.1:1/swf', { migrationsDir }).then(() => '', String);
    expect(refusal).toContain('127.0.0.1:1/swf (ECONNREFUSED); see DATABASE_URL');
    expect(refusal).not.toContain('secret');
  });
});
