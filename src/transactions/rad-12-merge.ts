import { mergesFromHl7 } from '../mapping/merge-from-hl7.ts';
import { SwfError } from '../platform/errors.ts';
import { patientChanged, registered } from '../workflow/patient-changes.ts';
import type { PatientMerge } from '../workflow/statements.ts';
import type { PatientIdentifier } from '../workflow/vocabulary.ts';
import { keepFormerIdentifier, mergePatients, replaceIdentifier, retireIdentifier } from '../store/merges.ts';
import { remark } from '../store/messages.ts';
import {
  type StoredPatient,
  addIdentifiers,
  findOrCreatePatient,
  findPatientId,
  isSameIdentifier,
  lockPatient,
  lockPatients,
  savePatient,
} from '../store/patients.ts';
import { proceduresOfPatient, stepsOfPatient } from '../store/find-procedures.ts';
import { addHistory } from '../store/procedures.ts';
import { freeTemporaryNumber, wasReconciledWith } from '../store/temporary-patients.ts';
import { saveVisit } from '../store/visits.ts';
import type { InboundHl7, InboundHl7Transaction } from './inbound-hl7.ts';
import { causeOf } from './inbound-cause.ts';
import { tellOfPatient } from './patient-updates.ts';
import { checkEvent, tellRegistered } from './rad-01-12-patient.ts';
import { isShared, settleWhose, whileShared } from './reconciliation.ts';
import { type Unit, standingLine } from './unit-of-work.ts';

/**
 * RAD-12 Patient Update, merge and change of identifier (RAD TF-2 4.12, ITI TF-2 3.30): all groups of a message or none.
 */
export const patientMerge: InboundHl7Transaction = {
  id: 'RAD-12',
  name: 'Patient Update',
  accepts: ['ADT^A40', 'ADT^A47'],
  handle: async (unit, inbound) => {
    const { reading } = inbound;
    checkEvent(reading);
    const merges = mergesFromHl7(reading);
    await lockAll(unit, merges);
    const carry = reading.message.header.triggerEvent === 'A40' ? merge : changeIdentifier;
    for (const one of merges) await carry(unit, inbound, one);
    await remark(unit.tx, inbound.messageId, reading.remarks);
  },
};

/** Everybody whom the groups name, in one go and in the order of their ids, as every other unit locks. */
async function lockAll(unit: Unit, merges: readonly PatientMerge[]): Promise<void> {
  const ids = new Set<number>();
  for (const { survivor, subsumed } of merges) {
    for (const identifiers of [survivor.identifiers, subsumed]) {
      const owner = await findPatientId(unit.tx, identifiers);
      if (owner) ids.add(owner.id);
    }
  }
  await lockPatients(unit.tx, [...ids]);
}

/** The patient whom MRG-1 means. Throws 'unknown-key' (HL7 204) where nobody has it, or it was merged elsewhere before. */
async function priorOf(unit: Unit, { subsumed, sequence }: PatientMerge): Promise<{ id: number; former: boolean }> {
  const owner = await findPatientId(unit.tx, subsumed);
  if (owner) return { id: owner.id, former: owner.subsumed };
  const location = `MRG^${sequence}^1`;
  throw new SwfError('unknown-key', 'nobody has the prior patient identifier (MRG-1)', { location });
}

/** What else MRG-1 names: an identifier of somebody else stays his, one of nobody finds the survivor from now on. */
async function settleOthers(unit: Unit, inbound: InboundHl7, told: Told): Promise<void> {
  const { survivorId, priorId, said } = told;
  const { remarks } = inbound.reading;
  for (const identifier of said.subsumed) {
    const owner = await findPatientId(unit.tx, [identifier]);
    if (!owner) {
      await keepFormerIdentifier(unit.tx, survivorId, identifier);
      remarks.push('an identifier in MRG-1 was nobody’s; it means the surviving patient from now on');
    } else if (owner.id !== survivorId && owner.id !== priorId) {
      remarks.push('an identifier in MRG-1 belongs to another patient and stays there');
    }
  }
}

interface Told {
  readonly survivorId: number;
  readonly priorId: number;
  readonly said: PatientMerge;
}

async function merge(unit: Unit, inbound: InboundHl7, said: PatientMerge): Promise<void> {
  const { at, reading } = inbound;
  const prior = await priorOf(unit, said);
  const unknown = () => ({ patient: registered(undefined, said.survivor), at });
  const found = await findOrCreatePatient(unit.tx, said.survivor.identifiers, unknown);
  const { patient } = found;
  // A merge is not taken back by another one: who stays now has gone before (ITI TF-2 3.30).
  if (found.subsumed) throw mergedBefore('PID-3', `PID^${said.sequence}^3`);
  if (prior.former && prior.id !== patient.id) throw mergedBefore('MRG-1', `MRG^${said.sequence}^1`);
  if (!prior.former && prior.id !== patient.id) await checkMeansHim(unit, said, patient.id);
  if (found.created) reading.remarks.push('the surviving patient was not known and was made from PID');
  await savePatient(unit.tx, patient.id, registered(patient, said.survivor));
  const told: Told = { survivorId: patient.id, priorId: prior.id, said };
  if (prior.id !== patient.id) return mergeOne(unit, inbound, told);
  await visitOfMerge(unit, inbound, told);
  if (prior.former) {
    reading.remarks.push('the prior patient identifier (MRG-1) was merged into this patient before');
    const now = await lockPatient(unit.tx, patient.id);
    const changed = patientChanged(patient, now);
    if (changed) await tellOfPatient(unit, { patient: now, visit: undefined, triggerEvent: 'A40', changed, at });
    return;
  }
  for (const identifier of said.subsumed) await retireIdentifier(unit.tx, patient.id, identifier);
  await tellOfMerge(unit, inbound, told);
}

