import pg from 'pg';
import { tryLock } from './advisory-lock.ts';

/** Held by the one process that serves an embedded database. */
export interface SiteLock {
  release(): Promise<void>;
}

/**
 * Takes the lock of the process that serves this database; undefined when another one holds it.
 * It is a session's advisory lock on a connection of its own: it ends with the process, however that ends.
 */
export async function takeSiteLock(url: string): Promise<SiteLock | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, keepAlive: true });
  // a lost connection shows at every other connection too
  client.on('error', () => {});
  await client.connect();
  const release = (): Promise<void> => client.end().catch(() => {});
  try {
    if (await tryLock(client, 'site')) return { release };
  } catch (error) {
    await release();
    throw error;
  }
  await release();
  return undefined;
}
