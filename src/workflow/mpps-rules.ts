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

/**
 * The open step that one item of an MPPS means: by step id together with the study (its own or a referenced one)
 * or the accession number and procedure, else the one open step of the study with that modality (where there are
 * several, the one at that station), else the one open step of the accession number with that modality. Never by a
 * patient's name; more than one possibility is none.
 */
export function matchStep(
  item: ScheduledStepReference,
  candidates: readonly StepCandidate[],
  performer: Performer,
): StepMatch | undefined {
  const studies = new Set([item.studyInstanceUid, ...item.referencedStudyUids]);
  const openSteps = candidates.filter((candidate) => isOpen(candidate.stepStatus));
  const sameProcedure = (candidate: StepCandidate): boolean =>
    studies.has(candidate.studyInstanceUid) ||
    (item.accessionNumber === candidate.accessionNumber &&
      item.requestedProcedureId === candidate.requestedProcedureId);
  if (item.scheduledProcedureStepId !== undefined) {
    // A step id that is given and wrong must not fall through to a guess.
    const named = openSteps.find(
      (c) => c.scheduledProcedureStepId === item.scheduledProcedureStepId && sameProcedure(c),
    );
    return named && { step: named, by: 'step' };
  }
  const ofModality = openSteps.filter((candidate) => candidate.modality === performer.modality);
  const ofStudy = theOne(
    ofModality.filter((candidate) => studies.has(candidate.studyInstanceUid)),
    performer,
  );
  if (ofStudy) return { step: ofStudy, by: 'study' };
  // A study that is known here says which procedure is meant; another one of the same order is not.
  const studyIsKnown = candidates.some((candidate) => studies.has(candidate.studyInstanceUid));
  if (item.accessionNumber === undefined || studyIsKnown) return undefined;
  const { accessionNumber, requestedProcedureId } = item;
  const agrees = (candidate: StepCandidate): boolean =>
    candidate.accessionNumber === accessionNumber &&
    (requestedProcedureId === undefined || requestedProcedureId === candidate.requestedProcedureId);
  const ofAccession = theOne(ofModality.filter(agrees), performer);
  return ofAccession && { step: ofAccession, by: 'accession' };
}

function theOne(steps: readonly StepCandidate[], performer: Performer): StepCandidate | undefined {
  if (steps.length === 1) return steps[0];
  const atStation = steps.filter((step) => step.scheduledStationAeTitles.includes(performer.performedStationAeTitle));
  return atStation.length === 1 ? atStation[0] : undefined;
}
