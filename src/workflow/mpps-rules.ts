import type { PerformedProcedureStepStatus, StepStatus } from './vocabulary.ts';

/** Why an MPPS request cannot be carried out: a DIMSE status with its sentence (PS3.4 F.7, PS3.7 Annex C). */
export interface MppsRefusal {
  readonly status: number;
  readonly comment: string;
  /** (0000,0903) */
  readonly errorId?: number;
  /** Tags, eight hexadecimal digits each. */
  readonly attributeIdentifierList?: readonly string[];
}

/** An N-CREATE under something that is no UID (PS3.7 C.5.6). */
export const invalidInstance: MppsRefusal = { status: 0x0117, comment: 'invalid SOP instance UID' };

/** An N-CREATE for an instance that is known (PS3.7 10.1.5.1.6). */
export const duplicateInstance: MppsRefusal = { status: 0x0111, comment: 'duplicate SOP instance' };

/** An N-SET for an instance that is not known. */
export const unknownInstance: MppsRefusal = { status: 0x0112, comment: 'no such SOP instance' };

// PS3.4 F.7.2.2: a final step refuses N-SET, with this sentence and this error id.
const noLongerUpdated: MppsRefusal = {
  status: 0x0110,
  comment: 'Performed Procedure Step Object may no longer be updated',
  errorId: 0xa710,
};

/** An N-SET is taken while the stored status is IN PROGRESS (PS3.4 F.7.2.2.2). */
export function setRefusal(stored: PerformedProcedureStepStatus): MppsRefusal | undefined {
  return stored === 'IN PROGRESS' ? undefined : noLongerUpdated;
}

const open: ReadonlySet<StepStatus> = new Set(['SCHEDULED', 'ARRIVED', 'READY', 'STARTED', 'DEPARTED']);

/** A step that an MPPS can start or join. */
export function isOpen(stepStatus: StepStatus): boolean {
  return open.has(stepStatus);
}

/** One item of the Scheduled Step Attributes Sequence, as far as it identifies a step. */
export interface ScheduledStepReference {
  readonly studyInstanceUid: string;
  readonly scheduledProcedureStepId?: string | undefined;
  readonly requestedProcedureId?: string | undefined;
  readonly accessionNumber?: string | undefined;
  /** (0008,1110) items: where a group case names the procedures' own studies. */
  readonly referencedStudyUids: readonly string[];
}

/** A scheduled step as far as an MPPS can be matched to it. */
export interface StepCandidate {
  readonly stepId: number;
  readonly procedureId: number;
  readonly scheduledProcedureStepId: string;
  readonly stepStatus: StepStatus;
  readonly modality: string;
  readonly scheduledStationAeTitles: readonly string[];
  readonly studyInstanceUid: string;
  readonly requestedProcedureId: string;
  readonly accessionNumber: string;
}

/** How an item of an MPPS found its step. An accession number and a modality alone are not proof enough by themselves. */
export type MatchedBy = 'step' | 'study' | 'accession';

export interface StepMatch {
  readonly step: StepCandidate;
  readonly by: MatchedBy;
}

/** Who performs: what the MPPS says of itself. */
export interface Performer {
  readonly modality: string;
  readonly performedStationAeTitle: string;
}

/** A step that an MPPS can perform: an open one, or one that was completed and is performed further (append case). */
const isPerformable = ({ stepStatus }: StepCandidate): boolean => isOpen(stepStatus) || stepStatus === 'COMPLETED';

const studiesOf = (item: ScheduledStepReference): Set<string> =>
  new Set([item.studyInstanceUid, ...item.referencedStudyUids]);

/**
 * The step that one item of an MPPS means: by step id together with the study (its own or a referenced one) or the
 * accession number and procedure, else the one open step of the study with that modality (where there are several,
 * the one at that station), else the completed one of the study that the same modality at the same station goes on
 * with, else the one open step of the accession number with that modality. Never by a patient's name; more than one
 * possibility is none (RAD TF-2 4.6.4.1.2.3).
 */
