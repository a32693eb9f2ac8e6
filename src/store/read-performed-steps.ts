import type { StoredDataset } from './performed-steps.ts';
import type { Prisma } from './generated/client.ts';
import type { Store } from './prisma.ts';
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
