import { orderRequestsFromHl7 } from '../mapping/order-from-hl7.ts';
import { patientFromHl7, visitFromHl7 } from '../mapping/patient-from-hl7.ts';
import { SwfError } from '../platform/errors.ts';
import { type OrderAction, orderActionOf } from '../workflow/order-control.ts';
import type { OrderRequest } from '../workflow/statements.ts';
import { remark } from '../store/messages.ts';
import { type OrderLike, findFillerOrder, findPlacerOrder, ordersLike } from '../store/orders.ts';
import { type StoredPatient, findPatientId } from '../store/patients.ts';
import { type StoredVisit, saveVisit, visitOfOrder } from '../store/visits.ts';
import type { InboundHl7, InboundHl7Transaction } from './inbound-hl7.ts';
import { causeOf, numberAnswerOf, originOf } from './inbound-cause.ts';
import { carryOutChange } from './order-change-requests.ts';
import { issuerOf, makeOrder } from './order-creation.ts';
import { assignNumber, orderReplied } from './order-number.ts';
import { checkOwner } from './order-owner.ts';
import { patientOfOrder } from './order-patient.ts';
import { type HeldOrder, type Unit, finish, holdOrders } from './unit-of-work.ts';

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
      const action = orderActionOf(request, sender.orderControls);
      const { orderControl, orderStatus = '', sequence } = request;
      unit.rules.push(`ORC^${sequence}: ${orderControl}/${orderStatus || '(empty)'}: ${action}`);
      return { request, action };
    });
    const held = await holdKnown(unit, inbound, asked);
    const creating = asked.some(({ action }) => isCreation(action));
    const ordering = creating ? await orderingPatient(unit, inbound) : undefined;
    for (const one of parentsLast(asked, held, inbound)) {
      if (ordering && isCreation(one.action)) await create(unit, inbound, { ...one, ordering, held, asked });
      else if (one.action === 'reply') await reply(unit, inbound, one.request, held);
      else await change(unit, inbound, { ...one, held });
    }
    await remark(unit.tx, inbound.messageId, reading.remarks);
    await finish(unit, [...new Set(held.values())], at);
  },
};

const isCreation = (action: OrderAction): boolean => action === 'create' || action === 'createParent';

/** A parent ends when its children have: where one message ends them all, it comes last. */
function parentsLast(asked: readonly Asked[], held: HeldOrders, inbound: InboundHl7): Asked[] {
  const ends = ({ request, action }: Asked): boolean =>
    (action === 'cancel' || action === 'discontinue') && held.get(keyOf(request, inbound))?.procedures.length === 0;
  return [...asked].sort((a, b) => Number(ends(a)) - Number(ends(b)));
}

/** Orders that the unit holds, by issuer and placer order number. */
type HeldOrders = Map<string, HeldOrder>;

function keyOf({ placerOrderNumber }: OrderRequest, { sendingApplication }: InboundHl7): string {
  return `${issuerOf(placerOrderNumber, sendingApplication)}\n${placerOrderNumber.id}`;
}

function numberOf({ placerOrderNumber }: OrderRequest, { sendingApplication }: InboundHl7) {
  const placerOrderIssuer = issuerOf(placerOrderNumber, sendingApplication);
  return { placerOrderNumber: placerOrderNumber.id, placerOrderIssuer };
}

/** Several groups may be about one order: it is held once, for the next group has to see what the one before did. */
async function holdOnce(unit: Unit, held: HeldOrders, id: number | undefined): Promise<HeldOrder | undefined> {
  if (id === undefined) return undefined;
  const known = [...held.values()].find(({ order }) => order.id === id);
  return known ?? (await holdOrders(unit, [id]))[0];
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
  if (said) {
    const { remarks } = inbound.reading;
    for (const { patient: owner } of orders) await checkOwner(unit.tx, owner, { ...said, remarks });
  }
  return held;
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
  const stay = visit && (await saveVisit(unit.tx, patient.id, visit, visitOfOrder(at)));
  return { patient, differences, visit: stay };
}

interface Creation extends Asked {
  readonly ordering: Ordering;
  readonly held: HeldOrders;
  readonly asked: readonly Asked[];
}

/** The number of an order's first OBR: those of the groups before it come first. */
function firstObrOf({ request, asked }: Creation): number {
  const before = asked.filter((one) => one.request.sequence < request.sequence);
  return (
    1 +
    before.reduce((sum, one) => sum + (one.request.order ? 1 + (one.request.order.furtherServices?.length ?? 0) : 0), 0)
  );
}

