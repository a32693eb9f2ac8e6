import { namedInstances } from './performed-steps.ts';
import type { Store, Tx } from './prisma.ts';

/** When the images of a procedure are asked for; made and removed by the unit that makes them due or available. */
export async function startAsking(
  tx: Tx,
  procedureId: number,
  due: { readonly since: Date; readonly nextAt: Date },
): Promise<void> {
  const asking = { ...due, attempts: 0 };
  await tx.availabilityQuery.upsert({ where: { procedureId }, create: { procedureId, ...asking }, update: asking });
}

/** False where nobody asks. */
export async function stopAsking(tx: Tx, procedureId: number): Promise<boolean> {
  return (await tx.availabilityQuery.deleteMany({ where: { procedureId } })).count > 0;
}

/** A procedure whose images are to be asked for now. */
export interface DueQuery {
  readonly procedureId: number;
  readonly requestedProcedureId: string;
  readonly attempts: number;
}

/** The procedure that has been due for the longest time; undefined when none is due yet. */
export async function nextDueQuery(store: Store, now: Date): Promise<DueQuery | undefined> {
  const row = await store.prisma.availabilityQuery.findFirst({
    where: { nextAt: { lte: now } },
    orderBy: [{ nextAt: 'asc' }, { procedureId: 'asc' }],
    select: { procedureId: true, attempts: true, procedure: { select: { requestedProcedureId: true } } },
  });
  if (!row) return undefined;
  const { procedure, ...due } = row;
  return { ...due, requestedProcedureId: procedure.requestedProcedureId };
}

/** Says when a procedure is asked for again; nothing when it is not asked for any more. */
export async function askAgain(
  store: Store,
  procedureId: number,
  again: { readonly attempts: number; readonly nextAt: Date },
): Promise<void> {
  await store.prisma.availabilityQuery.updateMany({ where: { procedureId }, data: again });
}

/** Procedures whose images were due before an instant. */
export async function overdueProcedures(store: Store, before: Date): Promise<number[]> {
  const where = { since: { lte: before } };
  const rows = await store.prisma.availabilityQuery.findMany({ where, select: { procedureId: true }, take: 100 });
  return rows.map(({ procedureId }) => procedureId);
}

/** Where an instance is to be found. */
export interface SeriesKey {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
}

/**
 * The series of a procedure's final MPPS in which instances are not known to be ONLINE or NEARLINE. An MPPS does not say
 * which of its studies a series is in (group case): each of them is named with it.
 */
export async function seriesToAskFor(store: Store, procedureId: number): Promise<SeriesKey[]> {
  return store.prisma.$queryRaw<SeriesKey[]>`
    SELECT DISTINCT study AS "studyInstanceUid", i."seriesInstanceUid"
    FROM ${namedInstances}
    CROSS JOIN unnest(p."studyInstanceUids") AS study
    LEFT JOIN "InstanceAvailability" a ON a."sopInstanceUid" = i."sopInstanceUid"
      AND a."instanceAvailability" IN ('ONLINE', 'NEARLINE')
    WHERE s."procedureId" = ${procedureId} AND a."sopInstanceUid" IS NULL
    ORDER BY 1, 2`;
}

/** What is known of instances, by SOP Instance UID. */
export async function knownAvailability(tx: Tx, sopInstanceUids: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx.$queryRaw<{ sopInstanceUid: string; instanceAvailability: string }[]>`
    SELECT "sopInstanceUid", "instanceAvailability" FROM "InstanceAvailability"
    WHERE "sopInstanceUid" = ANY(${[...sopInstanceUids]}::text[])`;
  return new Map(rows.map((row) => [row.sopInstanceUid, row.instanceAvailability]));
}
