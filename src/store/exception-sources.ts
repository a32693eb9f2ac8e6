import type { ExceptionKind } from '../workflow/exceptions.ts';
import { Prisma } from './generated/client.ts';
import type { Tx } from './prisma.ts';

/** What an exception is about: a row of this table. */
export type ExceptionSubject = 'performedStep' | 'delivery' | 'order' | 'procedure' | 'timer';

/** A case of the list before it is described. */
export interface ExceptionRow {
  /** `performed-12-unscheduled`, `delivery-5513`: the same as long as the case is open. */
  readonly id: string;
  readonly kind: ExceptionKind;
  readonly since: Date;
  readonly subject: ExceptionSubject;
  readonly subjectId: number;
}

/** Where cases come from: a query of the columns of ExceptionRow. A further source is a further row of this table. */
interface ExceptionSource {
  readonly kinds: readonly ExceptionKind[];
  /** That of all its rows. */
  readonly subject: ExceptionSubject;
  readonly rows: Prisma.Sql;
}

const sources: readonly ExceptionSource[] = [
  {
    // What an MPPS says at its end is as old as that; a final MPPS does not change any more.
    kinds: [
      'unscheduled',
      'unknown-patient',
      'number-in-use',
      'patient-differs',
      'no-open-step',
      'already-started',
      'discontinued',
      'wrong-entry',
      'procedure-ended',
      'late-update',
    ],
    subject: 'performedStep',
    rows: Prisma.sql`
      SELECT DISTINCT 'performed-' || p.id || '-' || reason AS id, reason AS kind,
             CASE WHEN reason IN ('discontinued', 'wrong-entry', 'procedure-ended', 'late-update') THEN p."updatedAt" ELSE p."createdAt" END
               AS since,
             'performedStep' AS subject, p.id AS "subjectId"
      FROM "PerformedProcedureStep" p CROSS JOIN unnest(string_to_array(p.exception, ', ')) AS reason
      WHERE p.exception IS NOT NULL`,
  },
  {
    kinds: ['delivery-refused'],
    subject: 'delivery',
    rows: Prisma.sql`
      SELECT 'delivery-' || "messageId" AS id, 'delivery-refused' AS kind, "settledAt" AS since,
             'delivery' AS subject, id AS "subjectId"
      FROM "Delivery" WHERE "deliveryStatus" = 'REFUSED'`,
  },
  {
    kinds: ['order-alarm'],
    subject: 'order',
    rows: Prisma.sql`
      SELECT 'order-' || id || '-alarm' AS id, 'order-alarm' AS kind, COALESCE("alarmedAt", "createdAt") AS since,
             'order' AS subject, id AS "subjectId"
      FROM "Order" WHERE alarm IS NOT NULL`,
  },
  {
    // Of a timer that fired, what it waited for has not come, and nobody has seen to it.
    kinds: ['step-not-started', 'performed-step-not-ended', 'images-overdue', 'number-pending'],
    subject: 'timer',
    rows: Prisma.sql`
      SELECT 'timer-' || id AS id,
             CASE kind WHEN 'stepNotStarted' THEN 'step-not-started'
                       WHEN 'performedStepNotEnded' THEN 'performed-step-not-ended'
                       WHEN 'imagesNotAvailable' THEN 'images-overdue'
                       WHEN 'orderNumberNotAssigned' THEN 'number-pending' END AS kind,
             "firedAt" AS since, 'timer' AS subject, id AS "subjectId"
      FROM "Timer" WHERE "firedAt" IS NOT NULL AND "settledAt" IS NULL`,
  },
  {
    kinds: ['not-in-catalogue'],
    subject: 'procedure',
    rows: Prisma.sql`
      SELECT 'procedure-' || id || '-catalogue' AS id, 'not-in-catalogue' AS kind, "createdAt" AS since,
             'procedure' AS subject, id AS "subjectId"
      FROM "RequestedProcedure" WHERE uncatalogued AND state <> 'cancelled'`,
  },
];

/** A place in the list: newest first, those of one instant by their ids. */
export interface ExceptionPlace {
  readonly since: Date;
  readonly id: string;
}

interface Wanted {
  readonly kind?: ExceptionKind | undefined;
  readonly id?: string | undefined;
  readonly requestedProcedureId?: string | undefined;
  readonly after?: ExceptionPlace | undefined;
  readonly limit: number;
}

const order = Prisma.sql`ORDER BY since DESC, id COLLATE "C" DESC`;

function conditions({ kind, id, after }: Wanted): Prisma.Sql {
  const behind = after
    ? Prisma.sql`(since < ${after.since}::timestamptz
        OR since = ${after.since}::timestamptz AND id COLLATE "C" < ${after.id} COLLATE "C")`
    : Prisma.sql`true`;
  const ofKind = kind === undefined ? Prisma.sql`true` : Prisma.sql`kind = ${kind}`;
  return Prisma.sql`${behind} AND ${ofKind} AND ${id === undefined ? Prisma.sql`true` : Prisma.sql`id = ${id}`}`;
}

