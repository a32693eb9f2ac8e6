import type pg from 'pg';

/** Every advisory lock of the program: two with one number would wait for each other. */
export const advisoryLocks = {
  /** Prisma's own engine takes it as well while it migrates. */
  migration: 72707369,
  /** The one process that serves an embedded database. */
  site: 72707370,
  /** The one process that sends. */
  lanes: 72707371,
  /** Whoever gives a number of the department's list to a patient. */
  temporaryNumbers: 72707372,
} as const;

/** Takes a lock for the session of this connection, without waiting; false when another session holds it. */
export async function tryLock(client: pg.Client, lock: keyof typeof advisoryLocks): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
    advisoryLocks[lock],
  ]);
  return rows[0]?.taken === true;
}