/**
 * A number of the department's list means the next patient by now: a merge into whom it meant before is about that one,
 * who is merged already. Throws 'ambiguous-key' (HL7 204).
 */
async function checkMeansHim({ tx }: Unit, { subsumed, sequence }: PatientMerge, survivorId: number): Promise<void> {
  for (const identifier of subsumed) {
    if (!(await wasReconciledWith(tx, identifier, survivorId))) continue;
    const sentence =
      'MRG-1 was reconciled with this patient before and is another one’s now: if that is him again, staff say so (POST /api/patients/{id}/reconcile)';
    throw new SwfError('ambiguous-key', sentence, { location: `MRG^${sequence}^1` });
  }
}

/** PV1 of the group, once all stays are the survivor's. */
async function visitOfMerge(unit: Unit, { at }: InboundHl7, { survivorId, said }: Told): Promise<void> {
  const change = { at, visitStatus: undefined, source: 'adt' as const };
  if (said.visit) await saveVisit(unit.tx, survivorId, said.visit, change);
}

function mergedBefore(field: string, location: string): SwfError {
  const sentence = `${field} names an identifier that was merged into another patient before; use that patient's`;
  return new SwfError('unknown-key', sentence, { location });
}

/** One patient goes into the survivor, with everything that is his. */
async function mergeOne(unit: Unit, inbound: InboundHl7, told: Told): Promise<void> {
  const { messageId, at } = inbound;
  const cause = causeOf(inbound);
  const { survivorId, priorId, said } = told;
  const subsumed = await lockPatient(unit.tx, priorId);
  const procedures = await proceduresOfPatient(unit.tx, priorId);
  const shared = subsumed.temporary && (await isShared(unit.tx, subsumed));
  const why = shared ? whileShared(cause) : cause;
  const lines = procedures.map((procedure) => standingLine(procedure, 'patientMerged', why));
  const identifiers = said.subsumed;
  await settleWhose(unit.tx, await stepsOfPatient(unit.tx, priorId));
  await mergePatients(unit.tx, { survivorId, subsumedId: priorId, identifiers, messageId, at });
  await visitOfMerge(unit, inbound, told);
  await settleOthers(unit, inbound, told);
  await addHistory(unit.tx, lines);
  const { registration } = await lockPatient(unit.tx, survivorId);
  if (registration) await tellRegistered(unit, survivorId, { registration, cause });
  await tellOfMerge(unit, inbound, told, { subsumed, shared });
}

/** RAD-12 A40 to who knows either of them. */
async function tellOfMerge(
  unit: Unit,
  { at, reading }: InboundHl7,
  { survivorId, said }: Told,
  { subsumed, shared = false }: { readonly subsumed?: StoredPatient; readonly shared?: boolean } = {},
): Promise<void> {
  const patient = await lockPatient(unit.tx, survivorId);
  const named = said.subsumed.filter((one) =>
    patient.formerIdentifiers.some((row) => isSameIdentifier({ universalId: null, ...row }, one)),
  );
  // Under another authority's number the others may know him: his first one is the one that names him outside.
  const [first] = subsumed?.identifiers ?? [];
  const known = first === undefined || named.some((one) => isSameIdentifier({ universalId: null, ...first }, one));
  await tellOfPatient(unit, {
    patient,
    visit: undefined,
    triggerEvent: 'A40',
    changed: true,
    merged: { identifiers: known ? named : [...named, first], ...(subsumed ? { name: subsumed.name } : {}) },
    // No procedure of his was announced, but his images are there under the number of the modality.
    ...(subsumed?.temporary ? { everybody: !shared } : {}),
    occurredAt: reading.message.first('EVN')?.get(6) ?? undefined,
    at,
  });
}

/** A47: the patient has other identifiers from now on; the old ones still find him. */
async function changeIdentifier(unit: Unit, inbound: InboundHl7, said: PatientMerge): Promise<void> {
  const { identifiers } = said.survivor;
  const prior = await priorOf(unit, said);
  const owner = await findPatientId(unit.tx, identifiers);
  if (prior.former && owner?.id === prior.id && !owner.subsumed) {
    inbound.reading.remarks.push('the patient identifier had been changed before');
    return;
  }
  if (prior.former) throw mergedBefore('MRG-1', `MRG^${said.sequence}^1`);
  if (owner && owner.id !== prior.id) {
    throw new SwfError('duplicate-key', 'the new patient identifier (PID-3) is another patient’s', {
      location: `PID^${said.sequence}^3`,
    });
  }
  await addIdentifiers(unit.tx, prior.id, identifiers);
  for (const old of said.subsumed) {
    const replacement = identifiers.find((one) => sameAuthority(one, old));
    if (replacement) await replaceIdentifier(unit.tx, prior.id, { old, replacement });
    else await retireIdentifier(unit.tx, prior.id, old);
    await freeTemporaryNumber(unit.tx, prior.id, old.value, inbound.at);
  }
  const patient = await lockPatient(unit.tx, prior.id);
  await savePatient(unit.tx, patient.id, registered(patient, said.survivor));
  await tellOfMerge(unit, inbound, { survivorId: patient.id, priorId: patient.id, said });
}

const sameAuthority = (one: PatientIdentifier, other: PatientIdentifier): boolean =>
  one.assigningAuthority === other.assigningAuthority ||
  (one.universalId !== undefined && one.universalId === other.universalId);
