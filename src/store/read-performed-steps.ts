import type { StepStatus } from '../workflow/vocabulary.ts';
import type { StoredDataset } from './performed-steps.ts';
import type { Prisma } from './generated/client.ts';
import { type Store, storeError } from './prisma.ts';
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
  readonly createdAt: string;
  readonly updatedAt: string;
}

const shown = {
  steps: { select: { step: { select: { scheduledProcedureStepId: true } } }, orderBy: { stepId: 'asc' } },
} as const satisfies Prisma.PerformedProcedureStepInclude;

function patientIdIn(dataset: StoredDataset): string | null {
  const value = dataset['PatientID']?.[0];
  return typeof value === 'string' && value !== '' ? value : null;
}

function toView(row: Prisma.PerformedProcedureStepGetPayload<{ include: typeof shown }>): UnscheduledView {
  return {
    sopInstanceUid: row.sopInstanceUid,
    exception: row.exception ?? '',
    performedProcedureStepStatus: row.performedProcedureStepStatus,
    performedProcedureStepId: row.performedProcedureStepId,
    performedStationAeTitle: row.performedStationAeTitle,
    callingAeTitle: row.callingAeTitle,
    modality: row.modality,
    patientId: patientIdIn(row.dataset as unknown as StoredDataset),
    studyInstanceUids: row.studyInstanceUids,
    scheduledProcedureStepIds: row.steps.map((link) => link.step.scheduledProcedureStepId),
    createdAt: instant(row.createdAt),
    updatedAt: instant(row.updatedAt),
  };
}

/** Performed steps with an exception, newest first. */
export async function listUnscheduled(store: Store, page: PageRequest): Promise<Page<UnscheduledView>> {
  const where = { exception: { not: null }, ...behind(page) };
  const rows = await readSnapshot(store, (tx) =>
    tx.performedProcedureStep.findMany({ where, include: shown, ...newestFirst(page) }),
  );
  return pageOf(rows, page, toView);
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
