import { type DicomClient, createDicomClient } from '../../src/dicom/client.ts';
import type { DatasetInput } from '../../src/dicom/dataset.ts';
import { sopClass } from '../../src/dicom/status.ts';
import { randomIds } from '../../src/platform/ids.ts';
import type { Store } from '../../src/store/prisma.ts';

export { sopClass };

/** A scheduled step as a modality knows it from the worklist. */
export interface StepOnWorklist {
  readonly scheduledProcedureStepId: string;
  readonly requestedProcedureId: string;
  readonly studyInstanceUid: string;
  readonly accessionNumber: string;
  readonly modality: string;
  readonly station: string;
  readonly patientId: string;
}

/** A UID that nobody has used before. */
export const newUid = (): string => randomIds().uid();

/** The steps of an order in the order of their ids, read from the database. */
export async function stepsOf(
  store: Store,
  named: string | { readonly fillerOrderNumber: string },
): Promise<StepOnWorklist[]> {
  const order = typeof named === 'string' ? { placerOrderNumber: named } : named;
  const rows = await store.prisma.scheduledProcedureStep.findMany({
    where: { procedure: { order } },
    include: { procedure: { include: { order: { include: { patient: { include: { identifiers: true } } } } } } },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ procedure, ...step }) => ({
    scheduledProcedureStepId: step.scheduledProcedureStepId,
    requestedProcedureId: procedure.requestedProcedureId,
    studyInstanceUid: procedure.studyInstanceUid,
    accessionNumber: procedure.order.accessionNumber,
    modality: step.modality,
    station: step.scheduledStationAeTitles[0] ?? 'STATION1',
    patientId: procedure.order.patient.identifiers[0]?.value ?? '',
  }));
}

/** One item of the Scheduled Step Attributes Sequence, copied from the worklist (PS3.4 table F.7.2-1). */
export function scheduledItem(step: StepOnWorklist): DatasetInput {
  return {
    StudyInstanceUID: step.studyInstanceUid,
    ReferencedStudySequence: [],
    AccessionNumber: step.accessionNumber,
    RequestedProcedureID: step.requestedProcedureId,
    RequestedProcedureDescription: 'as scheduled',
    ScheduledProcedureStepID: step.scheduledProcedureStepId,
    ScheduledProcedureStepDescription: 'as scheduled',
    ScheduledProtocolCodeSequence: [],
  };
}

/** RAD-6 for one step, or for several in one (group case). */
export function inProgress(steps: readonly StepOnWorklist[], change: DatasetInput = {}): DatasetInput {
  const [first] = steps;
  return {
    ScheduledStepAttributesSequence: steps.map(scheduledItem),
    PatientName: 'Lindqvist^Maja',
    PatientID: first?.patientId ?? null,
    PatientBirthDate: '19790412',
    PatientSex: 'F',
    ReferencedPatientSequence: [],
    PerformedProcedureStepID: 'PPS1',
    PerformedStationAETitle: first?.station ?? 'STATION1',
    PerformedStationName: null,
    PerformedLocation: null,
    PerformedProcedureStepStartDate: '20260105',
    PerformedProcedureStepStartTime: '100000',
    PerformedProcedureStepStatus: 'IN PROGRESS',
    PerformedProcedureStepDescription: null,
    PerformedProcedureTypeDescription: null,
    ProcedureCodeSequence: [],
    PerformedProcedureStepEndDate: null,
    PerformedProcedureStepEndTime: null,
    PerformedProcedureStepDiscontinuationReasonCodeSequence: [],
    Modality: first?.modality ?? 'OT',
    StudyID: '1',
    PerformedProtocolCodeSequence: [],
    PerformedSeriesSequence: [],
    ...change,
  };
}

const CR_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.1';

function series(instances: readonly string[]): DatasetInput {
  return {
    PerformingPhysicianName: null,
    ProtocolName: 'routine',
    OperatorsName: null,
    SeriesInstanceUID: newUid(),
    SeriesDescription: null,
    RetrieveAETitle: null,
    ReferencedImageSequence: instances.map((uid) => ({
      ReferencedSOPClassUID: CR_IMAGE_STORAGE,
      ReferencedSOPInstanceUID: uid,
    })),
    ReferencedNonImageCompositeSOPInstanceSequence: [],
  };
}

/** RAD-7: the final N-SET with the instances that were made. */
export function completed(instances: readonly string[] = [], change: DatasetInput = {}): DatasetInput {
  return {
    PerformedProcedureStepStatus: 'COMPLETED',
    PerformedProcedureStepEndDate: '20260105',
    PerformedProcedureStepEndTime: '101500',
    PerformedSeriesSequence: instances.length === 0 ? [] : [series(instances)],
    ...change,
  };
}

/** RAD-7 when the step was given up (PS3.16 CID 9300: 110501, equipment failure). */
export function discontinued(instances: readonly string[] = []): DatasetInput {
  return completed(instances, {
    PerformedProcedureStepStatus: 'DISCONTINUED',
    PerformedProcedureStepDiscontinuationReasonCodeSequence: [
      { CodeValue: '110501', CodingSchemeDesignator: 'DCM', CodeMeaning: 'Equipment failure' },
    ],
  });
}

/** RAD-49: what an archive says of instances of one study (PS3.4 table R.3-1). */
export function notification(
  studyInstanceUid: string,
  instances: readonly string[],
  instanceAvailability = 'ONLINE',
): DatasetInput {
  return {
    ReferencedPerformedProcedureStepSequence: [],
    StudyInstanceUID: studyInstanceUid,
    ReferencedSeriesSequence: [
      {
        SeriesInstanceUID: newUid(),
        ReferencedSOPSequence: instances.map((uid) => ({
          ReferencedSOPClassUID: CR_IMAGE_STORAGE,
          ReferencedSOPInstanceUID: uid,
          InstanceAvailability: instanceAvailability,
          RetrieveAETitle: 'ARCHIVE',
        })),
      },
    ],
  };
}

/** A modality or archive that calls the server. */
export function dicomClient(port: number, callingAeTitle = 'DX1', calledAeTitle = 'SWF_OF'): DicomClient {
  return createDicomClient({ host: '127.0.0.1', port, callingAeTitle, calledAeTitle, timeoutMs: 20_000 });
}

/** RAD-6 and RAD-7 as calls that give the status. */
export function modality(port: number, callingAeTitle = 'DX1') {
  const client = dicomClient(port, callingAeTitle);
  const mpps = sopClass.modalityPerformedProcedureStep;
  return {
    create: async (uid: string, content: DatasetInput) => (await client.nCreate(mpps, uid, content)).status,
    set: async (uid: string, content: DatasetInput) => (await client.nSet(mpps, uid, content)).status,
    find: (keys: DatasetInput) => client.find(keys),
  };
}

/** RAD-49 as a call that gives the status. */
export async function notify(port: number, content: DatasetInput): Promise<number> {
  const client = dicomClient(port, 'ARCHIVE');
  return (await client.nCreate(sopClass.instanceAvailabilityNotification, newUid(), content)).status;
}
