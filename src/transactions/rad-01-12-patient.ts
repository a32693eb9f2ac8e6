import { priorVisitFromHl7 } from '../mapping/merge-from-hl7.ts';
import { patientFromHl7, visitFromHl7 } from '../mapping/patient-from-hl7.ts';
import { type Reading, expected, textOf } from '../mapping/reader.ts';
import { localTimeOf } from '../platform/clock.ts';
import {
  completedByOrder,
  differenceRemark,
  differencesOf,
  patientChanged,
  registered,
} from '../workflow/patient-changes.ts';
import { type VisitStatus, acknowledgedBy } from '../workflow/vocabulary.ts';
import { remark } from '../store/messages.ts';
import { markDifferences } from '../store/orders.ts';
import { type FoundPatient, type StoredPatient, findOrCreatePatient, savePatient } from '../store/patients.ts';
import { openProcedures, ordersOfDay, ordersWithoutRegistration } from '../store/find-procedures.ts';
import { addHistory } from '../store/procedures.ts';
import { type StoredVisit, saveVisit } from '../store/visits.ts';
import type { InboundHl7, InboundHl7Transaction } from './inbound-hl7.ts';
import { causeOf } from './inbound-cause.ts';
import { namedBySubsumed } from './order-patient.ts';
import { tellOfPatient } from './patient-updates.ts';
import { type Cause, type Unit, finish, holdOrders, send, standingLine } from './unit-of-work.ts';

interface PatientEvent {
  /** The ADT names the patient as one of its own: step 1 of the eight. */
  readonly registers?: true;
  /** What becomes of the visit; undefined: as it stands. */
  readonly visitStatus?: VisitStatus;
  /** The event is about a stay that is there and stands so. */
  readonly stands?: readonly VisitStatus[];
  /** The stay may go on under another number. */
  readonly renumbers?: true;
  /** The event is about a person and no stay. */
  readonly personOnly?: true;
  /** How it stands in the history of the patient's open procedures. */
  readonly history?: 'patientUpdated' | 'visitUpdated' | 'visitCancelled';
}

const present: readonly VisitStatus[] = ['OPEN', 'PREADMIT'];

/** What each event of the ADT means to the department (RAD TF-2 4.1, 4.12; ITI TF-2 3.30, 3.31). */
const registrationEvents: Readonly<Record<string, PatientEvent>> = {
  A01: { registers: true, visitStatus: 'OPEN' },
  A04: { registers: true, visitStatus: 'OPEN' },
  A05: { registers: true, visitStatus: 'PREADMIT' },
  A28: { registers: true, personOnly: true },
  A10: { stands: present },
  A11: { visitStatus: 'CANCELLED', stands: present, history: 'visitCancelled' },
  A38: { visitStatus: 'CANCELLED', stands: ['PREADMIT'], history: 'visitCancelled' },
};

const updateEvents: Readonly<Record<string, PatientEvent>> = {
  A02: { stands: present, history: 'visitUpdated' },
  A03: { visitStatus: 'CLOSED', stands: ['OPEN'], history: 'visitUpdated' },
  A06: { visitStatus: 'OPEN', stands: present, renumbers: true, history: 'visitUpdated' },
  A07: { visitStatus: 'OPEN', stands: present, renumbers: true, history: 'visitUpdated' },
  A08: { stands: present, history: 'patientUpdated' },
  A12: { stands: present, history: 'visitUpdated' },
  A13: { visitStatus: 'OPEN', stands: ['CLOSED'], history: 'visitUpdated' },
  A31: { personOnly: true, history: 'patientUpdated' },
};

const accepted = (events: Readonly<Record<string, PatientEvent>>): string[] =>
  Object.keys(events).map((event) => `ADT^${event}`);

/** RAD-1 Patient Registration (RAD TF-2 4.1): the ADT names a patient and a visit, or takes a visit back. */
export const patientRegistration: InboundHl7Transaction = {
  id: 'RAD-1',
  name: 'Patient Registration',
  accepts: accepted(registrationEvents),
  handle: (unit, inbound) => patientEvent(unit, inbound, registrationEvents),
};

