import { formatLocalTimestamp } from '../hl7/datatypes.ts';
import { localTimeOf } from '../platform/clock.ts';
import { SwfError } from '../platform/errors.ts';
import type { PatientStatement, PlacerOrder, VisitStatement } from '../workflow/vocabulary.ts';
import { changeOrder, ownersOfOrders } from '../store/orders.ts';
import { type StoredPatient, findPatientId, lockPatients } from '../store/patients.ts';
import { unreconciledOrderOf } from '../store/performed-steps.ts';
import { ordersOfReferences } from '../store/find-procedures.ts';
import { type StoredVisit, onlyStay, saveVisit, visitOfOrder } from '../store/visits.ts';
import type { Actor, DepartmentOrder, PlacedOrder } from './actions.ts';
import { type Department, type Hl7Peer, hl7Peers, isTemporaryNumber, temporaryAuthority } from './department.ts';
import { causeOf } from './actor-cause.ts';
import { makeOrder, scheduling } from './order-creation.ts';
import { patientOfOrder } from './order-patient.ts';
import { tellOfRegistration } from './reconciliation.ts';
import { boundBecause, checkWaits, patientPerformed, takeOver } from './unscheduled-binding.ts';
import { type Cause, type HeldOrder, type Unit, finish, holdOrders, runUnit, send, takeDown } from './unit-of-work.ts';

function placerFor(department: Department, name: string | undefined): Hl7Peer | undefined {
  const placers = hl7Peers(department.config).filter((peer) => peer.actor === 'order-placer');
  if (name === undefined) return placers[0];
  const named = placers.find((peer) => peer.name === name);
  if (named) return named;
  throw new SwfError('value-not-found', 'the site file has no order placer with this name that takes HL7 (placer)');
}

function visitStatement(order: DepartmentOrder): VisitStatement | undefined {
  const { visitNumber, patient } = order;
  const [identifier] = patient.identifiers;
  if (visitNumber === undefined || !identifier) return undefined;
  const { assigningAuthority } = identifier;
  return { visitNumber, assigningAuthority, patientClass: undefined, details: {} };
}

function placerOrderOf(department: Department, order: DepartmentOrder, at: Date): PlacerOrder {
  const { patient: _patient, visitNumber: _visit, studyInstanceUid: _study, ...rest } = order;
  const { anotherPatient: _another, placer: _placer, ...said } = rest;
  return departmentOrderDetails(department, said, at);
}

type DepartmentOrderDetails = Omit<
  DepartmentOrder,
  'patient' | 'visitNumber' | 'studyInstanceUid' | 'anotherPatient' | 'placer'
>;

/** What an order of the department says, in the words of a placer's. */
export function departmentOrderDetails(
  department: Department,
  { station, start, enteringOrganisation, ...rest }: DepartmentOrderDetails,
  at: Date,
): PlacerOrder {
  const { facility, timeZone } = department.config.organisation;
  return {
    ...rest,
    // ORC-9 and ORC-17 as a placer fills them (RAD TF-2 4.3).
    transactionTime: formatLocalTimestamp(localTimeOf(at, timeZone)),
    enteringOrganisation: enteringOrganisation ?? { code: facility },
    ...(station === undefined ? {} : { scheduledStationAeTitles: [station] }),
    ...(start === undefined ? {} : { requestedStart: start }),
  };
}

/** The stay that the order names, else the only one that the ADT has told of. */
async function stayOf(
  unit: Unit,
  order: DepartmentOrder,
  patient: StoredPatient,
  at: Date,
): Promise<StoredVisit | undefined> {
  const said = visitStatement(order);
  return said ? saveVisit(unit.tx, patient.id, said, visitOfOrder(at)) : onlyStay(unit.tx, patient.id);
}

/** A number of ours is one patient's: an order for somebody of another name does not make him another one. */
function checkSamePatient({ temporary }: StoredPatient, differences: readonly string[]): void {
  if (!temporary || differences.length === 0) return;
  const sentence = `the temporary number is in use for a patient of another ${differences.join(', ')}: leave that out, or name the patient's own identifier (patient.identifiers)`;
  throw new SwfError('state-forbids', sentence);
}

/**
 * A number of the list that is nobody's now names nobody, also where it was somebody's: the next one may be meant. Beside
 * another identifier it would say who its patient is, and nobody would be told (A40). Throws 'state-forbids'.
 */
async function checkListed({ tx, department: { config } }: Unit, { identifiers }: PatientStatement): Promise<void> {
  const ours = identifiers.find(
    ({ value, assigningAuthority }) =>
      assigningAuthority === temporaryAuthority(config) && isTemporaryNumber(config, value),
  );
  if (!ours) return;
  if (identifiers.length > 1)
    throw refused(
      'beside another identifier says who its patient is: reconcile him (POST /api/patients/{id}/reconcile)',
    );
  const owner = await findPatientId(tx, [ours]);
  if (!owner || owner.subsumed) throw refused('is nobody’s now: register its patient (POST /api/temporary-patients)');
}

const refused = (why: string): SwfError =>
  new SwfError(
    'state-forbids',
    `the number of the list of temporary patients ${why}, or name the patient by his own identifier alone (patient.identifiers)`,
  );

