import { orderRequestsFromHl7 } from '../mapping/order-from-hl7.ts';
import { patientFromHl7, visitFromHl7 } from '../mapping/patient-from-hl7.ts';
import { SwfError } from '../platform/errors.ts';
import { type OrderAction, orderActionOf } from '../workflow/order-control.ts';
import type { OrderRequest } from '../workflow/statements.ts';
import { type PatientStatement, acknowledgedBy } from '../workflow/vocabulary.ts';
import { remark } from '../store/messages.ts';
import { findPlacerOrder } from '../store/orders.ts';
import { type StoredPatient, findPatientId } from '../store/patients.ts';
import { type StoredVisit, saveVisit } from '../store/visits.ts';
import type { InboundHl7, InboundHl7Transaction } from './inbound-hl7.ts';
import { carryOutChange } from './order-change-requests.ts';
import { type OrderOrigin, issuerOf, makeOrder } from './order-creation.ts';
import { namedBySubsumed, patientOfOrder } from './order-patient.ts';
import { type Cause, type HeldOrder, type Unit, finish, holdOrders } from './unit-of-work.ts';

/** One ORC group, and what its order control asks for. */
interface Asked {
  readonly request: OrderRequest;
  readonly action: OrderAction;
}

/** RAD-2 Placer Order Management (RAD TF-2 4.2): the order placer asks for procedures; all orders of a message or none. */
export const placerOrder: InboundHl7Transaction = {
  id: 'RAD-2',
  name: 'Placer Order Management',
  accepts: ['ORM^O01', 'OMG^O19', 'OMI^O23'],
  handle: async (unit, inbound) => {
    const { reading, at, sender } = inbound;
    const asked = orderRequestsFromHl7(reading).map((request): Asked => {
      return { request, action: orderActionOf(request, sender.orderControls) };
    });
    const held = await holdKnown(unit, inbound, asked);
    const creating = asked.some(({ action }) => isCreation(action));
    const ordering = creating ? await orderingPatient(unit, inbound) : undefined;
    for (const one of asked) {
      if (ordering && isCreation(one.action)) await create(unit, inbound, { ...one, ordering, held, asked });
      else await change(unit, inbound, { ...one, held });
    }
    await remark(unit.tx, inbound.messageId, reading.remarks);
    await finish(unit, [...held.values()], at);
  },
};

const isCreation = (action: OrderAction): boolean => action === 'create' || action === 'createParent';

/** Orders that the unit holds, by issuer and placer order number. */
type HeldOrders = Map<string, HeldOrder>;

function keyOf({ placerOrderNumber }: OrderRequest, { sendingApplication }: InboundHl7): string {
  return `${issuerOf(placerOrderNumber, sendingApplication)}\n${placerOrderNumber.id}`;
}

function numberOf({ placerOrderNumber }: OrderRequest, { sendingApplication }: InboundHl7) {
  const placerOrderIssuer = issuerOf(placerOrderNumber, sendingApplication);
  return { placerOrderNumber: placerOrderNumber.id, placerOrderIssuer };
}

/** Locks every order that the message names and that is known, and with them the message's patient. */
async function holdKnown(unit: Unit, inbound: InboundHl7, asked: readonly Asked[]): Promise<HeldOrders> {
  const ids = new Map<string, number>();
  // New orders alone name nothing that is known; a number that is taken is found by its index.
  const named = asked.some(({ action }) => !isCreation(action)) ? asked : [];
  for (const { request } of named) {
    const id = await findPlacerOrder(unit.tx, numberOf(request, inbound));
    if (id !== undefined) ids.set(keyOf(request, inbound), id);
  }
  const said = named.length > 0 && inbound.reading.message.first('PID') ? patientFromHl7(inbound.reading) : undefined;
  const patient = said && (await findPatientId(unit.tx, said.identifiers));
  const orders = await holdOrders(unit, [...new Set(ids.values())], patient ? [patient.id] : []);
  const held: HeldOrders = new Map();
  for (const [key, id] of ids) {
    const order = orders.find((one) => one.order.id === id);
    if (order) held.set(key, order);
  }
  if (said) for (const [, { patient: owner }] of held) checkOwner(said, owner);
  return held;
}

/** An order of one patient is not changed by a message about another. */
function checkOwner(said: PatientStatement, owner: StoredPatient): void {
  const known = [...owner.identifiers, ...owner.formerIdentifiers];
  const same = said.identifiers.some((one) =>
    known.some((other) => other.value === one.value && other.assigningAuthority === one.assigningAuthority),
  );
  if (!same) throw new SwfError('unknown-key', 'the order belongs to another patient (PID-3)', { location: 'PID^1^3' });
}