/** RAD-12 Patient Update (RAD TF-2 4.12): what changes in a patient or a visit; those who know him are told. */
export const patientUpdate: InboundHl7Transaction = {
  id: 'RAD-12',
  name: 'Patient Update',
  accepts: accepted(updateEvents),
  handle: (unit, inbound) => patientEvent(unit, inbound, updateEvents),
};

async function patientEvent(
  unit: Unit,
  inbound: InboundHl7,
  events: Readonly<Record<string, PatientEvent>>,
): Promise<void> {
  const { reading, messageId } = inbound;
  const { triggerEvent } = reading.message.header;
  const event = events[triggerEvent] ?? {};
  checkEvent(reading);
  const { patient, before, changed, found } = await savePerson(unit, inbound, event);
  const visit = event.personOnly ? undefined : await visitOf(unit, inbound, { patient, event });
  if (event.registers && before && !before.registration) await registeredNow(unit, inbound, { patient, changed });
  if (triggerEvent === 'A10') await arrive(unit, inbound, patient);
  if (event.history && !found.created) await takeDownForProcedures(unit, inbound, { event, patient, visit });
  const others = before !== undefined && (found.added > 0 || patientChanged(before, patient));
  const occurredAt = reading.message.first('EVN')?.get(6) ?? undefined;
  await tellOfPatient(unit, { patient, visit, triggerEvent, changed: others, occurredAt, at: inbound.at });
  await remark(unit.tx, messageId, reading.remarks);
}

export function checkEvent(reading: Reading): void {
  const evn = reading.message.first('EVN');
  expected(reading, evn !== undefined && textOf(evn, 2) !== undefined, 'EVN^1^2', 'the recorded time (EVN-2)');
}

interface SavedPerson {
  readonly patient: StoredPatient;
  /** Undefined for one who was made now. */
  readonly before: StoredPatient | undefined;
  /** Names of the identifying fields in which the message differs from what was known. */
  readonly changed: string[];
  readonly found: FoundPatient;
}

/** The patient as the ADT says; one who is named by a merged identifier is only filled where he is empty. */
async function savePerson(unit: Unit, inbound: InboundHl7, event: PatientEvent): Promise<SavedPerson> {
  const { reading, messageId, at, sendingApplication } = inbound;
  const said = patientFromHl7(reading);
  const unknown = () => ({ patient: registered(undefined, said), at });
  const found = await findOrCreatePatient(unit.tx, said.identifiers, unknown);
  if (found.foreign > 0)
    reading.remarks.push(`${found.foreign} identifiers in PID-3 belong to another patient and stay there`);
  if (found.created && !event.registers)
    reading.remarks.push('the patient was not known and was made from this message');
  if (found.subsumed) reading.remarks.push(`${namedBySubsumed}; his data stay as they are`);
  const changed = found.created || found.subsumed ? [] : differencesOf(found.patient, said);
  // A number that was given again shows here first: another person under the same identifier.
  if (changed.length > 0 && event.registers)
    reading.remarks.push(`the registration changes the known patient's ${changed.join(', ')}`);
  const after = found.subsumed ? completedByOrder(found.patient, said) : registered(found.patient, said);
  const registration = event.registers ? { messageId, at } : undefined;
  await savePatient(unit.tx, found.patient.id, after, { registration });
  const { identifiers, formerIdentifiers, id } = found.patient;
  const patient: StoredPatient = {
    ...after,
    id,
    identifiers,
    formerIdentifiers,
    temporary: false,
    registration: registration ? { ...registration, sendingApplication } : found.patient.registration,
  };
  return { patient, before: found.created ? undefined : found.patient, changed, found };
}

