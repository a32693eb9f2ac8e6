import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { silentLog } from '../../src/platform/log.ts';
import { type Store, type Tx, openStore } from '../../src/store/prisma.ts';
import { type TestDatabase, freshDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
let store: Store;
let administrator: pg.Client;
beforeAll(async () => {
  database = await freshDatabase();
  store = openStore(database.url, silentLog);
  administrator = new pg.Client({ connectionString: inject('databaseUrl') });
  await administrator.connect();
});
afterAll(async () => {
  await administrator.end();
  await store.close();
  await database.drop();
});

const at = new Date('2026-01-05T08:00:00Z');
const newPatient = (tx: Tx) =>
  tx.patient.create({ data: { name: {}, nameKey: '', demographics: {}, createdAt: at }, select: { id: true } });

const lock = (tx: Tx, id: number) => tx.$queryRaw`SELECT id FROM "Patient" WHERE id = ${id}::int FOR UPDATE`;
const touch = (tx: Tx, id: number) => tx.patient.update({ where: { id }, data: { nameKey: 'touched' } });

/** Both sides are somewhere before either of them goes on; later passes do not wait. */
function meetingOfTwo(): () => Promise<void> {
  let missing = 2;
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return () => {
    missing -= 1;
    if (missing <= 0) open();
    return opened;
  };
}

describe('one unit (design: a deadlock or serialisation failure repeats the whole unit)', () => {
  it.each([
    ['raw', lock],
    ['built', touch],
  ])(
    'given two units that lock two rows in opposite order by %s statements, then one is repeated and both succeed',
    async (_kind, take) => {
      const [a, b] = await store.transaction(
        async (tx) => [(await newPatient(tx)).id, (await newPatient(tx)).id] as const,
      );
      const met = meetingOfTwo();
      let passes = 0;
      const unit = (first: number, second: number): Promise<string> =>
        store.transaction(async (tx) => {
          passes += 1;
          await take(tx, first);
          await met();
          await take(tx, second);
          return 'done';
        });
      expect(await Promise.all([unit(a, b), unit(b, a)])).toEqual(['done', 'done']);
      expect(passes).toBe(3);
    },
  );

  it('given its connection is cut in the middle, then it is rolled back and fails as database-unavailable, and later ones work', async () => {
    const name = new URL(database.url).pathname.slice(1);
    const cut = store.transaction(async (tx) => {
      await newPatient(tx);
      await administrator.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
      await newPatient(tx);
    });
    await expect(cut).rejects.toMatchObject({ code: 'database-unavailable' });
    // other connections of the pool were cut as well, and are found out one by one
    const { id } = await until('the next unit works', () => store.transaction(newPatient).catch(() => undefined));
    expect(await store.prisma.patient.count({ where: { id } })).toBe(1);
  });

  it('given it throws, then nothing of it is stored', async () => {
    const count = await store.prisma.patient.count();
    const failing = store.transaction(async (tx) => {
      await newPatient(tx);
      throw new Error('changed its mind');
    });
    await expect(failing).rejects.toThrow('changed its mind');
    expect(await store.prisma.patient.count()).toBe(count);
  });
});
