import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/platform/log.ts';
import { type Store, openStore } from '../../src/store/prisma.ts';
import { Prisma } from '../../src/store/generated/client.ts';
import { type WorklistConditions, worklistRows } from '../../src/store/worklist.ts';
import { type TestDatabase, freshDatabase } from '../support/database.ts';

let database: TestDatabase;
let store: Store;
const PATIENTS = 2_000;

/** Every tenth name has three groups, with the given name's number in each. */
const nameKey = (n: number): string => (n % 10 === 0 ? `山${n}^花=山${n}^花=yama${n}^hana` : `family${n}^given`);

beforeAll(async () => {
  database = await freshDatabase();
  store = openStore(database.url, silentLog);
  const all = Prisma.sql`generate_series(1, ${PATIENTS}::int) AS n`;
  const key = Prisma.sql`CASE WHEN n % 10 = 0 THEN format('山%s^花=山%s^花=yama%s^hana', n, n, n) ELSE format('family%s^given', n) END`;
  const run = (statement: Prisma.Sql) => store.prisma.$executeRaw(statement);
  await run(
    Prisma.sql`INSERT INTO "Patient" (id, name, "nameKey", demographics, "createdAt") SELECT n, '{}', ${key}, '{}', now() FROM ${all}`,
  );
  await run(
    Prisma.sql`INSERT INTO "Order" (id, "patientId", "fillerOrderNumber", "accessionNumber", "orderStatus", details, "patientDifferences", "sendingApplication", "sendingFacility", "createdAt") SELECT n, n, 'F' || n, 'A' || n, 'SC', '{}', '{}', 'E', 'H', now() FROM ${all}`,
  );
  await run(
    Prisma.sql`INSERT INTO "RequestedProcedure" (id, "requestedProcedureId", "orderId", "studyInstanceUid", code, state, availability, machine, "machineVersion", "createdAt", "updatedAt") SELECT n, 'RP' || n, n, '2.25.' || n, '{}', 'scheduled', 'unknown', '{}', 1, now(), now() FROM ${all}`,
  );
  await run(
    Prisma.sql`INSERT INTO "ScheduledProcedureStep" (id, "procedureId", "scheduledProcedureStepId", "stepStatus", modality, "scheduledStationAeTitles", "startDate", "startTime", minutes, details) SELECT n, n, 'S' || n, 'SCHEDULED', 'CT', '{CT1}', '2026-01-01', '08:00', 20, '{}' FROM ${all}`,
  );
  await run(Prisma.sql`ANALYZE`);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

async function found(conditions: WorklistConditions, through: Store = store): Promise<number[]> {
  const ids: number[] = [];
  for await (const rows of worklistRows(through, { conditions: [conditions] }))
    ids.push(...rows.map((row) => row.stepId));
  return ids.sort((a, b) => a - b);
}

describe('the worklist by the beginning of a name', () => {
  it.each([
    ['family12', true],
    ['yama12', true],
    ['yama12', false],
    ['山12', true],
    ['山12', false],
    ['fam%', true],
    ['nobody', true],
  ])('given %s, any group: %s, then exactly those names are found', async (prefix, inAnyGroup) => {
    const numbers = Array.from({ length: PATIENTS }, (_, index) => index + 1);
    const begins = (n: number): boolean => {
      const groups = nameKey(n).split('=');
      return (inAnyGroup ? groups : groups.slice(0, 1)).some((group) => group.startsWith(prefix));
    };
    expect(await found({ patientName: { prefix, inAnyGroup } })).toEqual(numbers.filter(begins));
  });

  it('given a key without `=`, then every group is found by an index, and nobody is read who does not begin so', async () => {
    let plan = '';
    const explained = async (sql: Prisma.Sql): Promise<unknown[]> => {
      const lines = await store.prisma.$queryRaw<Record<string, string>[]>(Prisma.sql`EXPLAIN ${sql}`);
      plan = lines.map((line) => line['QUERY PLAN']).join('\n');
      return [];
    };
    const through = { prisma: { $queryRaw: explained } } as unknown as Store;
    await found({ patientName: { prefix: 'yama1230', inAnyGroup: true } }, through);
    for (const index of ['Patient_nameKey_idx', 'Patient_nameKey_ideographic_idx', 'Patient_nameKey_phonetic_idx'])
      expect(plan).toContain(`Bitmap Index Scan on "${index}"`);
    expect(plan).not.toContain('Seq Scan on "Patient"');
  });

  it('given many queries, then PostgreSQL plans each for its own values', async () => {
    for (let n = 0; n < 8; n++) await found({ patientName: { prefix: `family${n}`, inAnyGroup: true } });
    const named = Prisma.sql`SELECT count(*)::int AS count FROM pg_prepared_statements WHERE statement LIKE '%split_' || 'part%'`;
    expect(await store.prisma.$queryRaw(named)).toMatchObject([{ count: 0 }]);
  });
});

describe('an answer of several pages', () => {
  it('has every step once in the order of its start, also one that is moved meanwhile, and none that is taken off meanwhile', async () => {
    const change = (sql: Prisma.Sql) =>
      store.prisma.$executeRaw(Prisma.sql`UPDATE "ScheduledProcedureStep" SET ${sql}`);
    await change(Prisma.sql`"startTime" = '07:00' WHERE id = 1900`);
    const pages: number[][] = [];
    for await (const rows of worklistRows(store, { conditions: [], statuses: ['SCHEDULED'] })) {
      if (pages.length === 1) await change(Prisma.sql`"startDate" = '2026-02-01' WHERE id IN (7, 1700)`);
      if (pages.length === 1) await change(Prisma.sql`"stepStatus" = 'CANCELLED' WHERE id = 1800`);
      pages.push(rows.map(({ stepId }) => stepId));
    }
    const inOrder = Array.from({ length: PATIENTS }, (_, index) => index + 1).filter(
      (id) => id !== 1800 && id !== 1900,
    );
    expect(pages.map((page) => page.length)).toEqual([500, 500, 500, 499]);
    expect(pages.flat().filter((id) => id !== 1700)).toEqual([1900, ...inOrder.filter((id) => id !== 1700)]);
    expect(pages.flat().filter((id) => id === 1700)).toHaveLength(1);
  });
});