/** Whom and which stay a message's new orders are for. */
interface Ordering {
  readonly patient: StoredPatient;
  readonly visit: StoredVisit | undefined;
  readonly differences: readonly string[];
}

async function orderingPatient(unit: Unit, { reading, at }: InboundHl7): Promise<Ordering> {
  const said = patientFromHl7(reading);
  const visit = visitFromHl7(reading);
  const { patient, differences } = await patientOfOrder(unit, said, { at, remarks: reading.remarks });
  const change = { at, visitStatus: undefined, source: 'order' as const };
  return { patient, differences, visit: visit && (await saveVisit(unit.tx, patient.id, visit, change)) };
}

interface Creation extends Asked {
  readonly ordering: Ordering;
  readonly held: HeldOrders;
  readonly asked: readonly Asked[];
}

function causeOf({ messageId, sendingApplication, at }: InboundHl7): Cause {
  return { messageId, causedBy: sendingApplication, at };
}

export function originOf(inbound: InboundHl7): OrderOrigin {
  const { messageId, sendingApplication, sendingFacility, at, reading } = inbound;
  return {
    sendingApplication,
    sendingFacility,
    messageId,
    cause: causeOf(inbound),
    remarks: reading.remarks,
    confirmation: acknowledgedBy(sendingApplication, { messageId, code: 'AA', at }),
  };
}

async function create(unit: Unit, inbound: InboundHl7, creation: Creation): Promise<void> {
  const { request, action, ordering, held, asked } = creation;
  const { order, sequence } = request;
  if (!order) throw new SwfError('segment-sequence', 'an ORC has no OBR', { location: `OBR^${sequence}` });
  const known = await findPlacerOrder(unit.tx, numberOf(request, inbound));
  if (known !== undefined && (await isEcho(unit, inbound, { known, creation }))) return;
  if (request.orderControl === 'CH' && !order.parent) inbound.reading.remarks.push('CH names no parent (ORC-8)');
  const location = `ORC^${sequence}^2`;
  const made = await makeOrder(unit, originOf(inbound), {
    ...ordering,
    order,
    location,
    // Performing the parent as well as its children would examine the patient twice.
    withoutProcedures: action === 'createParent' && hasChildren(request, asked),
  });
  held.set(keyOf(request, inbound), made);
}

function hasChildren({ placerOrderNumber }: OrderRequest, asked: readonly Asked[]): boolean {
  return asked.some(({ request }) => {
    const parent = request.orderControl === 'CH' ? request.order?.parent : undefined;
    return parent?.id === placerOrderNumber.id && parent.namespace === placerOrderNumber.namespace;
  });
}

/**
 * A new order that is none: the placer's echo of the number that it gave to an order of the department, or a parent
 * that is known and stays as it is. Anything else with a known number is a duplicate key, which makeOrder refuses.
 */
async function isEcho(
  unit: Unit,
  inbound: InboundHl7,
  { known, creation }: { readonly known: number; readonly creation: Creation },
): Promise<boolean> {
  const { request, action, ordering } = creation;
  const [held] = await holdOrders(unit, [known]);
  if (held?.patient.id !== ordering.patient.id) return false;
  if (action === 'createParent') {
    inbound.reading.remarks.push('the parent order is known and stays as it is');
    return true;
  }
  const sameService = held.order.details.service.code === request.order?.service.code;
  if (!held.order.departmental || !sameService) return false;
  inbound.reading.remarks.push('the order is one of the department that has this number: nothing new was made');
  return true;
}

async function change(
  unit: Unit,
  inbound: InboundHl7,
  { request, action, held }: Asked & { readonly held: HeldOrders },
): Promise<void> {
  const order = held.get(keyOf(request, inbound));
  if (!order) {
    throw new SwfError('unknown-key', 'there is no order with this placer order number (ORC-2)', {
      location: `ORC^${request.sequence}^2`,
    });
  }
  if (order.patient.formerIdentifiers.length > 0 && namesFormer(inbound, order)) {
    inbound.reading.remarks.push(namedBySubsumed);
  }
  await carryOutChange(unit, {
    held: order,
    request,
    action,
    cause: causeOf(inbound),
    remarks: inbound.reading.remarks,
  });
}

function namesFormer({ reading }: InboundHl7, { patient }: HeldOrder): boolean {
  const value = reading.message.get('PID-3.1');
  return patient.formerIdentifiers.some((one) => one.value === value);
}
