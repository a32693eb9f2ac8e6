import type { StepStatus } from '../workflow/vocabulary.ts';
import type { WorklistSource } from '../workflow/worklist-item.ts';
import { Prisma } from './generated/client.ts';
import { PLANNED_EACH_TIME, type Store, storeError } from './prisma.ts';

/** What a worklist query narrows by in the database: a superset of the answer, decided exactly afterwards. */
export interface WorklistConditions {
  readonly stationAeTitles?: readonly string[] | undefined;
  /** `YYYY-MM-DD`, inclusive */
  readonly startDateFrom?: string | undefined;
  readonly startDateTo?: string | undefined;
  readonly modalities?: readonly string[] | undefined;
  readonly patientId?: string | undefined;
  /** The patient may also have had it before a merge or a change of identifier. */
  readonly patientIdEver?: string | undefined;
  readonly patientName?:
    | {
        /** Lower-case beginning, no pattern. */
        readonly prefix: string;
        /** Of any group of the name, else of the alphabetic one. */
        readonly inAnyGroup: boolean;
      }
    | undefined;
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
  /** Of the procedure: the acquisition region of its machine. */
  readonly state: string;
  /** Nobody has ordered it: a modality performed it. */
  readonly unreconciled: boolean;
}

/** Which rows are looked at: all conditions hold, of any status and state unless some are named. */
export interface WorklistSearch {
  /** Also what was performed without an order, which is on no worklist. */
  readonly unreconciledToo?: true;
  readonly conditions: readonly WorklistConditions[];
  readonly statuses?: readonly StepStatus[];
  readonly withoutStates?: readonly string[];
}

function likePrefix(prefix: string): string {
  return `${prefix.replace(/[\\%_]/g, (char) => `\\${char}`)}%`;
}

function predicates(conditions: WorklistConditions): Prisma.Sql[] {
  const sql: Prisma.Sql[] = [];
  const { patientId, patientIdEver, patientName } = conditions;
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
  if (patientIdEver !== undefined)
    sql.push(Prisma.sql`p.id IN (SELECT i."patientId" FROM "PatientIdentifier" i WHERE i.value = ${patientIdEver})`);
  if (patientName) sql.push(nameBegins(patientName));
  return sql;
}

// In this form PostgreSQL finds names by the indexes on their groups (migration 5), few of which have more than one.
function nameBegins({ prefix, inAnyGroup }: NonNullable<WorklistConditions['patientName']>): Prisma.Sql {
  const beginning = likePrefix(prefix);
  const alphabetic = Prisma.sql`p."nameKey" LIKE ${beginning}`;
  if (!inAnyGroup) return alphabetic;
  const others = [2, 3].map(
    (group) =>
      Prisma.sql`(p."nameKey" LIKE '%=%' AND split_part(p."nameKey", '=', ${Prisma.raw(String(group))}) LIKE ${beginning})`,
  );
  return Prisma.sql`p.id IN (SELECT p.id FROM "Patient" p WHERE ${Prisma.join([alphabetic, ...others], ' OR ')})`;
}

const columns = Prisma.sql`
  s.id AS "stepId", s."procedureId", r.offered, s."scheduledProcedureStepId", s."stepStatus"::text AS "stepStatus", s.modality,
  s."scheduledStationAeTitles", to_char(s."startDate", 'YYYY-MM-DD') AS "startDate", to_char(s."startTime", 'HH24:MI:SS') AS "startTime",
  s.details AS step, r."requestedProcedureId", r."studyInstanceUid", r.code, r."serviceIndex", o."accessionNumber", o."fillerOrderNumber", o.details AS "order",
  p.name AS "patientName", to_char(p."birthDate", 'YYYY-MM-DD') AS "birthDate", p.sex, p.demographics,
  (SELECT COALESCE(json_agg(json_strip_nulls(json_build_object('value', i.value, 'assigningAuthority', i."assigningAuthority", 'universalId', i."universalId",
     'universalIdType', i."universalIdType", 'identifierType', i."identifierType")) ORDER BY i.id), '[]'::json)
   FROM "PatientIdentifier" i WHERE i."patientId" = p.id AND i.current) AS identifiers,
  r.state, o.unreconciled,
  CASE WHEN r.state NOT IN ('planned', 'scheduled', 'held') THEN (
    SELECT json_build_object('date', m.dataset #>> '{PerformedProcedureStepStartDate,0}', 'time', COALESCE(m.dataset #>> '{PerformedProcedureStepStartTime,0}', ''))
    FROM "ScheduledProcedureStep" t JOIN "PerformedStepLink" l ON l."stepId" = t.id JOIN "PerformedProcedureStep" m ON m.id = l."performedStepId"
    WHERE t."procedureId" = r.id AND m.dataset #>> '{PerformedProcedureStepStartDate,0}' IS NOT NULL AND COALESCE(m.exception, '') NOT LIKE '%wrong-entry%'
    ORDER BY m.dataset #>> '{PerformedProcedureStepStartDate,0}', m.dataset #>> '{PerformedProcedureStepStartTime,0}' LIMIT 1) END AS begun,
  v."visitStatus"::text AS "visitStatus", v."patientClass", v.details AS visit, v."visitNumber", v."assigningAuthority" AS "visitAuthority"`;