async function create(unit: Unit, inbound: InboundHl7, creation: Creation): Promise<void> {
  const { request, action, ordering, held } = creation;
  const { order, sequence } = request;
  if (!order) throw new SwfError('segment-sequence', 'an ORC has no OBR', { location: `OBR^${sequence}` });
  const echoed = await echoOf(unit, inbound, creation);
  if (echoed) {
    held.set(keyOf(request, inbound), echoed);
    return;
  }
  if (request.orderControl === 'CH' && !order.parent) inbound.reading.remarks.push('CH names no parent (ORC-8)');
  const location = `ORC^${sequence}^2`;
  const made = await makeOrder(unit, originOf(inbound), {
    ...ordering,
    order,
    location,
    firstObr: firstObrOf(creation),
    // Performing the parent as well as its children would examine the patient twice: it is a link and no more.
    withoutProcedures: action === 'createParent',
  });
  if (action === 'createParent')
    inbound.reading.remarks.push('a parent order is not performed itself: its children are');
  held.set(keyOf(request, inbound), made);
}

/**
 * The order that is there already when a new one is none: the placer's echo of an order of the department, before or
 * after its number came, or a parent that is known and stays as it is. Anything else with a known number is a duplicate
 * key, which makeOrder refuses.
 */
async function echoOf(unit: Unit, inbound: InboundHl7, creation: Creation): Promise<HeldOrder | undefined> {
  const { request, action, ordering, held } = creation;
  const { remarks } = inbound.reading;
  const candidates = await ordersLike(unit.tx, numberOf(request, inbound), ordering.patient.id);
  const numbered = candidates.find((one) => one.placerOrderNumber !== null);
  if (numbered && action === 'createParent' && numbered.patientId === ordering.patient.id) {
    remarks.push('the parent order is known and stays as it is');
    return holdOnce(unit, held, numbered.id);
  }
  const service = request.order?.service.code;
  const own = candidates.filter((one) => one.departmental && one.service === service);
  if (numbered) {
    if (!own.includes(numbered) || numbered.patientId !== ordering.patient.id) return undefined;
    remarks.push('the order is one of the department that has this number: nothing new was made');
    return holdOnce(unit, held, numbered.id);
  }
  return echoBeforeNumber(unit, inbound, { creation, pending: own });
}

/** The placer may send its copy of our order before it tells us the number: by our filler order number, else the only one that waits. */
async function echoBeforeNumber(
  unit: Unit,
  inbound: InboundHl7,
  { creation, pending }: { readonly creation: Creation; readonly pending: readonly OrderLike[] },
): Promise<HeldOrder | undefined> {
  const { sendingApplication, sendingFacility, reading } = inbound;
  const { request, ordering, held: known } = creation;
  const filler = request.fillerOrderNumber?.id;
  const asked = pending.filter(
    (one) => one.sendingApplication === sendingApplication && one.sendingFacility === sendingFacility,
  );
  const [only, another] = asked;
  // Our number says which order is meant, also where its placer would not number it before.
  const id = filler ? await findFillerOrder(unit.tx, filler) : another ? undefined : only?.id;
  const held = await holdOnce(unit, known, id);
  if (!held?.order.departmental || held.order.placerOrderNumber !== undefined) return undefined;
  const same = held.order.details.service.code === request.order?.service.code;
  if (!same || held.patient.id !== ordering.patient.id) return undefined;
  reading.remarks.push('the order is the placer’s copy of one of the department, which has its number now');
  await assignNumber(unit, held, request.placerOrderNumber, numberAnswerOf(inbound));
  return held;
}

/** NA or UA as an order message: the reply to our SN (HL7 table 0119), for the order whose filler order number it names. */
async function reply(unit: Unit, inbound: InboundHl7, request: OrderRequest, held: HeldOrders): Promise<void> {
  const { fillerOrderNumber, sequence } = request;
  const id = fillerOrderNumber && (await findFillerOrder(unit.tx, fillerOrderNumber.id));
  const order = await holdOnce(unit, held, id);
  if (!order) {
    const sentence = 'there is no order with this filler order number (ORC-3)';
    throw new SwfError('unknown-key', sentence, { location: `ORC^${sequence}^3` });
  }
  const { reading } = inbound;
  const said = reading.message.first('PID') && patientFromHl7(reading);
  if (said) await checkOwner(unit.tx, order.patient, { ...said, remarks: reading.remarks });
  await orderReplied(unit, order, request, numberAnswerOf(inbound));
  held.set(keyOf(request, inbound), order);
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
  await carryOutChange(unit, {
    held: order,
    request,
    action,
    cause: causeOf(inbound),
    remarks: inbound.reading.remarks,
  });
}
