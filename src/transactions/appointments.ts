import { appointmentFromHl7 } from '../mapping/appointment-from-hl7.ts';
import { SwfError } from '../platform/errors.ts';
import type { Appointment, AppointmentService } from '../workflow/statements.ts';
import type { EntityIdentifier, PlacerOrder } from '../workflow/vocabulary.ts';
import { remark } from '../store/messages.ts';
import { findFillerOrder, findPlacerOrder } from '../store/orders.ts';
import { findProcedureOrder, recodeProcedure } from '../store/procedures.ts';
import { saveVisit } from '../store/visits.ts';
import type { InboundHl7, InboundHl7Transaction } from './inbound-hl7.ts';
import { OrderNotChangeable } from './order-change-requests.ts';
import { canMove, endOrder, hasStarted, moveSteps, orderStatusNow, reschedule, rewriteOrder } from './order-changes.ts';
import { issuerOf, makeOrder, scheduling } from './order-creation.ts';
import { patientOfOrder } from './order-patient.ts';
import { originOf } from './rad-02-placer-order.ts';
import { type Cause, type HeldOrder, type HeldProcedure, type Unit, finish, holdOrders, send } from './unit-of-work.ts';

/**
 * Appointments as the source of the schedule (HL7 v2.5.1 chapter 10), for sites whose scheduling sends nothing else: an
 * appointment of an order that is known places its steps, one of no order makes one.
 */
export const appointments: InboundHl7Transaction = {
  id: 'SIU',
  name: 'Scheduling Information',
  accepts: ['SIU^S12', 'SIU^S13', 'SIU^S14', 'SIU^S15', 'SIU^S26'],
  handle: async (unit, inbound) => {
    const appointment = appointmentFromHl7(inbound.reading);
    const orderId = await orderOf(unit, inbound, appointment);
    const [held] = await holdOrders(unit, orderId === undefined ? [] : [orderId]);
    const { triggerEvent } = inbound.reading.message.header;
    const carry = carriers[triggerEvent] ?? place;
    const changed = held ? await carry(unit, inbound, { held, appointment }) : await make(unit, inbound, appointment);
    await remark(unit.tx, inbound.messageId, inbound.reading.remarks);
    await finish(unit, [changed], inbound.at);
  },
};

/** The order that an appointment is of: by its filler order number, placer order number, or the appointment's own numbers. */
async function orderOf(
  { tx }: Unit,
  { sendingApplication }: InboundHl7,
  { fillerOrderNumber, placerOrderNumber, placerAppointment, fillerAppointment }: Appointment,
): Promise<number | undefined> {
  const filler = fillerOrderNumber && (await findFillerOrder(tx, fillerOrderNumber.id));
  if (filler !== undefined) return filler;
  for (const number of [placerOrderNumber, placerAppointment, fillerAppointment]) {
    if (!number) continue;
    const placerOrderIssuer = issuerOf(number, sendingApplication);
    const placer = await findPlacerOrder(tx, { placerOrderNumber: number.id, placerOrderIssuer });
    if (placer !== undefined) return placer;
  }
  // RAD-48 names our appointments by the requested procedure ID.
  return fillerAppointment && findProcedureOrder(tx, fillerAppointment.id);
}

interface Known {
  readonly held: HeldOrder;
  readonly appointment: Appointment;
}

type Carry = (unit: Unit, inbound: InboundHl7, known: Known) => Promise<HeldOrder>;

const carriers: Readonly<Record<string, Carry>> = { S12: place, S13: place, S14: modify, S15: cancel, S26: noShow };

const causeOf = ({ messageId, sendingApplication, at }: InboundHl7): Cause => {
  return { messageId, causedBy: sendingApplication, at };
};

function startOf(service: AppointmentService | undefined) {
  const start = service?.start;
  return start && { date: start.date, time: start.time ?? '00:00:00' };
}

/** S12, S13: the steps of the order that have not begun are where the appointment says; a waiting order is scheduled. */
async function place(unit: Unit, inbound: InboundHl7, { held, appointment }: Known): Promise<HeldOrder> {
  if (['CM', 'DC', 'CA'].includes(orderStatusNow(held))) throw new OrderNotChangeable(held, 'change', 1);
  const cause = causeOf(inbound);
  for (const [index, procedure] of held.procedures.entries()) {
    const start = startOf(appointment.services[index] ?? appointment.services[0]);
    await placeProcedure(unit, procedure, { start, cause });
  }
  return held;
}

async function placeProcedure(
  unit: Unit,
  procedure: HeldProcedure,
  { start, cause }: { readonly start: ReturnType<typeof startOf>; readonly cause: Cause },
): Promise<void> {
  const state = procedure.machine.value.acquisition;
  if (state === 'planned') {
    await moveSteps(unit, procedure, procedure.stored.steps.filter(canMove), { start });
    send(procedure, scheduling(unit.department), cause);
    return;
  }
  if (state === 'held') send(procedure, { type: 'release' }, cause);
  const [first] = procedure.stored.steps.filter(canMove);
  const stays = !start || !first || (first.start.date === start.date && first.start.time === start.time);
  if (!stays) await reschedule(unit, procedure, { start }, cause);
}

