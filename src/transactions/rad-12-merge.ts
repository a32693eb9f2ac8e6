import { mergesFromHl7 } from '../mapping/merge-from-hl7.ts';
import { SwfError } from '../platform/errors.ts';
import { registered } from '../workflow/patient-changes.ts';
import type { PatientMerge } from '../workflow/statements.ts';
import type { PatientIdentifier } from '../workflow/vocabulary.ts';
import { mergePatients, replaceIdentifier } from '../store/merges.ts';
import { remark } from '../store/messages.ts';
import {
  type StoredPatient,
  addIdentifiers,
  findOrCreatePatient,
  findPatientId,
  lockPatient,
  lockPatients,
  savePatient,
} from '../store/patients.ts';
import { addHistory, openProcedures } from '../store/procedures.ts';
import { saveVisit } from '../store/visits.ts';
import type { InboundHl7, InboundHl7Transaction } from './inbound-hl7.ts';
import { tellOfPatient } from './patient-updates.ts';
import { checkEvent } from './rad-01-12-patient.ts';
import type { Unit } from './unit-of-work.ts';

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
    for (const identifiers of [survivor.identifiers, ...subsumed.map((one) => [one])]) {
      const owner = await findPatientId(unit.tx, identifiers);
      if (owner) ids.add(owner.id);
    }
  }
  await lockPatients(unit.tx, [...ids]);
}

interface Subsumed {
  readonly id: number;
  readonly identifier: PatientIdentifier;
  /** The identifier had been merged before. */
  readonly former: boolean;
}

/** The owners of MRG-1. Throws 'unknown-key' (HL7 204) where nobody has any of them. */
async function subsumedOf(unit: Unit, { subsumed, sequence }: PatientMerge): Promise<Subsumed[]> {
  const found: Subsumed[] = [];
  for (const identifier of subsumed) {
    const owner = await findPatientId(unit.tx, [identifier]);
    if (owner) found.push({ id: owner.id, identifier, former: owner.subsumed });
  }
  if (found.length > 0) return found;
  const location = `MRG^${sequence}^1`;
  throw new SwfError('unknown-key', 'nobody has the prior patient identifier (MRG-1)', { location });
}

async function merge(unit: Unit, inbound: InboundHl7, said: PatientMerge): Promise<void> {
  const { at, reading } = inbound;
  const prior = await subsumedOf(unit, said);
  const unknown = () => ({ patient: registered(undefined, said.survivor), at });
  const found = await findOrCreatePatient(unit.tx, said.survivor.identifiers, unknown);
  const { patient } = found;
  const strangers = prior.filter((one) => one.id !== patient.id);
  const elsewhere = strangers.find((one) => one.former);
  if (elsewhere) {
    const sentence = 'the prior patient identifier (MRG-1) was merged into another patient before';
    throw new SwfError('unknown-key', sentence, { location: `MRG^${said.sequence}^1` });
  }
  if (found.created) reading.remarks.push('the surviving patient was not known and was made from PID');
  await savePatient(unit.tx, patient.id, registered(patient, said.survivor));
  if (said.visit) await saveVisit(unit.tx, patient.id, said.visit, { at, visitStatus: undefined, source: 'adt' });
  for (const own of prior.filter((one) => one.id === patient.id)) {
    if (own.former) reading.remarks.push('the prior patient identifier (MRG-1) was merged into this patient before');
    else await replaceIdentifier(unit.tx, patient.id, { old: own.identifier, replacement: undefined });
  }
  for (const id of new Set(strangers.map((one) => one.id))) await mergeOne(unit, inbound, { id, patient, said });
  if (strangers.length === 0) await tellOfMerge(unit, inbound, { survivorId: patient.id, said });
}

interface MergeOne {
  readonly id: number;
  readonly patient: StoredPatient;
  readonly said: PatientMerge;
}

/** One patient goes into the survivor, with everything that is his. */
async function mergeOne(unit: Unit, inbound: InboundHl7, { id, patient, said }: MergeOne): Promise<void> {
  const { messageId, at, sendingApplication: causedBy } = inbound;
  const subsumed = await lockPatient(unit.tx, id);
  const event = 'patientMerged';
  const lines = (await openProcedures(unit.tx, { patientId: id })).map((open) => ({
    procedureId: open.id,
    at,
    event,
    fromState: open.state,
    toState: open.state,
    messageId,
    causedBy,
  }));
  await mergePatients(unit.tx, {
    survivorId: patient.id,
    subsumedId: id,
    identifiers: said.subsumed,
    messageId,
    at,
  });
  await addHistory(unit.tx, lines);
  await tellOfMerge(unit, inbound, { survivorId: patient.id, said, subsumed });
}

/** RAD-12 A40 to who knows either of them. */
async function tellOfMerge(
  unit: Unit,
  { at, reading }: InboundHl7,
  told: { readonly survivorId: number; readonly said: PatientMerge; readonly subsumed?: StoredPatient },
): Promise<void> {
  const { said, subsumed } = told;
  const patient = await lockPatient(unit.tx, told.survivorId);
  const identifiers = said.subsumed.filter(
    (one) => !subsumed || [...subsumed.identifiers, ...subsumed.formerIdentifiers].some((other) => isSame(one, other)),
  );
  await tellOfPatient(unit, {
    patient,
    visit: undefined,
    triggerEvent: 'A40',
    changed: true,
    merged: { identifiers, ...(subsumed ? { name: subsumed.name } : {}) },
    occurredAt: reading.message.first('EVN')?.get(6) ?? undefined,
    at,
  });
}

const isSame = (one: PatientIdentifier, other: PatientIdentifier): boolean =>
  one.value === other.value && one.assigningAuthority === other.assigningAuthority;

/** A47: the patient has other identifiers from now on; the old ones still find him. */
async function changeIdentifier(unit: Unit, inbound: InboundHl7, said: PatientMerge): Promise<void> {
  const { identifiers } = said.survivor;
  const [prior, ...others] = await subsumedOf(unit, said);
  const owner = await findPatientId(unit.tx, identifiers);
  const location = `PID^${said.sequence}^3`;
  if (!prior || others.some((one) => one.id !== prior.id)) {
    throw new SwfError('ambiguous-key', 'the prior patient identifiers (MRG-1) belong to several patients', {
      location: `MRG^${said.sequence}^1`,
    });
  }
  if (owner && owner.id !== prior.id) {
    throw new SwfError('duplicate-key', 'the new patient identifier (PID-3) is another patient’s', { location });
  }
  await addIdentifiers(unit.tx, prior.id, identifiers);
  for (const old of said.subsumed) {
    const replacement = identifiers.find((one) => one.assigningAuthority === old.assigningAuthority);
    await replaceIdentifier(unit.tx, prior.id, { old, replacement });
  }
  const patient = await lockPatient(unit.tx, prior.id);
  await savePatient(unit.tx, patient.id, registered(patient, said.survivor));
  await tellOfMerge(unit, inbound, { survivorId: patient.id, said });
}
