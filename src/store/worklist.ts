import type { StepStatus } from '../workflow/vocabulary.ts';
import type { WorklistSource } from '../workflow/worklist-item.ts';
import { Prisma } from './generated/client.ts';
import { type Store, storeError } from './prisma.ts';

/** What a worklist query narrows by in the database: a superset of the answer, decided exactly afterwards. */
export interface WorklistConditions {
  readonly stationAeTitles?: readonly string[] | undefined;
  /** `YYYY-MM-DD`, inclusive */
  readonly startDateFrom?: string | undefined;
  readonly startDateTo?: string | undefined;
  readonly modalities?: readonly string[] | undefined;
  readonly patientId?: string | undefined;
  /** Lower-case beginning of the alphabetic name. */
  readonly patientNamePrefix?: string | undefined;
  readonly accessionNumber?: string | undefined;
  readonly requestedProcedureId?: string | undefined;
  readonly scheduledProcedureStepId?: string | undefined;
  readonly studyInstanceUids?: readonly string[] | undefined;
}

/** A row of the worklist, and whose it is. */
export interface WorklistRow extends WorklistSource {
  readonly stepId: number;
  readonly procedureId: number;
  /** A worklist answer has offered a step of the procedure before. */
  readonly offered: boolean;
}

const onWorklist: readonly StepStatus[] = ['SCHEDULED', 'ARRIVED', 'READY', 'DEPARTED'];

/** Step statuses that a worklist shows; whether a started step stays is the site's policy (append case). */
export function worklistStatuses(startedOnWorklist: boolean): readonly StepStatus[] {
  return startedOnWorklist ? [...onWorklist, 'STARTED'] : onWorklist;
}

function likePrefix(prefix: string): string {
  return `${prefix.replace(/[\\%_]/g, (char) => `\\${char}`)}%`;
}

function predicates(conditions: WorklistConditions): Prisma.Sql[] {
  const sql: Prisma.Sql[] = [];
  const { patientId, patientNamePrefix } = conditions;
  if (conditions.startDateFrom !== undefined) sql.push(Prisma.sql`s."startDate" >= ${conditions.startDateFrom}::date`);
  if (conditions.startDateTo !== undefined) sql.push(Prisma.sql`s."startDate" <= ${conditions.startDateTo}::date`);
  if (conditions.modalities) sql.push(Prisma.sql`s.modality = ANY(${[...conditions.modalities]}::text[])`);
  if (conditions.stationAeTitles)
    sql.push(Prisma.sql`s."scheduledStationAeTitles" && ${[...conditions.stationAeTitles]}::text[]`);
  if (conditions.accessionNumber !== undefined)
    sql.push(Prisma.sql`o."accessionNumber" = ${conditions.accessionNumber}`);
  if (conditions.requestedProcedureId !== undefined)
    sql.push(Prisma.sql`r."requestedProcedureId" = ${conditions.requestedProcedureId}`);
  if (conditions.scheduledProcedureStepId !== undefined) {
    sql.push(Prisma.sql`s."scheduledProcedureStepId" = ${conditions.scheduledProcedureStepId}`);
  }
  if (conditions.studyInstanceUids)
    sql.push(Prisma.sql`r."studyInstanceUid" = ANY(${[...conditions.studyInstanceUids]}::text[])`);
  if (patientId !== undefined) {
    sql.push(
      Prisma.sql`p.id IN (SELECT i."patientId" FROM "PatientIdentifier" i WHERE i.value = ${patientId} AND i.current)`,
    );
  }
  if (patientNamePrefix !== undefined) sql.push(Prisma.sql`p."nameKey" LIKE ${likePrefix(patientNamePrefix)}`);
  return sql;
}

const columns = Prisma.sql`
  s.id AS "stepId", s."procedureId", r.offered, s."scheduledProcedureStepId", s."stepStatus"::text AS "stepStatus", s.modality,
  s."scheduledStationAeTitles", to_char(s."startDate", 'YYYY-MM-DD') AS "startDate", to_char(s."startTime", 'HH24:MI:SS') AS "startTime",
  s.details AS step, r."requestedProcedureId", r."studyInstanceUid", r.code, r."serviceIndex", o."accessionNumber", o."fillerOrderNumber", o.details AS "order",
  p.name AS "patientName", to_char(p."birthDate", 'YYYY-MM-DD') AS "birthDate", p.sex, p.demographics,
  (SELECT COALESCE(json_agg(json_strip_nulls(json_build_object('value', i.value, 'assigningAuthority', i."assigningAuthority", 'universalId', i."universalId",
     'universalIdType', i."universalIdType", 'identifierType', i."identifierType")) ORDER BY i.id), '[]'::json)
   FROM "PatientIdentifier" i WHERE i."patientId" = p.id AND i.current) AS identifiers,
  v."patientClass", v.details AS visit, v."visitNumber", v."assigningAuthority" AS "visitAuthority"`;

const PAGE = 500;

/**
 * Steps that a worklist shows and that meet the conditions, in the order of their start; page by page, so that a
 * long answer holds neither memory nor a database connection while a slow modality reads it.
 */
export async function* worklistRows(
  store: Store,
  conditions: WorklistConditions,
  statuses: readonly StepStatus[],
): AsyncGenerator<readonly WorklistRow[]> {
  // A step of a procedure that nobody has scheduled yet, or that is on hold, has no place on a worklist.
  const scheduled = Prisma.sql`r.state NOT IN ('planned', 'held')`;
  const open = Prisma.sql`s."stepStatus" = ANY(${[...statuses]}::"StepStatus"[])`;
  // What was performed without an order is on no worklist.
  const ordered = Prisma.sql`NOT o.unreconciled`;
  const where = [open, scheduled, ordered, ...predicates(conditions)];
  let after: WorklistRow | undefined;
  for (;;) {
    const seek = after
      ? [
          Prisma.sql`(s."startDate", s."startTime", s.id) > (${after.startDate}::date, ${after.startTime}::time, ${after.stepId}::int)`,
        ]
      : [];
    const rows = await store.prisma
      .$queryRaw<WorklistRow[]>(
        Prisma.sql`
      SELECT ${columns}
      FROM "ScheduledProcedureStep" s
      JOIN "RequestedProcedure" r ON r.id = s."procedureId"
      JOIN "Order" o ON o.id = r."orderId"
      JOIN "Patient" p ON p.id = o."patientId"
      LEFT JOIN "Visit" v ON v.id = o."visitId"
      WHERE ${Prisma.join([...where, ...seek], ' AND ')}
      ORDER BY s."startDate", s."startTime", s.id
      LIMIT ${PAGE}`,
      )
      .catch((error: unknown) => {
        throw storeError(error);
      });
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE) return;
    after = rows[rows.length - 1];
  }
}
