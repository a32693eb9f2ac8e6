import { type Dataset, items, text } from '../dicom/dataset.ts';
import { isRefusal } from '../mapping/dicom-checks.ts';
import {
  type Mpps,
  type MppsUpdate,
  applySet,
  checkCreate,
  instancesOf,
  mppsFromDicom,
} from '../mapping/mpps-from-dicom.ts';
import { datasetFromStored, storable } from '../mapping/stored-dataset.ts';
import { isUid } from '../platform/ids.ts';
import {
  type StepCandidate,
  duplicateInstance,
  invalidInstance,
  matchStep,
  setRefusal,
  unknownInstance,
} from '../workflow/mpps-rules.ts';
import { type DiscontinuationEffect, discontinuationEffect } from '../workflow/discontinuation.ts';
import type { ProcedureEvent } from '../workflow/procedure-context.ts';
import type { Confirmation } from '../workflow/vocabulary.ts';
import {
  type StoredPerformedStep,
  countInstances,
  createPerformedStep,
  lastNotification,
  lockPerformedStep,
  ordersOfPerformedStep,
  savePerformedStep,
} from '../store/performed-steps.ts';
import type { StoredPatient } from '../store/patients.ts';
import { ordersOfReferences } from '../store/procedures.ts';
import type { Department } from './department.ts';
import {
  type DicomAnswer,
  type DicomRequest,
  type InboundDicom,
  RequestRefused,
  carryOutRequest,
  statusText,
} from './inbound-dicom.ts';
import { type HeldOrder, type HeldProcedure, type Unit, finish, holdOrders, send, stateOf } from './unit-of-work.ts';

/** Modality Performed Procedure Step SOP Class. */
export const MPPS_SOP_CLASS = '1.2.840.10008.3.1.2.3.3';

/** An MPPS request from the wire. */
export interface MppsRequest {
  readonly sopInstanceUid: string | undefined;
  readonly callingAeTitle: string;
  readonly dataset: Dataset;
  readonly raw: Uint8Array;
  readonly transferSyntaxUid: string;
}

/** Why a person should look at an MPPS; listed until somebody has. */
type Exception =
  'no-open-step' | 'patient-differs' | 'already-started' | 'discontinued' | 'wrong-entry' | 'procedure-ended';

function requestOf(
  mpps: MppsRequest,
  sopInstanceUid: string,
  about: Pick<DicomRequest, 'transaction' | 'messageType'>,
): DicomRequest {
  return {
    ...about,
    sopInstanceUid,
    callingAeTitle: mpps.callingAeTitle,
    raw: mpps.raw,
    transferSyntaxUid: mpps.transferSyntaxUid,
  };
}

/** RAD-6 Modality Procedure Step In Progress (RAD TF-2 4.6): N-CREATE. A request without an instance UID gets one. */
export async function mppsCreate(department: Department, mpps: MppsRequest): Promise<DicomAnswer> {
  const sopInstanceUid = mpps.sopInstanceUid ?? department.ids.uid();
  const request = requestOf(mpps, sopInstanceUid, { transaction: 'RAD-6', messageType: 'N-CREATE' });
  return carryOutRequest(department, request, async (unit, inbound) => {
    if (!isUid(sopInstanceUid)) throw new RequestRefused(invalidInstance);
    // A known instance is a duplicate whatever comes with it; the index decides between two at once.
    if (await ordersOfPerformedStep(unit.tx, sopInstanceUid)) throw new RequestRefused(duplicateInstance);
    const checked = checkCreate(mpps.dataset, department.config.policy.validation);
    if (isRefusal(checked)) throw new RequestRefused(checked);
    inbound.remarks.push(...checked);
    await start(unit, inbound, { mpps: mppsFromDicom(mpps.dataset), dataset: mpps.dataset });
    return undefined;
  });
}

