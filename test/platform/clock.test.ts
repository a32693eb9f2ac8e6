import { describe, expect, it } from 'vitest';
import { fixedClock, localTimeOf, offsetOf, plusMinutes } from '../../src/platform/clock.ts';

describe('the wall clock of a site (PS3.5 6.2: DA and TM have no offset)', () => {
  it.each([
    ['UTC', '2026-01-05T08:05:09Z', '2026-01-05', '08:05:09'],
    ['Europe/Berlin', '2026-01-05T08:05:09Z', '2026-01-05', '09:05:09'],
    ['Europe/Berlin', '2026-07-05T08:05:09Z', '2026-07-05', '10:05:09'],
    ['America/New_York', '2026-01-05T03:00:00Z', '2026-01-04', '22:00:00'],
    ['Asia/Kolkata', '2026-12-31T18:30:00Z', '2027-01-01', '00:00:00'],
    ['Asia/Kathmandu', '2026-06-01T00:00:00Z', '2026-06-01', '05:45:00'],
    ['Pacific/Kiritimati', '2026-01-05T10:00:00Z', '2026-01-06', '00:00:00'],
    ['Pacific/Pago_Pago', '2026-01-05T10:00:00Z', '2026-01-04', '23:00:00'],
  ])('in %s shows %s as %s %s', (timeZone, instant, date, time) => {
    expect(localTimeOf(new Date(instant), timeZone)).toEqual({ date, time });
  });

  it('writes midnight as 00 and never as 24', () => {
    expect(localTimeOf(new Date('2026-03-01T23:00:00Z'), 'Europe/Berlin')).toEqual({
      date: '2026-03-02',
      time: '00:00:00',
    });
  });

  it('springs forward: the hour from 02:00 to 03:00 does not exist', () => {
    const shown = ['2026-03-29T00:59:59Z', '2026-03-29T01:00:00Z'].map((instant) =>
      localTimeOf(new Date(instant), 'Europe/Berlin'),
    );
    expect(shown.map((local) => local.time)).toEqual(['01:59:59', '03:00:00']);
  });

  it('falls back: the hour from 02:00 to 03:00 exists twice', () => {
    const shown = ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'].map((instant) =>
      localTimeOf(new Date(instant), 'Europe/Berlin'),
    );
    expect(shown.map((local) => local.time)).toEqual(['02:30:00', '02:30:00']);
  });

  it('drops fractions of a second', () => {
    expect(localTimeOf(new Date('2026-01-05T08:05:09.999Z'), 'UTC').time).toBe('08:05:09');
  });
});

describe('the offset of a zone (HL7 v2.5.1 chapter 2A TS, PS3.3 C.12.1.1.8: +HHMM or -HHMM)', () => {
  it.each([
    ['UTC', '2026-01-05T08:05:09Z', '+0000'],
    ['Europe/Berlin', '2026-01-05T08:05:09Z', '+0100'],
    ['Europe/Berlin', '2026-07-05T08:05:09Z', '+0200'],
    ['America/New_York', '2026-01-05T08:00:00Z', '-0500'],
    ['America/St_Johns', '2026-01-05T08:00:00Z', '-0330'],
    ['Asia/Kolkata', '2026-01-05T08:00:00Z', '+0530'],
    ['Asia/Kathmandu', '2026-01-05T08:00:00Z', '+0545'],
    ['Pacific/Kiritimati', '2026-01-05T08:00:00Z', '+1400'],
    ['Pacific/Pago_Pago', '2026-01-05T08:00:00Z', '-1100'],
  ])('of %s at %s is %s', (timeZone, instant, offset) => {
    expect(offsetOf(new Date(instant), timeZone)).toBe(offset);
  });

  it('changes in the very second of the change of time', () => {
    expect(offsetOf(new Date('2026-03-29T00:59:59.999Z'), 'Europe/Berlin')).toBe('+0100');
    expect(offsetOf(new Date('2026-03-29T01:00:00.000Z'), 'Europe/Berlin')).toBe('+0200');
  });
});

describe('minutes on the wall clock', () => {
  it.each([
    ['2026-01-05', '09:30:00', 30, '2026-01-05', '10:00:00'],
    ['2026-01-05', '23:45:30', 30, '2026-01-06', '00:15:30'],
    ['2026-12-31', '23:59:00', 1, '2027-01-01', '00:00:00'],
    ['2028-02-28', '23:30:00', 60, '2028-02-29', '00:30:00'],
    ['2026-02-28', '23:30:00', 60, '2026-03-01', '00:30:00'],
    ['2026-01-05', '09:30:00', 1440, '2026-01-06', '09:30:00'],
  ])('%s %s and %d minutes is %s %s', (date, time, minutes, ...then) => {
    const after = plusMinutes({ date, time }, minutes);
    expect([after.date, after.time]).toEqual(then);
  });
});

describe('a fixed clock', () => {
  it('stands still until it is moved, and hands out instants of its own', () => {
    const clock = fixedClock('2026-01-05T08:00:00Z');
    clock.now().setFullYear(1999);
    expect(clock.now().toISOString()).toBe('2026-01-05T08:00:00.000Z');
    clock.advance(1500);
    expect(clock.now().toISOString()).toBe('2026-01-05T08:00:01.500Z');
  });
});
