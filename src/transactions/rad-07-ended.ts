import { type Dataset, items, text } from '../dicom/dataset.ts';
import { isRefusal } from '../mapping/dicom-checks.ts';
import { type MppsUpdate, applySet, instancesOf } from '../mapping/mpps-from-dicom.ts';
import { datasetFromStored, storable } from '../mapping/stored-dataset.ts';
import { type DiscontinuationEffect, discontinuationEffect } from '../workflow/discontinuation.ts';
import type { ProcedureEvent } from '../workflow/procedure-events.ts';
import type { Confirmation } from '../workflow/vocabulary.ts';
import { type StoredPerformedStep, countInstances, lastReport, savePerformedStep } from '../store/performed-steps.ts';
import { type DicomAnswer, type InboundDicom, RequestRefused, statusText } from './inbound-dicom.ts';
import { relayMpps } from './rad-06-07-relay.ts';
import type { Exception } from './rad-06-started.ts';
import { type HeldOrder, type HeldProcedure, type Unit, finish, send, stateOf } from './unit-of-work.ts';

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
  for (const procedure of orders.flatMap((held) => held.procedures)) {
    if (!stored.evidenceOf.includes(procedure.stored.id)) continue;
    send(procedure, await evidenceEventOf(unit, procedure, result.status), inbound.cause);
  }
  await finish(unit, orders, at);
  await relayMpps(unit, inbound);
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
  const instances = await instancesNow(unit, procedure.stored.id);
  if (status === 'COMPLETED') return { type: 'performedStepCompleted', ...performed, instances };
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
