import { describe, expect, it } from 'vitest';
import type { Hl7Message } from '../../src/hl7/message.ts';
import { type AppointmentNews, appointmentToHl7 } from '../../src/mapping/appointment-to-hl7.ts';
import type { Hl7Version, OrderSubject } from '../../src/mapping/segments-to-hl7.ts';
import {
  departmentOrder,
  envelope,
  namesOf,
  order,
  procedure,
  procedureMoved,
  received,
  subject,
  valuesOf,
} from './outgoing.ts';

const appointment = (
  news: AppointmentNews = { triggerEvent: 'S12' },
  version: Hl7Version = '2.3.1',
  about: OrderSubject = subject,
): Hl7Message => received(appointmentToHl7(envelope(version), about, procedure, news));

describe('RAD-48 (RAD TF-2 4.48)', () => {
  it('is laid out as MSH SCH PID PV1 RGS AIS', () => {
    expect(namesOf(appointment())).toBe('MSH SCH PID PV1 RGS AIS');
  });

  it('given a receiver of v2.3.1 or an envelope of v2.4, then it is of v2.4', () => {
    for (const version of ['2.3.1', '2.4'] as const) {
      const sent = appointment({ triggerEvent: 'S12' }, version);
      expect(valuesOf(sent, ['MSH-9.1', 'MSH-9.2', 'MSH-9.3', 'MSH-12'])).toEqual(['SIU', 'S12', 'SIU_S12', '2.4']);
    }
  });

  it('given an envelope of v2.5.1, then it is of v2.5.1', () => {
    const sent = appointment({ triggerEvent: 'S12' }, '2.5.1');
    expect(valuesOf(sent, ['MSH-12', 'PID-3.5'])).toEqual(['2.5.1', 'PI']);
  });

  it.each([
    ['S12', 'A', 'Booked'],
    ['S13', 'U', 'Booked'],
    ['S15', 'D', 'Cancelled'],
  ] as const)('%s has the action %s in RGS-2 and AIS-2 and the status %s in SCH-25', (triggerEvent, action, status) => {
    const sent = appointment({ triggerEvent });
    expect(valuesOf(sent, ['MSH-9.2', 'RGS-2', 'AIS-2', 'SCH-25'])).toEqual([triggerEvent, action, action, status]);
  });

  it.each([
    ['SCH-2.1', 'RP1'],
    ['SCH-2.2', 'SWF_OF'],
    ['SCH-4', 'G1'],
    ['SCH-6.2', 'APT'],
    ['SCH-11.3', 'M90'],
    ['SCH-11.4', '20260105093000'],
    ['SCH-11.6', 'S'],
    ['SCH-16.2', 'SWF_OF'],
    ['SCH-20.2', 'CLERK'],
    ['SCH-26.1', 'O1'],
    ['SCH-26.2', 'EMR'],
    ['SCH-27.1', 'F1'],
    ['SCH-27.2', 'SWF_OF'],
    ['PID-3.1', 'P1'],
    ['PV1-2', 'U'],
    ['RGS-1', '1'],
    ['AIS-1', '1'],
    ['AIS-3.1', 'HEAD'],
    ['AIS-3.2', 'Head'],
    ['AIS-3.3', 'PLAN'],
    ['AIS-3.4', 'P1'],
    ['AIS-3.5', 'P1 meant'],
    ['AIS-3.6', 'DEPT'],
    ['AIS-4', '20260105093000'],
    ['AIS-7', '30'],
    ['AIS-8', 'min'],
  ])('%s is %s', (place, value) => {
    expect(appointment().get(place)).toBe(value);
  });

  it('given a reason, then it is the event reason (SCH-6)', () => {
    const sent = appointment({ triggerEvent: 'S15', reason: 'scanner down' });
    expect(valuesOf(sent, ['SCH-6.1', 'SCH-6.2'])).toEqual([undefined, 'scanner down']);
  });

  it('given an order whose message names nobody who entered it, then SCH-20 names the program: it must be valued', () => {
    const { enteredBy: _, ...rest } = order;
    const sent = appointment({ triggerEvent: 'S12' }, '2.4', { ...subject, order: rest });
    expect(sent.get('SCH-20.2')).toBe('SWF_OF');
  });

  it('given an order of the department without a placer number, then SCH-26 is empty', () => {
    const sent = appointment({ triggerEvent: 'S12' }, '2.4', { ...subject, order: departmentOrder() });
    expect(valuesOf(sent, ['SCH-26', 'SCH-27'])).toEqual([undefined, 'F1']);
  });

  it('given a later step that was moved before the others, then AIS names that step, and the duration reaches from it to the end of the last', () => {
    const sent = received(appointmentToHl7(envelope('2.4'), subject, procedureMoved, { triggerEvent: 'S13' }));
    expect(valuesOf(sent, ['AIS-3.4', 'AIS-4'])).toEqual(['P4', '20260105084500']);
    expect(valuesOf(sent, ['SCH-11.3', 'SCH-11.4'])).toEqual(['M105', '20260105084500']);
  });
});