async function visitOf(
  unit: Unit,
  { reading, at }: InboundHl7,
  { patient, event }: { readonly patient: StoredPatient; readonly event: PatientEvent },
): Promise<StoredVisit | undefined> {
  const said = visitFromHl7(reading);
  const { stands, renumbers, visitStatus } = event;
  const stay = stands && { stands, renumbers, prior: priorVisitFromHl7(reading) };
  const change = { at, visitStatus, source: 'adt' as const, ...(stay ? { stay } : {}) };
  const saved = said && (await saveVisit(unit.tx, patient.id, said, change));
  if (said && !saved) reading.remarks.push('PV1 names no visit number, and no single stay of the patient can be meant');
  return saved;
}

/** What happened stands in the history of every procedure that it can concern. */
async function takeDownForProcedures(
  unit: Unit,
  inbound: InboundHl7,
  {
    event,
    patient,
    visit,
  }: { readonly event: PatientEvent; readonly patient: StoredPatient; readonly visit: StoredVisit | undefined },
): Promise<void> {
  const ofVisit = event.history !== 'patientUpdated' && visit !== undefined;
  const open = await openProcedures(unit.tx, ofVisit ? { visitId: visit.id } : { patientId: patient.id });
  const { reading } = inbound;
  const cause = { ...causeOf(inbound), remark: `ADT^${reading.message.header.triggerEvent}` };
  const lines = open.map((procedure) => standingLine(procedure, event.history ?? '', cause));
  if (event.history === 'visitCancelled' && lines.length > 0)
    reading.remarks.push(`the visit was cancelled while ${lines.length} procedures of it are open; they stay open`);
  await addHistory(unit.tx, lines);
}

/** A10: what the patient is there for today can begin. */
async function arrive(unit: Unit, inbound: InboundHl7, patient: StoredPatient): Promise<void> {
  const { at, reading } = inbound;
  const { date } = localTimeOf(at, unit.department.config.organisation.timeZone);
  const orders = await holdOrders(unit, await ordersOfDay(unit.tx, patient.id, date));
  const cause = causeOf(inbound);
  if (orders.length === 0) reading.remarks.push('no step of today waits for the patient');
  for (const procedure of orders.flatMap((held) => held.procedures)) {
    const waiting = procedure.stored.steps.filter((one) => one.stepStatus === 'SCHEDULED' && one.start.date === date);
    const movedSteps = waiting.map((step) => step.scheduledProcedureStepId);
    if (movedSteps.length > 0) send(procedure, { type: 'arrive', movedSteps }, cause);
  }
  await finish(unit, orders, at);
}

/** Orders that came before their patient was registered: their procedures learn that step 1 has happened. */
async function registeredNow(
  unit: Unit,
  inbound: InboundHl7,
  { patient, changed }: { readonly patient: StoredPatient; readonly changed: readonly string[] },
): Promise<void> {
  const remark = changed.length > 0 ? differenceRemark(changed) : undefined;
  const cause = { ...causeOf(inbound), remark };
  const { messageId, at, sendingApplication } = inbound;
  const registration = { messageId, at, sendingApplication };
  const orderIds = await tellRegistered(unit, patient.id, { registration, cause });
  // What an order said of the patient and the registration does not is for a person to look at, whichever came first.
  if (changed.length > 0) await markDifferences(unit.tx, orderIds, changed);
}

/** Tells the procedures of a locked patient that do not know it that he was registered; gives their orders. */
export async function tellRegistered(
  unit: Unit,
  patientId: number,
  { registration, cause }: { readonly registration: Registration; readonly cause: Cause },
): Promise<number[]> {
  const orderIds = await ordersWithoutRegistration(unit.tx, patientId);
  const orders = await holdOrders(unit, orderIds);
  const confirmation = acknowledgedBy(registration.sendingApplication, { ...registration, code: 'AA' });
  for (const procedure of orders.flatMap((held) => held.procedures)) {
    if (procedure.machine.context.confirmations[1]) continue;
    send(procedure, { type: 'patientRegistered', confirmation }, cause);
  }
  await finish(unit, orders, cause.at);
  return orderIds;
}

type Registration = NonNullable<StoredPatient['registration']>;
