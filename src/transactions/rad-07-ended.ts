import { localTimeOf } from '../platform/clock.ts';
import { type Dataset, items, text } from '../dicom/dataset.ts';
import { isRefusal } from '../mapping/dicom-checks.ts';
import { type MppsUpdate, applySet, instancesOf } from '../mapping/mpps-from-dicom.ts';
import { datasetFromStored, storable } from '../mapping/stored-dataset.ts';
import { type DiscontinuationEffect, discontinuationEffect } from '../workflow/discontinuation.ts';
import type { ProcedureEvent } from '../workflow/procedure-events.ts';
import type { Confirmation } from '../workflow/vocabulary.ts';
import {
  type StoredPerformedStep,
  countInstances,
  lastReport,
  noteException,
  savePerformedStep,
} from '../store/performed-steps.ts';
import { endTimers } from '../store/timers.ts';
import { type DicomAnswer, type InboundDicom, RequestRefused, statusText } from './inbound-dicom.ts';
import { relayMpps } from './rad-06-07-relay.ts';
import type { Exception } from './rad-06-started.ts';
import {
  type Cause,
  type HeldOrder,
  type HeldProcedure,
  type Unit,
  finish,
  send,
  stateOf,
  takeDownRefused,
} from './unit-of-work.ts';
import { beginWaiting } from './waiting.ts';