const PAGE = 500;

const plannedEachTime = Prisma.raw(PLANNED_EACH_TIME);

function restrictions({ conditions, statuses, withoutStates, unreconciledToo }: WorklistSearch): Prisma.Sql[] {
  return [
    ...(unreconciledToo ? [] : [Prisma.sql`NOT o.unreconciled`]),
    ...(statuses ? [Prisma.sql`s."stepStatus" = ANY(${[...statuses]}::"StepStatus"[])`] : []),
    ...(withoutStates ? [Prisma.sql`r.state <> ALL(${[...withoutStates]}::text[])`] : []),
    ...conditions.flatMap(predicates),
  ];
}

const steps = Prisma.sql`
  "ScheduledProcedureStep" s
  JOIN "RequestedProcedure" r ON r.id = s."procedureId"
  JOIN "Order" o ON o.id = r."orderId"
  JOIN "Patient" p ON p.id = o."patientId"`;

const byStart = Prisma.sql`s."startDate", s."startTime", s.id`;

const all = (conditions: readonly Prisma.Sql[]): Prisma.Sql => Prisma.join([Prisma.sql`true`, ...conditions], ' AND ');

function ask<T>(store: Store, sql: Prisma.Sql): Promise<T[]> {
  return store.prisma.$queryRaw<T[]>(sql).catch((error: unknown) => {
    throw storeError(error);
  });
}

const pageOf = (store: Store, where: readonly Prisma.Sql[]): Promise<WorklistRow[]> =>
  ask(
    store,
    Prisma.sql`
      SELECT ${plannedEachTime} ${columns}
      FROM ${steps} LEFT JOIN "Visit" v ON v.id = o."visitId"
      WHERE ${all(where)} ORDER BY ${byStart} LIMIT ${PAGE}`,
  );

async function idsBehind({ startDate, startTime, stepId }: WorklistRow, store: Store, where: readonly Prisma.Sql[]) {
  const behind = Prisma.sql`(${byStart}) > (${startDate}::date, ${startTime}::time, ${stepId}::int)`;
  const [row] = await ask<{ ids: number[] | null }>(
    store,
    Prisma.sql`
      SELECT ${plannedEachTime} array_agg(s.id ORDER BY ${byStart}) AS ids
      FROM ${steps} WHERE ${all([...where, behind])}`,
  );
  return row?.ids ?? [];
}

/**
 * Steps that meet a search, in the order of their start; page by page, so that a long answer holds neither memory nor
 * a database connection while a slow modality reads it. What is behind the first page is chosen once, so that no page
 * sorts the rest again and a step that is moved meanwhile comes once; one that is taken off meanwhile does not come.
 */
export async function* worklistRows(store: Store, search: WorklistSearch): AsyncGenerator<readonly WorklistRow[]> {
  const where = restrictions(search);
  const first = await pageOf(store, where);
  if (first.length > 0) yield first;
  const last = first[PAGE - 1];
  const ids = last ? await idsBehind(last, store, where) : [];
  for (let at = 0; at < ids.length; at += PAGE) {
    const rows = await pageOf(store, [...where, Prisma.sql`s.id = ANY(${ids.slice(at, at + PAGE)}::int[])`]);
    if (rows.length > 0) yield rows;
  }
}
