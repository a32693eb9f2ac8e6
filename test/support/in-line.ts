import pg from 'pg';
import type { TestServer } from './server.ts';
import { until } from './until.ts';

/**
 * Has requests queue up for the row of a patient, each behind the one before, and lets them go in that order: each has
 * looked before the first one changes anything. Nothing else may be under way.
 */
export async function inLine<T extends readonly unknown[]>(
  { database }: Pick<TestServer, 'database'>,
  patientId: number,
  ...requests: { readonly [index in keyof T]: () => Promise<T[index]> }
): Promise<T> {
  const holder = new pg.Client({ connectionString: database.url });
  await holder.connect();
  const sql = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  const waiting = async (): Promise<number> => {
    // Within a transaction the list of connections stays as it was first seen.
    await holder.query('SELECT pg_stat_clear_snapshot()');
    return (await holder.query<{ n: number }>(sql)).rows[0]?.n ?? 0;
  };
  try {
    await holder.query('BEGIN');
    await holder.query('SELECT id FROM "Patient" WHERE id = $1 FOR UPDATE', [patientId]);
    const answers: Promise<unknown>[] = [];
    for (const request of requests as readonly (() => Promise<unknown>)[]) {
      answers.push(request());
      const count = answers.length;
      await until(`request ${count} waits for the patient`, async () => (await waiting()) >= count);
    }
    await holder.query('COMMIT');
    return (await Promise.all(answers)) as unknown as T;
  } finally {
    await holder.end();
  }
}