/** S14: another time, or another service in the place of one that has not begun. */
async function modify(unit: Unit, inbound: InboundHl7, known: Known): Promise<HeldOrder> {
  const { held, appointment } = known;
  const [service] = appointment.services.map((one) => one.service);
  const stored = held.order.details.service;
  if (service?.code !== undefined && service.code !== stored.code) await exchangeService(unit, inbound, known);
  return place(unit, inbound, known);
}

/** A service that is one step stays one step; anything else would be another plan, and so another order. */
async function exchangeService(unit: Unit, inbound: InboundHl7, { held, appointment }: Known): Promise<void> {
  const [service] = appointment.services.map((one) => one.service);
  const [procedure, another] = held.procedures;
  const planned = unit.department.config.catalogue.some((entry) => entry.service.code === service?.code);
  const simple = procedure && !another && procedure.stored.steps.length === 1 && !planned && !hasStarted(held);
  if (!simple || !service) {
    throw new SwfError(
      'value-not-found',
      'another service (AIS-3) is another order: cancel this one and make a new one',
      {
        location: 'AIS^1^3',
      },
    );
  }
  await rewriteOrder(unit, held, { ...held.order.details, service });
  procedure.stored = await recodeProcedure(unit.tx, procedure.stored, service);
  send(procedure, { type: 'change' }, causeOf(inbound));
}

/** S15: the appointment is called off, and with it what the order asked for. */
async function cancel(unit: Unit, inbound: InboundHl7, { held }: Known): Promise<HeldOrder> {
  if (orderStatusNow(held) === 'CA') inbound.reading.remarks.push('the order had been cancelled before');
  else if (hasStarted(held) || orderStatusNow(held) === 'DC') throw new OrderNotChangeable(held, 'cancel', 1);
  else await endOrder(unit, held, { by: 'placer', cause: causeOf(inbound) });
  return held;
}

/** S26: the patient did not come; the procedure is off the worklist until somebody moves or cancels it. */
function noShow(_: Unit, inbound: InboundHl7, { held }: Known): Promise<HeldOrder> {
  const cause = { ...causeOf(inbound), remark: 'the patient did not show up' };
  const waiting = held.procedures.filter((procedure) => procedure.machine.value.acquisition === 'scheduled');
  if (waiting.length === 0 && hasStarted(held)) throw new OrderNotChangeable(held, 'hold', 1);
  if (waiting.length === 0) inbound.reading.remarks.push('no procedure of the order is scheduled');
  for (const procedure of waiting) send(procedure, { type: 'hold' }, cause);
  return Promise.resolve(held);
}

/** Events that tell of an appointment in full: where it is of no order that is known, it makes one. */
const making: ReadonlySet<string> = new Set(['S12', 'S13', 'S14']);

async function make(unit: Unit, inbound: InboundHl7, appointment: Appointment): Promise<HeldOrder> {
  const { reading, at } = inbound;
  const { triggerEvent } = reading.message.header;
  const { patient: said, visit, services } = appointment;
  const known = services[0]?.service.code !== undefined;
  if (!making.has(triggerEvent) || (triggerEvent !== 'S12' && (!said || !known))) {
    throw new SwfError('unknown-key', 'there is no order of this appointment (SCH-26, SCH-27, SCH-1, SCH-2)', {
      location: 'SCH^1^1',
    });
  }
  if (!said) throw new SwfError('segment-sequence', 'there is no PID segment', { location: 'PID^1' });
  if (!known) throw new SwfError('required-field-missing', 'the service (AIS-3) is empty', { location: 'AIS^1^3' });
  if (triggerEvent !== 'S12') reading.remarks.push('the appointment was not known and made a new order');
  const { patient, differences } = await patientOfOrder(unit, said, { at, remarks: reading.remarks });
  const change = { at, visitStatus: undefined, source: 'order' as const };
  const stay = visit && (await saveVisit(unit.tx, patient.id, visit, change));
  return makeOrder(unit, originOf(inbound), {
    order: placerOrderOf(appointment),
    patient,
    visit: stay,
    differences,
    location: 'SCH^1^1',
    schedule: true,
  });
}

/** The number under which the order of an appointment is known from now on. */
function numberOf({ placerOrderNumber, placerAppointment, fillerAppointment }: Appointment): EntityIdentifier {
  return placerOrderNumber ?? placerAppointment ?? fillerAppointment ?? { id: '' };
}

function placerOrderOf(appointment: Appointment): PlacerOrder {
  const { services, scheduledStationAeTitles } = appointment;
  const ordered = services.map(({ service, minutes }) => ({
    service,
    ...(scheduledStationAeTitles ? { scheduledStationAeTitles } : {}),
    ...(minutes === undefined ? {} : { steps: [{ protocols: [], scheduledStationAeTitles: [], minutes }] }),
  }));
  const [first = { service: {} }, ...furtherServices] = ordered;
  const start = services[0]?.start;
  return {
    placerOrderNumber: numberOf(appointment),
    ...first,
    ...(furtherServices.length > 0 ? { furtherServices } : {}),
    ...(start ? { requestedStart: start } : {}),
  };
}