/** Throws 'required-field-missing' for a new patient without a name. */
async function checkPatient(unit: Unit, { patient }: DepartmentOrder): Promise<void> {
  const { family, given } = patient.name;
  const named = family !== undefined || given !== undefined;
  await checkListed(unit, patient);
  if (!named && !(await findPatientId(unit.tx, patient.identifiers))) {
    throw new SwfError('required-field-missing', 'the patient is not known here and needs a name (patient.name)');
  }
}

/**
 * The order that holds the place of this one, where its examination was performed before it (PIR cases 3 and 5).
 * Throws 'duplicate-key' for the study of another order.
 */
async function performedBefore(unit: Unit, { studyInstanceUid }: DepartmentOrder): Promise<number | undefined> {
  if (studyInstanceUid === undefined) return undefined;
  const performed = await unreconciledOrderOf(unit.tx, { studyInstanceUid });
  const references = { studyInstanceUids: [studyInstanceUid], accessionNumbers: [] };
  if (performed === undefined && (await ordersOfReferences(unit.tx, references)).length > 0) {
    throw new SwfError('duplicate-key', 'a procedure with this study instance UID exists (studyInstanceUid)');
  }
  return performed;
}

/** An order of the department that is being placed. */
interface Placing {
  readonly order: DepartmentOrder;
  readonly placer: Hl7Peer | undefined;
  readonly cause: Cause;
}

/** MSH-3 and MSH-4 of who is asked for a number; without an order placer they are ours. */
export function senderOf({ department }: Unit, placer: Hl7Peer | undefined) {
  const { organisation } = department.config;
  const { application, facility } = placer?.hl7 ?? organisation;
  return { sendingApplication: application, sendingFacility: facility };
}

/**
 * RAD-3, an order of the department (RAD TF-2 4.3): it is planned at once and put on the worklist when the order placer
 * has given it a number (SN, NA); without an order placer at once. One for what was performed before takes that over.
 */
export async function placeOrder(department: Department, order: DepartmentOrder, actor: Actor): Promise<PlacedOrder> {
  const placing = { order, placer: placerFor(department, order.placer), cause: causeOf(department, actor) };
  return runUnit(department, async (unit) => {
    await checkPatient(unit, order);
    const performed = await performedBefore(unit, order);
    const held = performed === undefined ? await planOrder(unit, placing) : await adopt(unit, placing, performed);
    if (placing.placer) held.announcements.push({ name: 'requestOrderNumber' });
    return saved(unit, held, placing.cause);
  });
}

async function planOrder(unit: Unit, { order, placer, cause }: Placing): Promise<HeldOrder> {
  const remarks: string[] = [];
  const { patient, differences } = await patientOfOrder(unit, order.patient, { at: cause.at, remarks });
  checkSamePatient(patient, differences);
  const visit = await stayOf(unit, order, patient, cause.at);
  const sender = senderOf(unit, placer);
  return makeOrder(
    unit,
    { ...sender, messageId: undefined, cause, remarks, confirmation: undefined },
    {
      order: placerOrderOf(unit.department, order, cause.at),
      patient,
      visit,
      differences,
      location: '',
      departmental: true,
      numberPending: placer !== undefined,
      ...(order.studyInstanceUid === undefined ? {} : { studyInstanceUids: [order.studyInstanceUid] }),
    },
  );
}

/** The order that held the place of this one becomes it: its procedure keeps the study of the modality. */
async function adopt(unit: Unit, { order, placer, cause }: Placing, performed: number): Promise<HeldOrder> {
  const { tx, department } = unit;
  const meant = await findPatientId(tx, order.patient.identifiers);
  // Both patients in the order of their ids, as every other unit locks them.
  await lockPatients(tx, [...(await ownersOfOrders(tx, [performed])), ...(meant ? [meant.id] : [])]);
  const { patient: said, differences } = await patientOfOrder(unit, order.patient, { at: cause.at, remarks: [] });
  checkSamePatient(said, differences);
  const [held] = await holdOrders(unit, [performed]);
  checkWaits(held);
  const { anotherPatient } = order;
  const whose = { named: held.patient, meant: said, cause, anotherPatient };
  const patient = await patientPerformed(unit, whose);
  const visit = await stayOf(unit, order, patient, cause.at);
  const details = placerOrderOf(department, order, cause.at);
  const change = {
    ...senderOf(unit, placer),
    patientId: patient.id,
    details,
    departmental: true,
    numberPending: placer !== undefined,
    unreconciled: false,
    patientDifferences: differences,
  };
  await changeOrder(tx, performed, { ...change, ...(visit ? { visitId: visit.id } : {}) });
  const adopted: HeldOrder = { ...held, patient, order: { ...held.order, ...change, visit } };
  await takeOver(unit, adopted.procedures, details);
  for (const procedure of adopted.procedures) {
    takeDown(procedure, 'bound', boundBecause(whose));
    if (!placer) send(procedure, scheduling(department), cause);
  }
  return adopted;
}

async function saved(unit: Unit, held: HeldOrder, cause: Cause): Promise<PlacedOrder> {
  await finish(unit, [held], cause.at);
  await tellOfRegistration(unit, held.patient, cause);
  const { id, fillerOrderNumber, accessionNumber } = held.order;
  const requestedProcedureIds = held.procedures.map(({ stored }) => stored.requestedProcedureId);
  return { orderId: id, fillerOrderNumber, accessionNumber, requestedProcedureIds };
}
