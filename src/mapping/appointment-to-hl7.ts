import { formatLocalTimestamp, toEi, toXcn } from '../hl7/datatypes.ts';
import type { Component, Field, SegmentValues } from '../hl7/encode.ts';
import { plusMinutes } from '../platform/clock.ts';
import type { PlannedProcedure, PlannedStep } from '../workflow/vocabulary.ts';
import { firstStepOf } from './procedure-to-hl7.ts';
import { type RenderedMessage, rendered } from './rendered.ts';
import {
  type Envelope,
  type OrderSubject,
  type Start,
  pid,
  pv1,
  quantityTiming,
  segment,
  universalService,
} from './segments-to-hl7.ts';

/** RGS-2 and AIS-2 (HL7 table 0206), SCH-25 (HL7 table 0278) of the three events of RAD-48. */
const events = {
  S12: { action: 'A', status: 'Booked' },
  S13: { action: 'U', status: 'Booked' },
  S15: { action: 'D', status: 'Cancelled' },
} as const;

/** What happened to an appointment: it was made, moved or called off. */
export interface AppointmentNews {
  readonly triggerEvent: keyof typeof events;
  /** Why, for SCH-6.2; without it `APT` stands there. */
  readonly reason?: string | undefined;
}

const minuteUnit: readonly Component[] = ['min', 'minute', 'ISO+'];

/** From the first step's start to the end of the last, on the wall clock. */
function minutesOf(first: PlannedStep, { steps }: PlannedProcedure): number {
  const at = ({ date, time }: Start): number => Date.parse(`${date}T${time}Z`);
  const ends = steps.map(({ start, minutes }) => at(plusMinutes(start, minutes)));
  return Math.round((Math.max(...ends) - at(first.start)) / 60_000);
}

/** SCH-11; the third component of a timing is the duration, `M` for minutes (TQ, HL7 v2.5.1 chapter 2A). */
function appointmentTiming(subject: OrderSubject, procedure: PlannedProcedure): Field {
  const first = firstStepOf(procedure);
  const [quantity, interval, , ...later] = quantityTiming(subject.order, first?.start);
  return [quantity, interval, first && `M${minutesOf(first, procedure)}`, ...later];
}

function sch(subject: OrderSubject, procedure: PlannedProcedure, news: AppointmentNews): SegmentValues {
  const { order, application } = subject;
  const program: Field = [undefined, application];
  return segment('SCH', {
    2: [procedure.requestedProcedureId, application],
    4: order.placerGroupNumber && toEi(order.placerGroupNumber),
    6: [undefined, news.reason ?? 'APT'],
    11: appointmentTiming(subject, procedure),
    // SCH-16 and SCH-20 must be valued. We know no person who keeps the appointments: it is the program that does.
    16: program,
    20: order.enteredBy ? toXcn(order.enteredBy) : program,
    25: [events[news.triggerEvent].status, undefined, 'HL70278'],
    26: order.placerOrderNumber && toEi(order.placerOrderNumber),
    27: [subject.fillerOrderNumber, application],
  });
}

/** AIS names the first step that is scheduled: by its procedure and, beside it, its first protocol. */
function ais(procedure: PlannedProcedure, step: PlannedStep | undefined, action: string): SegmentValues {
  return segment('AIS', {
    1: '1',
    2: action,
    3: universalService(procedure.code, step?.protocols[0]),
    4: step && formatLocalTimestamp(step.start),
    7: step && String(step.minutes),
    8: step && minuteUnit,
  });
}

/**
 * RAD-48 Appointment Notification (RAD TF-2 4.48), to the order placer: SIU^S12, S13 or S15 of v2.4, also for a
 * receiver who has v2.3.1 otherwise; of v2.5.1 where the envelope asks for that.
 */
export function appointmentToHl7(
  envelope: Envelope,
  subject: OrderSubject,
  procedure: PlannedProcedure,
  news: AppointmentNews,
): RenderedMessage {
  const version = envelope.version === '2.5.1' ? '2.5.1' : '2.4';
  const { triggerEvent } = news;
  const { action } = events[triggerEvent];
  const form = { messageType: `SIU^${triggerEvent}`, structure: 'SIU_S12 RAD-48' };
  return rendered({ ...envelope, version }, form, [
    sch(subject, procedure, news),
    pid(subject.patient, version),
    pv1(subject.visit),
    segment('RGS', { 1: '1', 2: action }),
    ais(procedure, firstStepOf(procedure), action),
  ]);
}