export function matchStep(
  item: ScheduledStepReference,
  candidates: readonly StepCandidate[],
  performer: Performer,
): StepMatch | undefined {
  // A step id that is given and wrong must not fall through to a guess.
  if (item.scheduledProcedureStepId !== undefined) return namedStep(item, candidates);
  const ofStudy = stepOfStudy(studiesOf(item), candidates, performer);
  if (ofStudy) return { step: ofStudy, by: 'study' };
  const ofAccession = stepOfAccession(item, candidates, performer);
  return ofAccession && { step: ofAccession, by: 'accession' };
}

function namedStep(item: ScheduledStepReference, candidates: readonly StepCandidate[]): StepMatch | undefined {
  const studies = studiesOf(item);
  const sameProcedure = (candidate: StepCandidate): boolean =>
    studies.has(candidate.studyInstanceUid) ||
    (item.accessionNumber === candidate.accessionNumber &&
      item.requestedProcedureId === candidate.requestedProcedureId);
  const step = candidates.find(
    (candidate) =>
      isPerformable(candidate) &&
      candidate.scheduledProcedureStepId === item.scheduledProcedureStepId &&
      sameProcedure(candidate),
  );
  return step && { step, by: 'step' };
}

function stepOfStudy(
  studies: ReadonlySet<string>,
  candidates: readonly StepCandidate[],
  performer: Performer,
): StepCandidate | undefined {
  const ofModality = candidates.filter(
    ({ studyInstanceUid, modality }) => studies.has(studyInstanceUid) && modality === performer.modality,
  );
  const open = theOne(
    ofModality.filter((candidate) => isOpen(candidate.stepStatus)),
    performer,
  );
  if (open) return open;
  const completed = ofModality.filter(
    ({ stepStatus, scheduledStationAeTitles }) =>
      stepStatus === 'COMPLETED' && scheduledStationAeTitles.includes(performer.performedStationAeTitle),
  );
  return completed.length === 1 ? completed[0] : undefined;
}

function stepOfAccession(
  { accessionNumber, requestedProcedureId, ...item }: ScheduledStepReference,
  candidates: readonly StepCandidate[],
  performer: Performer,
): StepCandidate | undefined {
  // A study that is known here says which procedure is meant; another one of the same order is not.
  const studies = studiesOf(item);
  if (accessionNumber === undefined || candidates.some(({ studyInstanceUid }) => studies.has(studyInstanceUid)))
    return undefined;
  const agrees = (candidate: StepCandidate): boolean =>
    isOpen(candidate.stepStatus) &&
    candidate.modality === performer.modality &&
    candidate.accessionNumber === accessionNumber &&
    (requestedProcedureId === undefined || requestedProcedureId === candidate.requestedProcedureId);
  return theOne(candidates.filter(agrees), performer);
}

function theOne(steps: readonly StepCandidate[], performer: Performer): StepCandidate | undefined {
  if (steps.length === 1) return steps[0];
  const atStation = steps.filter((step) => step.scheduledStationAeTitles.includes(performer.performedStationAeTitle));
  return atStation.length === 1 ? atStation[0] : undefined;
}

const hasImages: ReadonlySet<StepStatus> = new Set(['STARTED', 'COMPLETED']);

/**
 * The procedures, by database id, on whose images an evidence creator works (RAD-20, RAD-21; RAD TF-2 4.20): its item
 * names their study and no step, they were begun, and none of their steps waits for that modality.
 */
export function evidenceOf(
  item: ScheduledStepReference,
  candidates: readonly StepCandidate[],
  { modality }: Performer,
): number[] {
  if (item.scheduledProcedureStepId !== undefined) return [];
  const studies = studiesOf(item);
  const ofStudy = candidates.filter(({ studyInstanceUid }) => studies.has(studyInstanceUid));
  const waits = ofStudy.some((step) => isOpen(step.stepStatus) && step.modality === modality);
  if (waits) return [];
  return [
    ...new Set(ofStudy.filter(({ stepStatus }) => hasImages.has(stepStatus)).map(({ procedureId }) => procedureId)),
  ];
}
