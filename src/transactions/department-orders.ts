import { SwfError } from '../platform/errors.ts';
import type { PlacerOrder, VisitStatement } from '../workflow/vocabulary.ts';
import { saveVisit } from '../store/visits.ts';
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

function placerOrderOf(order: DepartmentOrder): PlacerOrder {
  const { service, modality, station, start, priority, orderingProvider, reason } = order;
  return {
    service,
    ...(modality === undefined ? {} : { modality }),
    ...(station === undefined ? {} : { scheduledStationAeTitles: [station] }),
    ...(start === undefined ? {} : { requestedStart: start }),
    ...(priority === undefined ? {} : { priority }),
    ...(orderingProvider === undefined ? {} : { orderingProvider }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/**
 * RAD-3, an order of the department (RAD TF-2 4.3): it is planned at once and put on the worklist when the order placer
 * has given it a number (SN, NA); without an order placer at once.
 */
export async function placeOrder(department: Department, order: DepartmentOrder, actor: Actor): Promise<PlacedOrder> {
  const placer = placerFor(department, order.placer);
  const cause = causeOf(department, actor);
  return runUnit(department, async (unit) => {
    const remarks: string[] = [];
    const { patient, differences } = await patientOfOrder(unit, order.patient, { at: cause.at, remarks });
    const said = visitStatement(order);
    const visit =
      said && (await saveVisit(unit.tx, patient.id, said, { at: cause.at, visitStatus: undefined, source: 'order' }));
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
      order: placerOrderOf(order),
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