function ofProcedure({ subject, rows }: ExceptionSource, { requestedProcedureId }: Wanted): Prisma.Sql {
  if (requestedProcedureId === undefined) return Prisma.sql`true`;
  return Prisma.sql`"subjectId" IN (
    SELECT "subjectId" FROM (${concerned[subject](Prisma.sql`SELECT "subjectId" FROM (${rows}) listed`)}) concerned
    JOIN "RequestedProcedure" r ON r.id = concerned."procedureId" AND r."requestedProcedureId" = ${requestedProcedureId})`;
}

/** Cases that are wanted, newest first. */
export async function exceptionRows(tx: Tx, wanted: Wanted): Promise<ExceptionRow[]> {
  const { kind, limit } = wanted;
  const asked = sources.filter(({ kinds }) => kind === undefined || kinds.includes(kind));
  if (asked.length === 0) return [];
  const each = asked.map(
    (source) =>
      Prisma.sql`(SELECT * FROM (${source.rows}) source
        WHERE ${conditions(wanted)} AND ${ofProcedure(source, wanted)} ${order} LIMIT ${limit})`,
  );
  return tx.$queryRaw<
    ExceptionRow[]
  >`SELECT * FROM (${Prisma.join(each, ' UNION ALL ')}) listed ${order} LIMIT ${limit}`;
}

/** Which procedures each kind of subject concerns, as pairs of database ids; `ids` is a query of one column. */
const concerned: Readonly<Record<ExceptionSubject, (ids: Prisma.Sql) => Prisma.Sql>> = {
  performedStep: (ids) => Prisma.sql`
    SELECT l."performedStepId" AS "subjectId", s."procedureId"
    FROM "PerformedStepLink" l JOIN "ScheduledProcedureStep" s ON s.id = l."stepId"
    WHERE l."performedStepId" IN (${ids})
    UNION
    SELECT "performedStepId", "procedureId" FROM "EvidenceLink" WHERE "performedStepId" IN (${ids})
    UNION
    SELECT p.id, r.id FROM "PerformedProcedureStep" p
    JOIN "RequestedProcedure" r ON r."studyInstanceUid" = ANY(p."studyInstanceUids")
    WHERE p.id IN (${ids})`,
  delivery: (ids) => Prisma.sql`
    SELECT id AS "subjectId", "procedureId" FROM "Delivery"
    WHERE id IN (${ids}) AND "procedureId" IS NOT NULL
    UNION
    SELECT d.id, r.id FROM "Delivery" d JOIN "RequestedProcedure" r ON r."orderId" = d."orderId"
    WHERE d.id IN (${ids}) AND d."procedureId" IS NULL
    UNION
    SELECT d.id, s."procedureId" FROM "Delivery" d
    JOIN "Message" m ON m.id = d."messageId" AND m.protocol = 'DICOM'
    JOIN "PerformedProcedureStep" p ON p."sopInstanceUid" = m."controlId"
    JOIN "PerformedStepLink" l ON l."performedStepId" = p.id
    JOIN "ScheduledProcedureStep" s ON s.id = l."stepId"
    WHERE d.id IN (${ids})`,
  order: (ids) => Prisma.sql`
    SELECT "orderId" AS "subjectId", id AS "procedureId" FROM "RequestedProcedure"
    WHERE "orderId" IN (${ids})`,
  timer: (ids) => Prisma.sql`
    SELECT t.id AS "subjectId", r.id AS "procedureId" FROM "Timer" t
    LEFT JOIN "ScheduledProcedureStep" s ON s.id = t."stepId"
    JOIN "RequestedProcedure" r ON r.id IN (t."procedureId", s."procedureId") OR r."orderId" = t."orderId"
    WHERE t.id IN (${ids})
    UNION
    SELECT t.id, s."procedureId" FROM "Timer" t
    JOIN "PerformedStepLink" l ON l."performedStepId" = t."performedStepId"
    JOIN "ScheduledProcedureStep" s ON s.id = l."stepId"
    WHERE t.id IN (${ids})
    UNION
    SELECT t.id, e."procedureId" FROM "Timer" t JOIN "EvidenceLink" e ON e."performedStepId" = t."performedStepId"
    WHERE t.id IN (${ids})`,
  procedure: (ids) => Prisma.sql`SELECT id AS "subjectId", id AS "procedureId" FROM (${ids}) given (id)`,
};

/** The procedures that cases concern, by what they are about; database ids, ascending. */
export async function proceduresConcerned(
  tx: Tx,
  subject: ExceptionSubject,
  ids: readonly number[],
): Promise<Map<number, number[]>> {
  const found = new Map<number, number[]>();
  if (ids.length === 0) return found;
  const rows = await tx.$queryRaw<{ subjectId: number; procedureId: number }[]>`
    SELECT * FROM (${concerned[subject](Prisma.sql`SELECT unnest(${[...ids]}::int[])`)}) concerned ORDER BY "procedureId"`;
  for (const { subjectId, procedureId } of rows) found.set(subjectId, [...(found.get(subjectId) ?? []), procedureId]);
  return found;
}
