import { type Dataset, text } from '../dicom/dataset.ts';
import type { Mpps } from '../mapping/mpps-from-dicom.ts';
import { storable } from '../mapping/stored-dataset.ts';
import type { ExceptionKind } from '../workflow/exceptions.ts';
import { type StepCandidate, duplicateInstance, evidenceOf, matchStep } from '../workflow/mpps-rules.ts';
import { createPerformedStep } from '../store/performed-steps.ts';
import type { StoredPatient } from '../store/patients.ts';
import { ordersOfReferences } from '../store/find-procedures.ts';
import { type InboundDicom, RequestRefused } from './inbound-dicom.ts';
import { relayMpps } from './rad-06-07-relay.ts';
import { makeUnscheduled } from './rad-06-unscheduled.ts';
import { type HeldOrder, type HeldProcedure, type Unit, finish, holdFound, send } from './unit-of-work.ts';
import { beginWaiting } from './waiting.ts';

/** Each has its row among the exceptions. */
type Listed<K extends ExceptionKind> = K;

/** Why a person should look at an MPPS; listed until somebody has. */
export type Exception = Listed<
  /** Performed without an order; it has a procedure of its own that waits to be bound to one. */
  | 'unscheduled'
  /** Nobody had registered or ordered for the patient whom the modality named. */
  | 'unknown-patient'
  /** A number of the department's list that is in use for somebody of another name. */
  | 'number-in-use'
  /** It names a step or study that is known, and nothing of it can be performed. */
  | 'no-open-step'
  /** The patient whose it is taken to be has another number, or is called otherwise. */
  | 'patient-differs'
  | 'already-started'
  | 'discontinued'
  | 'wrong-entry'
  | 'procedure-ended'
  /** Its modality ended it after all, when the department had done so. */
  | 'late-update'
>;

export interface Started {
  readonly mpps: Mpps;
  readonly dataset: Dataset;
}

/** What the items of an MPPS mean among the orders that are held. */
interface Meaning {
  readonly matched: readonly StepCandidate[];
  /** Database ids of the procedures that an evidence creator works on. */
  readonly evidence: readonly number[];
  /** Some item means nothing that is known. */
  readonly unmatched: boolean;
}

/** The steps of held procedures as an MPPS can be matched to them. */
function candidatesOf(orders: readonly HeldOrder[]): StepCandidate[] {
  return orders.flatMap(({ order, procedures }) =>
    procedures.flatMap(({ stored }) =>
      stored.steps.map((step) => ({
        stepId: step.id,
        procedureId: stored.id,
        scheduledProcedureStepId: step.scheduledProcedureStepId,
        stepStatus: step.stepStatus,
        modality: step.modality,
        scheduledStationAeTitles: step.scheduledStationAeTitles,
        studyInstanceUid: stored.studyInstanceUid,
        requestedProcedureId: stored.requestedProcedureId,
        accessionNumber: order.accessionNumber,
      })),
    ),
  );
}

/** What each item means: a step, the images of a procedure, or nothing (RAD TF-2 4.6.4.1.2.3). */
function meaningOf(mpps: Mpps, orders: readonly HeldOrder[], named: ReturnType<typeof namedPatient>): Meaning {
  const candidates = candidatesOf(orders);
  const items = mpps.references.map((item) => {
    const match = matchStep(item, candidates, mpps);
    // An accession number alone, with another patient's identifier beside it, is no proof whose step it was.
    const isSure = match && (match.by !== 'accession' || named(ownerOf(orders, match.step)));
    return isSure ? { step: match.step, evidence: [] } : { evidence: match ? [] : evidenceOf(item, candidates, mpps) };
  });
  const steps = items.flatMap(({ step }) => step ?? []);
  return {
    matched: [...new Map(steps.map((step) => [step.stepId, step])).values()],
    evidence: [...new Set(items.flatMap(({ evidence }) => evidence))],
    unmatched: items.some(({ step, evidence }) => !step && evidence.length === 0),
  };
}