interface Started {
  readonly mpps: Mpps;
  readonly dataset: Dataset;
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

async function start(unit: Unit, inbound: InboundDicom, { mpps, dataset }: Started): Promise<void> {
  const { request, cause } = inbound;
  const studyInstanceUids = mpps.references.flatMap((item) => [item.studyInstanceUid, ...item.referencedStudyUids]);
  const accessionNumbers = mpps.references.flatMap((item) => item.accessionNumber ?? []);
  const orders = await holdOrders(unit, await ordersOfReferences(unit.tx, { studyInstanceUids, accessionNumbers }));
  const matches = mpps.references.map((item) => matchStep(item, candidatesOf(orders), mpps));
  const named = namedPatient(dataset);
  // An accession number alone, with another patient's identifier beside it, is no proof whose step it was.
  const sure = matches
    .filter((match) => match !== undefined)
    .filter(({ step, by }) => by !== 'accession' || named(ownerOf(orders, step)));
  const matched = [...new Map(sure.map(({ step }) => [step.stepId, step])).values()];
  const exceptions = exceptionsOf(matched, {
    unmatched: sure.length < matches.length,
    samePatient: (step) => named(ownerOf(orders, step)),
  });
  const performedStepId = await createPerformedStep(unit.tx, {
    sopInstanceUid: request.sopInstanceUid,
    performedProcedureStepId: mpps.performedProcedureStepId,
    performedStationAeTitle: mpps.performedStationAeTitle,
    modality: mpps.modality,
    studyInstanceUids,
    dataset: storable(dataset),
    exception: exceptions.join(', ') || undefined,
    callingAeTitle: request.callingAeTitle,
    stepIds: matched.map((step) => step.stepId),
    at: cause.at,
  });
  if (performedStepId === undefined) throw new RequestRefused(duplicateInstance);
  for (const procedure of orders.flatMap((held) => held.procedures)) {
    const steps = matched
      .filter((step) => step.procedureId === procedure.stored.id)
      .map((step) => step.scheduledProcedureStepId);
    if (steps.length === 0) continue;
    send(
      procedure,
      {
        type: 'performedStepStarted',
        performedStep: request.sopInstanceUid,
        steps,
        confirmation: inbound.confirmation,
      },
      cause,
    );
  }
  await finish(unit, orders, cause.at);
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
function exceptionsOf(
  matched: readonly StepCandidate[],
  seen: { readonly unmatched: boolean; readonly samePatient: (step: StepCandidate) => boolean },
): Exception[] {
  const exceptions: Exception[] = [];
  if (seen.unmatched) exceptions.push('no-open-step');
  if (!matched.every(seen.samePatient)) exceptions.push('patient-differs');
  if (matched.some((step) => step.stepStatus === 'STARTED')) exceptions.push('already-started');
  return exceptions;
}

/** RAD-7 Modality Procedure Step Completed (RAD TF-2 4.7): N-SET, and every N-SET before it. */
export async function mppsSet(department: Department, mpps: MppsRequest): Promise<DicomAnswer> {
  const sopInstanceUid = mpps.sopInstanceUid ?? '';
  const request = requestOf(mpps, sopInstanceUid, { transaction: 'RAD-7', messageType: 'N-SET' });
  return carryOutRequest(department, request, async (unit, inbound) => {
    const orderIds = await ordersOfPerformedStep(unit.tx, sopInstanceUid);
    if (!orderIds) throw new RequestRefused(unknownInstance);
    const orders = await holdOrders(unit, orderIds);
    const stored = await lockPerformedStep(unit.tx, sopInstanceUid);
    const refusal = setRefusal(stored.performedProcedureStepStatus);
    if (refusal) throw new RequestRefused(refusal);
    return update(unit, inbound, { orders, stored, change: mpps.dataset });
  });
}

interface Update {
  readonly orders: readonly HeldOrder[];
  readonly stored: StoredPerformedStep;
  readonly change: Dataset;
}

/** What a person should look at when an MPPS ends: that it was stopped, or that what it performs had been ended before. */
function exceptionsAtEnd(
  status: MppsUpdate['status'],
  effect: DiscontinuationEffect,
  procedures: readonly HeldProcedure[],
): Exception[] {
  if (status === 'IN PROGRESS') return [];
  const ended = procedures.some((procedure) => ['discontinued', 'cancelled'].includes(stateOf(procedure)));
  const stopped: Exception[] =
    status === 'DISCONTINUED' ? [effect === 'wrongEntry' ? 'wrong-entry' : 'discontinued'] : [];
  return [...stopped, ...(ended ? (['procedure-ended'] as const) : [])];
}

// PS3.7 C.4.2: attribute list error, a warning: what could be taken was taken.
const ATTRIBUTE_LIST_WARNING = 0x0107;

async function update(
  unit: Unit,
  inbound: InboundDicom,
  { orders, stored, change }: Update,
): Promise<Partial<DicomAnswer> | undefined> {
  const { at } = inbound.cause;
  const result = applySet(datasetFromStored(stored.dataset), change, unit.department.config.policy.validation);
  if (isRefusal(result)) throw new RequestRefused(result);
  inbound.remarks.push(...result.remarks);
  const effect = discontinuationEffect(reasonOf(result.dataset));
  const procedures = orders
    .flatMap((held) => held.procedures)
    .filter(({ stored: procedure }) => procedure.steps.some((step) => stored.stepIds.includes(step.id)));
  const noted = exceptionsAtEnd(result.status, effect, procedures);
  const exception = [stored.exception ?? [], ...noted].flat().join(', ') || null;
  await savePerformedStep(unit.tx, stored.id, {
    status: result.status,
    dataset: storable(result.dataset),
    exception,
    instances: instancesOf(result.dataset),
    at,
  });
  const answer = answerTo(result);
  const confirmation = { ...inbound.confirmation, code: statusText(answer?.status ?? 0) };
  for (const procedure of procedures) {
    const steps = procedure.stored.steps
      .filter((step) => stored.stepIds.includes(step.id))
      .map((step) => step.scheduledProcedureStepId);
    const performed = { performedStep: stored.sopInstanceUid, steps, confirmation };
    send(procedure, await eventOf(unit, procedure, { status: result.status, effect, performed }), inbound.cause);
  }
  await finish(unit, orders, at);
  return answer;
}

/** (0040,0281), its first item. */
function reasonOf(dataset: Dataset): { code: string | undefined; scheme: string | undefined } | undefined {
  const [reason] = items(dataset, 'PerformedProcedureStepDiscontinuationReasonCodeSequence');
  return reason && { code: text(reason, 'CodeValue'), scheme: text(reason, 'CodingSchemeDesignator') };
}

/** Undefined is plain success. */
function answerTo({
  toleratedAttributes,
}: MppsUpdate): Pick<DicomAnswer, 'status' | 'attributeIdentifierList'> | undefined {
  if (toleratedAttributes.length === 0) return undefined;
  return { status: ATTRIBUTE_LIST_WARNING, attributeIdentifierList: toleratedAttributes };
}

interface Performed {
  readonly status: 'IN PROGRESS' | 'COMPLETED' | 'DISCONTINUED';
  /** What the reason of a discontinuation means for the step. */
  readonly effect: DiscontinuationEffect;
  readonly performed: {
    readonly performedStep: string;
    readonly steps: readonly string[];
    readonly confirmation: Confirmation;
  };
}

/** The event of an N-SET; a final one carries how many instances the final MPPS now name and how many are there. */
async function eventOf(
  unit: Unit,
  procedure: HeldProcedure,
  { status, effect, performed }: Performed,
): Promise<ProcedureEvent> {
  if (status === 'IN PROGRESS') return { type: 'performedStepUpdated', ...performed };
  const procedureId = procedure.stored.id;
  const counts = (await countInstances(unit.tx, [procedureId])).get(procedureId) ?? { named: 0, available: 0 };
  const report = counts.available > 0 ? await lastNotification(unit.tx, procedureId) : undefined;
  const notification: Confirmation | undefined = report && {
    kind: 'notification',
    peer: report.callingAeTitle,
    messageId: report.messageId,
    code: '0000',
    at: report.at.toISOString(),
  };
  const instances = { ...counts, notification };
  if (status === 'COMPLETED') return { type: 'performedStepCompleted', ...performed, instances };
  return { type: 'performedStepDiscontinued', ...performed, instances, effect };
}
