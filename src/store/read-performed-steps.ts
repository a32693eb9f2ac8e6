import { type DiscontinuationProposal, discontinuationReason } from '../workflow/discontinuation.ts';
import type { StepStatus } from '../workflow/vocabulary.ts';
import type { StoredDataset } from './performed-steps.ts';
import type { Prisma } from './generated/client.ts';
import { type Store, type Tx, storeError } from './prisma.ts';
import { type Page, type PageRequest, behind, instant, newestFirst, pageOf, readSnapshot } from './read-page.ts';

/** A performed step that a person should look at. */
export interface UnscheduledView {
  readonly sopInstanceUid: string;
  /** Why: it fitted no open step, it was discontinued, it names another patient. */
  readonly exception: string;
  readonly performedProcedureStepStatus: string;
  readonly performedProcedureStepId: string;
  readonly performedStationAeTitle: string;
  readonly callingAeTitle: string;
  readonly modality: string;
  /** (0010,0020) as the modality sent it. */
  readonly patientId: string | null;
  readonly studyInstanceUids: readonly string[];
  /** (0040,0009) of the scheduled steps that it performs; none when it fitted none. */
  readonly scheduledProcedureStepIds: readonly string[];
  /** Of these steps, and of evidence: the procedures. */
  readonly requestedProcedureIds: readonly string[];
  /** Open steps of a patient with that number, at that station, within four hours: for a person to judge, never taken. */
  readonly suggestedProcedureStepIds: readonly string[];
  /** (0040,0281) with what departments usually do next; null unless it was discontinued for a reason. */
  readonly discontinuation: {
    readonly code: string | null;
    readonly scheme: string | null;
    readonly meaning: string | null;
    readonly proposal: DiscontinuationProposal;
  } | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

const shown = {
  steps: {
    select: {
      step: { select: { scheduledProcedureStepId: true, procedure: { select: { requestedProcedureId: true } } } },
    },
    orderBy: { stepId: 'asc' },
  },
  evidenceOf: { select: { procedure: { select: { requestedProcedureId: true } } }, orderBy: { procedureId: 'asc' } },
} as const satisfies Prisma.PerformedProcedureStepInclude;

type Row = Prisma.PerformedProcedureStepGetPayload<{ include: typeof shown }>;

function textIn(dataset: StoredDataset, keyword: string): string | null {
  const value = dataset[keyword]?.[0];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

const REASON = 'PerformedProcedureStepDiscontinuationReasonCodeSequence';

/** (0040,0281), its first item, with what departments usually do next; null where there is none. */
export function discontinuationOf(dataset: StoredDataset): UnscheduledView['discontinuation'] {
  const item = dataset[REASON]?.[0];
  if (typeof item !== 'object' || item === null) return null;
  const reason = item as StoredDataset;
  const code = textIn(reason, 'CodeValue');
  const scheme = textIn(reason, 'CodingSchemeDesignator');
  const row = discontinuationReason({ code: code ?? undefined, scheme: scheme ?? undefined });
  return { code, scheme, meaning: textIn(reason, 'CodeMeaning'), proposal: row?.proposal ?? 'look' };
}

function toView(row: Row, suggested: ReadonlyMap<number, readonly string[]>): UnscheduledView {
  const dataset = row.dataset as unknown as StoredDataset;
  const procedures = [...row.steps.map(({ step }) => step.procedure), ...row.evidenceOf.map((link) => link.procedure)];
  return {
    sopInstanceUid: row.sopInstanceUid,
    exception: row.exception ?? '',
    performedProcedureStepStatus: row.performedProcedureStepStatus,
    performedProcedureStepId: row.performedProcedureStepId,
    performedStationAeTitle: row.performedStationAeTitle,
    callingAeTitle: row.callingAeTitle,
    modality: row.modality,
    patientId: textIn(dataset, 'PatientID'),
    studyInstanceUids: row.studyInstanceUids,
    scheduledProcedureStepIds: row.steps.map((link) => link.step.scheduledProcedureStepId),
    requestedProcedureIds: [...new Set(procedures.map(({ requestedProcedureId }) => requestedProcedureId))],
    suggestedProcedureStepIds: suggested.get(row.id) ?? [],
    discontinuation: row.performedProcedureStepStatus === 'DISCONTINUED' ? discontinuationOf(dataset) : null,
    createdAt: instant(row.createdAt),
    updatedAt: instant(row.updatedAt),
  };
}

/** Which open steps performed steps without one may have meant (RAD TF-2 4.6: patient, station and time). */
async function suggestionsFor(tx: Tx, performedStepIds: readonly number[]): Promise<Map<number, string[]>> {
  const rows = await tx.$queryRaw<{ id: number; scheduledProcedureStepId: string }[]>`
    SELECT p.id, s."scheduledProcedureStepId"
    FROM "PerformedProcedureStep" p
    JOIN "PatientIdentifier" i ON i.value = p.dataset -> 'PatientID' ->> 0
    JOIN "Order" o ON o."patientId" = i."patientId" AND NOT o.unreconciled
    JOIN "RequestedProcedure" r ON r."orderId" = o.id
    JOIN "ScheduledProcedureStep" s ON s."procedureId" = r.id
      AND p."performedStationAeTitle" = ANY(s."scheduledStationAeTitles")
      AND s."stepStatus" IN ('SCHEDULED', 'ARRIVED', 'READY', 'DEPARTED')
    WHERE p.id = ANY(${[...performedStepIds]}::int[])
      AND (p.exception LIKE '%unscheduled%' OR p.exception LIKE '%no-open-step%')
      AND abs(extract(epoch FROM (s."startDate" + s."startTime") - to_timestamp(
        (p.dataset -> 'PerformedProcedureStepStartDate' ->> 0)
          || rpad(left(p.dataset -> 'PerformedProcedureStepStartTime' ->> 0, 4), 4, '0'),
        'YYYYMMDDHH24MI')::timestamp)) <= 4 * 3600
    GROUP BY p.id, s.id
    ORDER BY p.id, s.id`;
  const suggestions = new Map<number, string[]>();
  for (const { id, scheduledProcedureStepId } of rows)
    suggestions.set(id, [...(suggestions.get(id) ?? []), scheduledProcedureStepId]);
  return suggestions;
}

/** Performed steps with an exception, newest first. */
export async function listUnscheduled(store: Store, page: PageRequest): Promise<Page<UnscheduledView>> {
  const where = { exception: { not: null }, ...behind(page) };
  const { rows, suggested } = await readSnapshot(store, async (tx) => {
    const found = await tx.performedProcedureStep.findMany({ where, include: shown, ...newestFirst(page) });
    const ids = found.map(({ id }) => id);
    return { rows: found, suggested: await suggestionsFor(tx, ids) };
  });
  return pageOf(rows, page, (row) => toView(row, suggested));
}

/** A scheduled step that an MPPS performs, and the procedure that it belongs to. */
interface PerformedScheduledStep {
  readonly scheduledProcedureStepId: string;
  readonly stepStatus: StepStatus;
  readonly requestedProcedureId: string;
}

/** One MPPS: where it stands and what it performs. */
export interface PerformedStepView {
  readonly sopInstanceUid: string;
  readonly performedProcedureStepStatus: string;
  /** Why a person should look at it; null when nobody need. */
  readonly exception: string | null;
  readonly callingAeTitle: string;
  readonly scheduledSteps: readonly PerformedScheduledStep[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

const performedScheduledSteps = {
  steps: { select: { step: { include: { procedure: true } } }, orderBy: { stepId: 'asc' } },
} as const satisfies Prisma.PerformedProcedureStepInclude;

/** An MPPS with its data set as it was stored; undefined when it is not known. Rejects with 'database-unavailable'. */
export async function findPerformedStep(
  store: Store,
  sopInstanceUid: string,
): Promise<{ readonly view: PerformedStepView; readonly dataset: StoredDataset } | undefined> {
  const where = { sopInstanceUid };
  const row = await store.prisma.performedProcedureStep
    .findUnique({ where, include: performedScheduledSteps })
    .catch((error: unknown) => {
      throw storeError(error);
    });
  if (!row) return undefined;
  const scheduledSteps = row.steps.map(({ step }) => ({
    scheduledProcedureStepId: step.scheduledProcedureStepId,
    stepStatus: step.stepStatus,
    requestedProcedureId: step.procedure.requestedProcedureId,
  }));
  const view = {
    sopInstanceUid,
    performedProcedureStepStatus: row.performedProcedureStepStatus,
    exception: row.exception,
    callingAeTitle: row.callingAeTitle,
    scheduledSteps,
    createdAt: instant(row.createdAt),
    updatedAt: instant(row.updatedAt),
  };
  return { view, dataset: row.dataset as unknown as StoredDataset };
}
