import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { createLog } from '../../src/platform/log.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A database from which others can be created on the same server. */
    databaseUrl: string;
    /** Name of the migrated database that tests clone. */
    templateDatabase: string;
  }
}

const template = `swf_template_${process.pid}`;

async function onServer(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

async function makeTemplate(url: string): Promise<void> {
  await onServer(url, `CREATE DATABASE ${template}`);
  const own = new URL(url);
  own.pathname = `/${template}`;
  await migrate(own.toString());
  // nobody may be connected to a database while it is cloned
  await onServer(url, `ALTER DATABASE ${template} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`);
}

/** An own cluster without fsync, or the server of TEST_DATABASE_URL. */
async function startServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const external = process.env.TEST_DATABASE_URL;
  if (external) {
    const drop = [`ALTER DATABASE ${template} WITH IS_TEMPLATE false`, `DROP DATABASE ${template}`];
    return { url: external, stop: () => onServer(external, ...drop) };
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'swf-test-'));
  const remove = (): Promise<void> => rm(dataDir, { recursive: true, force: true });
  try {
    const binDir = process.env.PG_BIN || undefined;
    const server = await startEmbeddedPostgres({ dataDir, log: createLog('warn'), durable: false, binDir });
    return { url: server.url, stop: () => server.stop().finally(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** One server for the whole run; each test file clones its databases from a migrated template. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer();
  try {
    await makeTemplate(server.url);
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide('databaseUrl', server.url);
  project.provide('templateDatabase', template);
  return () => server.stop();
}