/** An N-SET on an MPPS that is locked with its orders. */
export interface Update {
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

/** RAD-7: an N-SET moves what its MPPS performs; a final one carries its instances. */
export async function changePerformed(
  unit: Unit,
  inbound: InboundDicom,
  { orders, stored, change }: Update,
): Promise<Partial<DicomAnswer> | undefined> {
  const result = applySet(datasetFromStored(stored.dataset), change, unit.department.config.policy.validation);
  if (isRefusal(result)) throw new RequestRefused(result);
  inbound.remarks.push(...result.remarks);
  const answer = answerTo(result);
  const confirmation = { ...inbound.confirmation, code: statusText(answer?.status ?? 0) };
  const { status, dataset } = result;
  await movePerformed(unit, { orders, stored, dataset, cause: inbound.cause }, { status, confirmation });
  await finish(unit, orders, inbound.cause.at);
  await relayMpps(unit, inbound);
  return answer;
}

/**
 * Ends an MPPS that its modality has not ended (PS3.4 F.7.2.2: the SCP may, as an exception, where the SCU cannot). When it
 * ended nobody here knows: the moment of this act stands for it. No reason is made up, so a person decides of its steps.
 * The image manager is not told: its own instance goes on until the modality says something.
 */
export async function endPerformed(
  unit: Unit,
  { orders, stored }: Omit<Update, 'change'>,
  cause: Cause,
): Promise<void> {
  const { date, time } = localTimeOf(cause.at, unit.department.config.organisation.timeZone);
  const dataset: Dataset = {
    ...datasetFromStored(stored.dataset),
    PerformedProcedureStepStatus: ['DISCONTINUED'],
    PerformedProcedureStepEndDate: [date.replaceAll('-', '')],
    PerformedProcedureStepEndTime: [time.replaceAll(':', '')],
  };
  await movePerformed(unit, { orders, stored, dataset, cause }, { status: 'DISCONTINUED' });
}

/**
 * An N-SET on an MPPS that the department has ended is refused as on any that is final (0110, A710), but what it says is
 * not lost: the journal has it, the MPPS is listed, and the image manager, whose instance goes on, gets it.
 */
export async function noteLateUpdate(
  unit: Unit,
  { orders, stored }: Omit<Update, 'change'>,
  inbound: Pick<InboundDicom, 'request' | 'cause'>,
): Promise<void> {
  const { cause } = inbound;
  const exceptions = (stored.exception ?? '').split(', ').filter((one) => one !== '' && one !== lateUpdate);
  await noteException(unit.tx, stored.id, [...exceptions, lateUpdate].join(', '));
  const remark = 'the department had ended the performed step; the journal has what its modality says';
  for (const procedure of orders.flatMap((held) => held.procedures)) {
    const performs = procedure.stored.steps.some(({ id }) => stored.stepIds.includes(id));
    if (performs || stored.evidenceOf.includes(procedure.stored.id))
      takeDownRefused(procedure, 'performedStepUpdated', { ...cause, remark });
  }
  await finish(unit, orders, cause.at);
  await relayMpps(unit, inbound);
}

const lateUpdate: Exception = 'late-update';

/** What an MPPS is from now on, locked with its orders, and why. */
interface Changed extends Omit<Update, 'change'> {
  readonly dataset: Dataset;
  readonly cause: Cause;
}

/** Where it stands. A discontinuation is one of the eight transactions no more than what the department ends itself. */
type Standing =
  | { readonly status: 'IN PROGRESS' | 'COMPLETED'; readonly confirmation: Confirmation }
  | { readonly status: 'DISCONTINUED' };

/** Saves an MPPS as it is now and moves what it performs; the caller finishes the orders. */
async function movePerformed(
  unit: Unit,
  { orders, stored, dataset, cause }: Changed,
  standing: Standing,
): Promise<void> {
  const { at } = cause;
  const { status } = standing;
  const effect = discontinuationEffect(reasonOf(dataset));
  const procedures = orders
    .flatMap((held) => held.procedures)
    .filter(({ stored: procedure }) => procedure.steps.some((step) => stored.stepIds.includes(step.id)));
  const noted = exceptionsAtEnd(status, effect, procedures);
  const exception = [stored.exception ?? [], ...noted].flat().join(', ') || null;
  const instances = instancesOf(dataset);
  await savePerformedStep(unit.tx, stored.id, { status, dataset: storable(dataset), exception, instances, at });
  await endTimers(unit.tx, 'performedStepNotEnded', [stored.id], at);
  // A modality that goes on saying something is alive.
  const waits = status === 'IN PROGRESS' ? [{ about: stored.id, since: at }] : [];
  await beginWaiting(unit, 'performedStepNotEnded', waits, at);
  for (const procedure of procedures) {
    const steps = procedure.stored.steps
      .filter((step) => stored.stepIds.includes(step.id))
      .map((step) => step.scheduledProcedureStepId);
    const performed = { performedStep: stored.sopInstanceUid, steps };
    send(procedure, await eventOf(unit, procedure, { performed, effect, standing }), cause);
  }
  for (const procedure of orders.flatMap((held) => held.procedures)) {
    if (!stored.evidenceOf.includes(procedure.stored.id)) continue;
    send(procedure, await evidenceEventOf(unit, procedure, status), cause);
  }
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
  readonly standing: Standing;
  /** What the reason of a discontinuation means for the step. */
  readonly effect: DiscontinuationEffect;
  readonly performed: { readonly performedStep: string; readonly steps: readonly string[] };
}

/** The event of an N-SET; a final one carries how many instances the final MPPS now name and how many are there. */
async function eventOf(
  unit: Unit,
  procedure: HeldProcedure,
  { standing, effect, performed }: Performed,
): Promise<ProcedureEvent> {
  if (standing.status === 'IN PROGRESS') {
    return { type: 'performedStepUpdated', ...performed, confirmation: standing.confirmation };
  }
  const instances = await instancesNow(unit, procedure.stored.id);
  if (standing.status === 'COMPLETED') {
    return { type: 'performedStepCompleted', ...performed, confirmation: standing.confirmation, instances };
  }
  return { type: 'performedStepDiscontinued', ...performed, instances, effect };
}

/** The event of an N-SET of an evidence creator (RAD-21). */
async function evidenceEventOf(
  unit: Unit,
  procedure: HeldProcedure,
  status: MppsUpdate['status'],
): Promise<ProcedureEvent> {
  if (status === 'IN PROGRESS') return { type: 'evidenceUpdated' };
  return { type: 'evidenceEnded', instances: await instancesNow(unit, procedure.stored.id) };
}

/** What the final MPPS of a procedure name, how much of it is there, and who said so last. */
async function instancesNow(unit: Unit, procedureId: number) {
  const counts = (await countInstances(unit.tx, [procedureId])).get(procedureId) ?? { named: 0, available: 0 };
  const report = counts.available > 0 ? await lastReport(unit.tx, procedureId) : undefined;
  const notification: Confirmation | undefined = report && { ...report, code: '0000', at: report.at.toISOString() };
  return { ...counts, notification };
}
