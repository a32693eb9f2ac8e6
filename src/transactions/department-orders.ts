import { formatTimestamp } from '../hl7/datatypes.ts';
import { SwfError } from '../platform/errors.ts';
import type { PlacerOrder, VisitStatement } from '../workflow/vocabulary.ts';
import { type StoredPatient, findPatientId } from '../store/patients.ts';
import { ordersOfReferences } from '../store/procedures.ts';
import { type StoredVisit, onlyStay, saveVisit, visitOfOrder } from '../store/visits.ts';
import type { Actor, DepartmentOrder, PlacedOrder } from './actions.ts';
import { type Department, type Hl7Peer, hl7Peers } from './department.ts';
import { makeOrder } from './order-creation.ts';
import { patientOfOrder } from './order-patient.ts';
import { type Cause, type Unit, finish, runUnit } from './unit-of-work.ts';

/** Why something changes: a person, with the reason given. */
export function causeOf(department: Department, actor: Actor): Cause {
  return { messageId: undefined, causedBy: actor.name, at: department.clock.now(), remark: actor.reason };
}

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
  const { patient: _patient, visitNumber: _visit, studyInstanceUid: _study, placer: _placer, ...said } = order;
  const { station, start, enteringOrganisation, ...rest } = said;
  const { facility, timeZone } = department.config.organisation;
  return {
    ...rest,
    // ORC-9 and ORC-17 as a placer fills them (RAD TF-2 4.3).
    transactionTime: formatTimestamp(at, timeZone),
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

/** Throws 'required-field-missing' for a new patient without a name, 'duplicate-key' for a study that is known. */
async function checkOrder(unit: Unit, { patient, studyInstanceUid }: DepartmentOrder): Promise<void> {
  const { family, given } = patient.name;
  const named = family !== undefined || given !== undefined;
  if (!named && !(await findPatientId(unit.tx, patient.identifiers))) {
    throw new SwfError('required-field-missing', 'the patient is not known here and needs a name (patient.name)');
  }
  if (studyInstanceUid === undefined) return;
  const references = { studyInstanceUids: [studyInstanceUid], accessionNumbers: [] };
  if ((await ordersOfReferences(unit.tx, references)).length > 0) {
    throw new SwfError('duplicate-key', 'a procedure with this study instance UID exists (studyInstanceUid)');
  }
}

/**
 * RAD-3, an order of the department (RAD TF-2 4.3): it is planned at once and put on the worklist when the order placer
 * has given it a number (SN, NA); without an order placer at once.
 */
export async function placeOrder(department: Department, order: DepartmentOrder, actor: Actor): Promise<PlacedOrder> {
  const placer = placerFor(department, order.placer);
  const cause = causeOf(department, actor);
  return runUnit(department, async (unit) => {
    await checkOrder(unit, order);
    const remarks: string[] = [];
    const { patient, differences } = await patientOfOrder(unit, order.patient, { at: cause.at, remarks });
    const visit = await stayOf(unit, order, patient, cause.at);
    const { organisation } = department.config;
    const origin = {
      sendingApplication: placer?.hl7.application ?? organisation.application,
      sendingFacility: placer?.hl7.facility ?? organisation.facility,
      messageId: undefined,
      cause,
      remarks,
      confirmation: undefined,
    };
    const held = await makeOrder(unit, origin, {
      order: placerOrderOf(department, order, cause.at),
      patient,
      visit,
      differences,
      location: '',
      departmental: true,
      numberPending: placer !== undefined,
      ...(order.studyInstanceUid === undefined ? {} : { studyInstanceUids: [order.studyInstanceUid] }),
    });
    if (placer) held.announcements.push({ name: 'requestOrderNumber' });
    return saved(unit, held, cause);
  });
}

async function saved(unit: Unit, held: Awaited<ReturnType<typeof makeOrder>>, cause: Cause): Promise<PlacedOrder> {
  await finish(unit, [held], cause.at);
  const { id, fillerOrderNumber, accessionNumber } = held.order;
  const requestedProcedureIds = held.procedures.map(({ stored }) => stored.requestedProcedureId);
  return { orderId: id, fillerOrderNumber, accessionNumber, requestedProcedureIds };
}