/** RAD-6: an MPPS moves the steps that it names; one that names none gets a procedure of its own. */
export async function startPerformed(unit: Unit, inbound: InboundDicom, { mpps, dataset }: Started): Promise<void> {
  const { request, cause } = inbound;
  const studyInstanceUids = mpps.references.flatMap((item) => [item.studyInstanceUid, ...item.referencedStudyUids]);
  const accessionNumbers = mpps.references.flatMap((item) => item.accessionNumber ?? []);
  const orders = await holdFound(unit, () => ordersOfReferences(unit.tx, { studyInstanceUids, accessionNumbers }));
  const named = namedPatient(dataset);
  const meaning = meaningOf(mpps, orders, named);
  const exceptions = exceptionsOf(meaning, (step) => named(ownerOf(orders, step)));
  const own = newStudies(mpps, orders, meaning);
  if (own.length > 0) {
    const made = await makeUnscheduled(unit, inbound, { dataset, studyInstanceUids: own });
    orders.push(made.held);
    exceptions.splice(0, exceptions.length, 'unscheduled', ...made.doubts);
  }
  const steps = own.length > 0 ? stepsOf(orders.slice(-1)) : meaning.matched.map(({ stepId }) => stepId);
  const performedStepId = await createPerformedStep(unit.tx, {
    sopInstanceUid: request.sopInstanceUid,
    performedProcedureStepId: mpps.performedProcedureStepId,
    performedStationAeTitle: mpps.performedStationAeTitle,
    modality: mpps.modality,
    studyInstanceUids,
    dataset: storable(dataset),
    exception: exceptions.join(', ') || undefined,
    callingAeTitle: request.callingAeTitle,
    stepIds: steps,
    evidenceOf: meaning.evidence,
    at: cause.at,
  });
  if (performedStepId === undefined) throw new RequestRefused(duplicateInstance);
  const waits = [{ about: performedStepId, since: cause.at }];
  await beginWaiting(unit, 'performedStepNotEnded', waits, cause.at);
  for (const procedure of orders.flatMap((held) => held.procedures)) {
    tell(procedure, inbound, { steps, evidence: meaning.evidence });
  }
  await finish(unit, orders, cause.at);
  await relayMpps(unit, inbound);
}

function tell(
  procedure: HeldProcedure,
  { request, cause, confirmation }: InboundDicom,
  performed: { readonly steps: readonly number[]; readonly evidence: readonly number[] },
): void {
  const steps = procedure.stored.steps
    .filter(({ id }) => performed.steps.includes(id))
    .map((step) => step.scheduledProcedureStepId);
  const performedStep = request.sopInstanceUid;
  if (steps.length > 0) send(procedure, { type: 'performedStepStarted', performedStep, steps, confirmation }, cause);
  else if (performed.evidence.includes(procedure.stored.id)) send(procedure, { type: 'evidenceStarted' }, cause);
}

const stepsOf = (orders: readonly HeldOrder[]): number[] =>
  orders.flatMap(({ procedures }) => procedures.flatMap(({ stored }) => stored.steps.map(({ id }) => id)));

/** The studies for which procedures have to be made: the modality's own, where nothing of the MPPS is known here. */
function newStudies(mpps: Mpps, orders: readonly HeldOrder[], { matched, evidence }: Meaning): string[] {
  if (matched.length > 0 || evidence.length > 0) return [];
  const known = new Set(orders.flatMap(({ procedures }) => procedures.map(({ stored }) => stored.studyInstanceUid)));
  const isKnown = mpps.references.some((item) =>
    [item.studyInstanceUid, ...item.referencedStudyUids].some((uid) => known.has(uid)),
  );
  return isKnown ? [] : [...new Set(mpps.references.map((item) => item.studyInstanceUid))];
}

function ownerOf(orders: readonly HeldOrder[], step: StepCandidate): StoredPatient | undefined {
  return orders.find(({ procedures }) => procedures.some(({ stored }) => stored.id === step.procedureId))?.patient;
}

/** Whether a patient is the one whom the MPPS names; an MPPS that names nobody contradicts nobody. */
function namedPatient(dataset: Dataset): (patient: StoredPatient | undefined) => boolean {
  const patientId = text(dataset, 'PatientID');
  const issuer = text(dataset, 'IssuerOfPatientID');
  return (patient) =>
    patientId === undefined ||
    [...(patient?.identifiers ?? []), ...(patient?.formerIdentifiers ?? [])].some(
      ({ value, assigningAuthority }) => value === patientId && (issuer === undefined || issuer === assigningAuthority),
    );
}

/** What a person should look at: all of it, one thing does not hide another. */
function exceptionsOf({ matched, unmatched }: Meaning, samePatient: (step: StepCandidate) => boolean): Exception[] {
  const exceptions: Exception[] = [];
  if (unmatched) exceptions.push('no-open-step');
  if (!matched.every(samePatient)) exceptions.push('patient-differs');
  if (matched.some((step) => step.stepStatus === 'STARTED')) exceptions.push('already-started');
  return exceptions;
}
