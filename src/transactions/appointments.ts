import { appointmentFromHl7 } from '../mapping/appointment-from-hl7.ts';
import { type LocalDateTime, plusSeconds, secondsBetween } from '../platform/clock.ts';
import { SwfError } from '../platform/errors.ts';
import { orderOfService } from '../workflow/planning.ts';
import type { Appointment, AppointmentService } from '../workflow/statements.ts';
import type { EntityIdentifier, PlacerOrder } from '../workflow/vocabulary.ts';
import { remark } from '../store/messages.ts';
import { changeOrder, findAppointment, findFillerOrder, findPlacerOrder } from '../store/orders.ts';
import { findProcedureOrder } from '../store/find-procedures.ts';
import { recodeProcedure } from '../store/procedures.ts';
import { changedMeanwhile } from '../store/prisma.ts';
import { saveVisit, visitOfOrder } from '../store/visits.ts';
import type { InboundHl7, InboundHl7Transaction } from './inbound-hl7.ts';
import { causeOf, originOf } from './inbound-cause.ts';
import { OrderNotChangeable } from './order-change-requests.ts';
import {
  type Shift,
  canMove,
  endOrder,
  firstStart,
  hasStarted,
  isReported,
  moveSteps,
  rewriteOrder,
  shift,
  stationFor,
  takeOffNoShow,
} from './order-changes.ts';
import { issuerOf, makeOrder, scheduling } from './order-creation.ts';
import { findByPlacerNumber } from './order-number.ts';
import { checkOwner } from './order-owner.ts';
import { patientOfOrder } from './order-patient.ts';
import { type HeldOrder, type HeldProcedure, type Unit, finish, holdOrders, send, stateOf } from './unit-of-work.ts';

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
    const known = await findKnown(unit, inbound, appointment);
    const { remarks, message } = inbound.reading;
    const identifiers = appointment.patient?.identifiers;
    if (known && identifiers) await checkOwner(unit.tx, known.held.patient, { identifiers, remarks });
    const carry = carriers[message.header.triggerEvent] ?? place;
    if (known) await carry(unit, inbound, known);
    const changed = known?.held ?? (await make(unit, inbound, appointment));
    if (!known) await rememberNumbers(unit, changed, numbersOf(appointment, inbound));
    await remark(unit.tx, inbound.messageId, remarks);
    await finish(unit, [changed], inbound.at);
  },
};

/** An appointment of an order that is there. */
interface Known {
  readonly held: HeldOrder;
  /** What it is of: all procedures of the order, or the one that it names as RAD-48 does. */
  readonly procedures: readonly HeldProcedure[];
  readonly appointment: Appointment;
}

/** `id^issuer` of each number that the appointment itself has. */
function numbersOf(
  { placerAppointment, fillerAppointment }: Appointment,
  { sendingApplication }: InboundHl7,
): string[] {
  return [placerAppointment, fillerAppointment].flatMap((number) =>
    number ? [`${number.id}^${issuerOf(number, sendingApplication)}`] : [],
  );
}

/** The order that an appointment is of: by its filler order number, placer order number, or the appointment's own numbers. */
async function findOrder({ tx }: Unit, inbound: InboundHl7, appointment: Appointment): Promise<number | undefined> {
  const { fillerOrderNumber, placerOrderNumber, fillerAppointment } = appointment;
  // RAD-48 names our appointments by the requested procedure ID: one appointment for each procedure.
  const named = fillerAppointment && (await findProcedureOrder(tx, fillerAppointment.id));
  let orderId = (fillerOrderNumber && (await findFillerOrder(tx, fillerOrderNumber.id))) ?? named;
  if (placerOrderNumber) orderId ??= await findByPlacerNumber(tx, placerOrderNumber, inbound.sendingApplication);
  for (const number of numbersOf(appointment, inbound)) orderId ??= await findAppointment(tx, number);
  // A scheduling system may call the appointment by the number of the order.
  for (const number of [appointment.placerAppointment, fillerAppointment]) {
    if (!number) continue;
    const placerOrderIssuer = issuerOf(number, inbound.sendingApplication);
    orderId ??= await findPlacerOrder(tx, { placerOrderNumber: number.id, placerOrderIssuer });
  }
  return orderId;
}

