import { cwe, readTimestamp, siteTimeOf } from '../hl7/datatypes.ts';
import type { Segment } from '../hl7/message.ts';
import { SwfError } from '../platform/errors.ts';
import type { Appointment, AppointmentService } from '../workflow/statements.ts';
import type { RequestedStart } from '../workflow/vocabulary.ts';
import { numberFromHl7 } from './identifiers-from-hl7.ts';
import { patientFromHl7, visitFromHl7 } from './patient-from-hl7.ts';
import { type Reading, defined, expected, locationOf, textOf } from './reader.ts';
import { stationsFromHl7 } from './station-from-hl7.ts';
import { groupsFromHl7, runsOf, segmentsIn } from './structure-from-hl7.ts';

/** Units of a duration in minutes: what ISO+, UCUM and people write (AIS-8, SCH-10). */
const minutesOfUnit: Readonly<Record<string, number>> = {
  ...Object.fromEntries(['s', 'sec', 'second', 'seconds'].map((unit) => [unit, 1 / 60])),
  ...Object.fromEntries(['', 'm', 'min', 'mins', 'minute', 'minutes'].map((unit) => [unit, 1])),
  ...Object.fromEntries(['h', 'hr', 'hour', 'hours'].map((unit) => [unit, 60])),
};

/** No step of an examination is longer than a day. */
const MOST_MINUTES = 24 * 60;

/** Whole minutes, rounded up; undefined for what is no duration of up to a day. */
function minutesOf(value: string, unit: string): number | undefined {
  const key = unit.toLowerCase();
  const factor = Object.hasOwn(minutesOfUnit, key) ? minutesOfUnit[key] : undefined;
  if (factor === undefined || !/^\d{1,9}(\.\d{1,9})?$/.test(value)) return undefined;
  const minutes = Math.ceil(Number(value) * factor);
  return minutes > 0 && minutes <= MOST_MINUTES ? minutes : undefined;
}

/** AIS-7 with its unit AIS-8, SCH-9 with SCH-10: a number and a unit in the field behind it. */
function durationAt(segment: Segment, field: number, reading: Reading): number | undefined {
  const value = textOf(segment, field);
  if (value === undefined) return undefined;
  const minutes = minutesOf(value, textOf(segment, field + 1) ?? '');
  if (minutes === undefined)
    reading.remarks.push(`${segment.name}-${field} is not a duration with a unit and is not used`);
  return minutes;
}

/** SCH-11.3 of TQ: a letter for the unit and the number, such as M30 (HL7 v2.5.1 2.A.81). */
function durationOfTiming(sch: Segment, reading: Reading): number | undefined {
  const value = textOf(sch, 11, 3);
  if (value === undefined) return undefined;
  const minutes = minutesOf(value.slice(1), value.charAt(0));
  if (minutes === undefined) reading.remarks.push('SCH-11.3 is not a duration and is not used');
  return minutes;
}

function startOf(value: string, reading: Reading): RequestedStart {
  return siteTimeOf(readTimestamp(value), reading.rules.timeZone);
}

/** SCH-11.4; many senders put other things into SCH-9 to 11, and an appointment does not fail by it. */
function startOfAppointment(sch: Segment, reading: Reading): RequestedStart | undefined {
  const value = textOf(sch, 11, 4);
  if (value === undefined) return undefined;
  try {
    return startOf(value, reading);
  } catch {
    reading.remarks.push('SCH-11.4 is not a time stamp and is not used');
    return undefined;
  }
}

function startOfService(ais: Segment, reading: Reading): RequestedStart | undefined {
  const value = textOf(ais, 4);
  if (value === undefined) return undefined;
  try {
    return startOf(value, reading);
  } catch {
    throw new SwfError('data-type', 'the start of the service (AIS-4) is not a time stamp', {
      location: locationOf(ais, 4),
    });
  }
}

/** SIU^S15 cancels: neither what nor when has to be said again. */
const cancelling: ReadonlySet<string> = new Set(['S15']);

function servicesOf(sch: Segment, services: readonly Segment[], reading: Reading): AppointmentService[] {
  const start = startOfAppointment(sch, reading);
  const minutes = durationAt(sch, 9, reading) ?? durationOfTiming(sch, reading);
  if (services.length === 0) return start ? [defined<AppointmentService>({ service: {}, start, minutes })] : [];
  const needed = !cancelling.has(reading.message.header.triggerEvent);
  return services.map((ais) => {
    const service = cwe(ais, 3) ?? {};
    const starts = startOfService(ais, reading);
    if (needed) {
      expected(reading, service.code !== undefined, locationOf(ais, 3), 'the universal service (AIS-3)');
      expected(reading, starts !== undefined, locationOf(ais, 4), 'the start of the service (AIS-4)');
    }
    return defined<AppointmentService>({
      service,
      start: starts ?? start,
      minutes: durationAt(ais, 7, reading) ?? minutes,
    });
  });
}

/**
 * An appointment: SIU^S12 to S15 and S26 (HL7 v2.5.1 10.4, RAD TF-2 4.48). Services are the AIS segments of every
 * resource group; an appointment that has a start and no AIS is one service without a code.
 * Throws 'required-field-missing' (101) where both SCH-1 and SCH-2 are empty, 'data-type' (102) for an AIS-4 that is no
 * time stamp, and what patientFromHl7 throws where there is a PID.
 */
export function appointmentFromHl7(reading: Reading): Appointment {
  const root = groupsFromHl7(reading);
  const sch = root.first('SCH');
  if (!sch) throw new SwfError('segment-sequence', 'there is no SCH segment', { location: 'SCH^1' });
  const placerAppointment = numberFromHl7(sch, 1, 'the placer appointment number');
  const fillerAppointment = numberFromHl7(sch, 2, 'the filler appointment number');
  if (!placerAppointment && !fillerAppointment) {
    const what = 'the appointment has no number: SCH-1 and SCH-2 are empty';
    throw new SwfError('required-field-missing', what, { location: locationOf(sch, 1) });
  }
  const patient = root.groupsOf('PATIENT').flatMap(segmentsIn);
  const has = (name: string): boolean => patient.some((segment) => segment.name === name);
  const services = root.groupsOf('RESOURCES').flatMap(segmentsIn);
  const appointment = {
    placerAppointment,
    fillerAppointment,
    placerOrderNumber: numberFromHl7(sch, 26, 'the placer order number'),
    fillerOrderNumber: numberFromHl7(sch, 27, 'the filler order number'),
    services: servicesOf(
      sch,
      services.filter((segment) => segment.name === 'AIS'),
      reading,
    ),
    patient: has('PID') ? patientFromHl7(reading, patient) : undefined,
    visit: has('PV1') ? visitFromHl7(reading, patient) : undefined,
  };
  const stations = stationsFromHl7(reading, [runsOf(reading.message).head]);
  return stations ? { ...appointment, scheduledStationAeTitles: stations } : appointment;
}