async function findKnown(unit: Unit, inbound: InboundHl7, appointment: Appointment): Promise<Known | undefined> {
  const { fillerAppointment } = appointment;
  const numbers = numbersOf(appointment, inbound);
  const orderId = await findOrder(unit, inbound, appointment);
  const [held] = await holdOrders(unit, orderId === undefined ? [] : [orderId]);
  if (!held) return undefined;
  await rememberNumbers(unit, held, numbers);
  const own = held.procedures.filter(({ stored }) => stored.requestedProcedureId === fillerAppointment?.id);
  return { held, appointment, procedures: own.length > 0 ? own : held.procedures };
}

/** The next message about the appointment may name it by another of its numbers. */
async function rememberNumbers({ tx }: Unit, held: HeldOrder, numbers: readonly string[]): Promise<void> {
  const { appointmentNumbers } = held.order;
  const all = [...new Set([...appointmentNumbers, ...numbers])];
  if (all.length > appointmentNumbers.length) await changeOrder(tx, held.order.id, { appointmentNumbers: all });
}

type Carry = (unit: Unit, inbound: InboundHl7, known: Known) => Promise<void>;

const carriers: Readonly<Record<string, Carry>> = { S12: place, S13: place, S14: modify, S15: cancel, S26: noShow };

function startOf(service: AppointmentService | undefined): LocalDateTime | undefined {
  const start = service?.start;
  return start && { date: start.date, time: start.time ?? '00:00:00' };
}

/** S12, S13: the steps that have not begun are where the appointment says; an order that waits is scheduled. */
async function place(unit: Unit, inbound: InboundHl7, known: Known): Promise<void> {
  const { held, procedures, appointment } = known;
  const open = procedures.filter(({ stored }) => stored.steps.some(canMove));
  if (open.length === 0) throw new OrderNotChangeable(held, 'change', 1);
  const wanted = appointment.scheduledStationAeTitles;
  const station = stationFor(unit, held, wanted);
  if (wanted && station === undefined) inbound.reading.remarks.push('the station is the one that the catalogue plans');
  const services = appointment.services.length > 0 ? appointment.services : [undefined];
  for (const [index, service] of services.entries()) {
    const concerned = proceduresOf(known, services, index).filter((procedure) => open.includes(procedure));
    if (concerned.length === 0 && services.length === 1) throw new OrderNotChangeable(held, 'change', 1);
    const first = firstStart(concerned);
    const start = startOf(service);
    const seconds = first && start ? secondsBetween(first, start) : 0;
    for (const procedure of concerned) {
      await placeProcedure(unit, procedure, { seconds, station, cause: causeOf(inbound) });
      // Booked anew for the same time it is another appointment as well; S14 may be about anything else of it.
      if (inbound.reading.message.header.triggerEvent !== 'S14') takeOffNoShow(procedure, causeOf(inbound));
    }
  }
}

/** AIS-3 is the service of a procedure, or its own code, as RAD-48 has it. */
function isOf({ held }: Known, { stored }: HeldProcedure, code: string | undefined): boolean {
  const { service } = orderOfService(held.order.details, stored.serviceIndex);
  return code !== undefined && [service.code, stored.code.code].includes(code);
}

/** What one AIS is of: what has its code; where that says nothing, the service at its place, or all for one AIS alone. */
function proceduresOf(
  known: Known,
  services: readonly (AppointmentService | undefined)[],
  index: number,
): readonly HeldProcedure[] {
  const code = services[index]?.service.code;
  const named = known.procedures.filter((procedure) => isOf(known, procedure, code));
  if (named.length > 0 && services.filter((one) => one?.service.code === code).length === 1) return named;
  return services.length > 1
    ? known.procedures.filter(({ stored }) => stored.serviceIndex === index)
    : known.procedures;
}

async function placeProcedure(unit: Unit, procedure: HeldProcedure, moved: Shift): Promise<void> {
  const { seconds, station, cause } = moved;
  if (stateOf(procedure) === 'planned') {
    const first = firstStart([procedure]);
    const start = first && plusSeconds(first, seconds);
    await moveSteps(unit, procedure, procedure.stored.steps.filter(canMove), { start, station });
    send(procedure, scheduling(unit.department), cause);
    return;
  }
  const stays = seconds === 0 && (station === undefined || isAt(procedure, station));
  if (!stays) await shift(unit, procedure, moved);
}

const isAt = ({ stored }: HeldProcedure, station: string): boolean =>
  stored.steps.every(({ scheduledStationAeTitles: [only, another] }) => only === station && another === undefined);

/** S14: another time, or another service in the place of one that has not begun. */
async function modify(unit: Unit, inbound: InboundHl7, known: Known): Promise<void> {
  const [service] = known.appointment.services.map((one) => one.service);
  const same = known.procedures.some((procedure) => isOf(known, procedure, service?.code));
  if (service?.code !== undefined && !same) await exchangeService(unit, inbound, known);
  return place(unit, inbound, known);
}

/** A service that is one step stays one step; anything else would be another plan, and so another order. */
async function exchangeService(unit: Unit, inbound: InboundHl7, { held, appointment }: Known): Promise<void> {
  const [service] = appointment.services.map((one) => one.service);
  const [procedure, another] = held.procedures;
  const { details } = held.order;
  const codes = [service?.code, details.service.code];
  const planned = unit.department.config.catalogue.some((entry) => codes.includes(entry.service.code));
  const simple = procedure && !another && procedure.stored.steps.length === 1 && !planned && !hasStarted(held);
  if (!simple || !service) {
    const sentence = 'another service (AIS-3) is another order: cancel this one and make a new one';
    throw new SwfError('value-not-found', sentence, { location: 'AIS^1^3' });
  }
  await rewriteOrder(unit, held, { ...details, service });
  procedure.stored = await recodeProcedure(unit.tx, procedure.stored, service);
  send(procedure, { type: 'change' }, causeOf(inbound));
}

/** S15: the appointment is called off, and with it what was to be done. */
async function cancel(unit: Unit, inbound: InboundHl7, { held, procedures }: Known): Promise<void> {
  const ended = procedures.every((procedure) => stateOf(procedure) === 'cancelled');
  const others = held.procedures.filter((procedure) => !procedures.includes(procedure));
  // Where somebody else than its placer calls it off, the placer has to hear of it (RAD-3 OC).
  const { sendingApplication, sendingFacility } = held.order;
  const own = inbound.sendingApplication === sendingApplication && inbound.sendingFacility === sendingFacility;
  const by = own ? 'placer' : 'filler';
  if (ended) inbound.reading.remarks.push('what the appointment is of had been cancelled before');
  else if (!procedures.every(isCancellable)) throw new OrderNotChangeable(held, 'cancel', 1);
  else if (others.every((procedure) => stateOf(procedure) === 'cancelled'))
    await endOrder(unit, held, { by, cause: causeOf(inbound) });
  else for (const procedure of procedures) send(procedure, { type: 'cancel' }, causeOf(inbound));
}

const isCancellable = (procedure: HeldProcedure): boolean =>
  ['planned', 'scheduled', 'held', 'cancelled'].includes(stateOf(procedure)) && !isReported(procedure);

/** S26: the patient did not come; what waited for him is off the worklist until there is another appointment, or a cancel. */
function noShow(_: Unit, inbound: InboundHl7, { held, procedures }: Known): Promise<void> {
  const cause = { ...causeOf(inbound), remark: 'the patient did not show up' };
  const waiting = procedures.filter((procedure) => stateOf(procedure) === 'scheduled');
  if (waiting.length === 0 && hasStarted(held)) throw new OrderNotChangeable(held, 'hold', 1);
  if (waiting.length === 0) inbound.reading.remarks.push('no procedure of the order is scheduled');
  for (const procedure of waiting) send(procedure, { type: 'hold', noShow: true }, cause);
  return Promise.resolve();
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
  // Another message about the appointment has made its order while this one waited for the patient.
  if ((await findOrder(unit, inbound, appointment)) !== undefined) throw changedMeanwhile();
  const stay = visit && (await saveVisit(unit.tx, patient.id, visit, visitOfOrder(at)));
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
