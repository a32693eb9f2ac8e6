import { describe, expect, it } from 'vitest';
import { appointmentFromHl7 } from '../../src/mapping/appointment-from-hl7.ts';
import type { SenderRules } from '../../src/mapping/reader.ts';
import { failureOf } from '../hl7/support.ts';
import { mshOf, readingOf, segment } from './reading.ts';

const sch = (more: Record<number, string> = {}): string =>
  segment('SCH', { 2: 'AP1^RIS', 26: 'O1^EMR', 27: 'F1^RIS', ...more });
const ais = (more: Record<number, string> = {}): string =>
  segment('AIS', { 1: '1', 2: 'A', 3: 'HEAD^MR of the head^PLAN', 4: '20260106093000', ...more });
const pid = 'PID|1||P1^^^HOSP^MR||ALDER^ADA||19700102|F';

const reading = (lines: readonly string[], more: Partial<SenderRules> = {}, event = 'S12') =>
  readingOf([mshOf(`SIU^${event}`, '2.4'), ...lines], more);
const appointmentOf = (...lines: string[]) => appointmentFromHl7(reading(lines));
const serviceOf = (...lines: string[]) => appointmentOf(...lines).services[0];
const failure = (...lines: string[]) => failureOf(() => appointmentOf(...lines));

describe('an appointment (SIU, RAD TF-2 4.48, HL7 v2.5.1 10.4)', () => {
  it('has its numbers, its orders and its services', () => {
    expect(appointmentOf(sch({ 1: 'PA1^EMR' }), 'RGS|1|A', ais({ 7: '30', 8: 'min' }))).toEqual({
      placerAppointment: { id: 'PA1', namespace: 'EMR' },
      fillerAppointment: { id: 'AP1', namespace: 'RIS' },
      placerOrderNumber: { id: 'O1', namespace: 'EMR' },
      fillerOrderNumber: { id: 'F1', namespace: 'RIS' },
      services: [
        {
          service: { code: 'HEAD', meaning: 'MR of the head', scheme: 'PLAN' },
          start: { date: '2026-01-06', time: '09:30:00' },
          minutes: 30,
        },
      ],
      patient: undefined,
      visit: undefined,
    });
  });

  it('has the services of every resource group, in their order', () => {
    const { services } = appointmentOf(
      sch(),
      ...['RGS|1|A', ais(), 'AIG|1|A|T1', ais({ 3: 'SPINE' }), 'RGS|2|A', ais({ 3: 'KNEE', 4: '20260107' })],
    );
    expect(services.map(({ service, start }) => [service.code, start?.date])).toEqual([
      ['HEAD', '2026-01-06'],
      ['SPINE', '2026-01-06'],
      ['KNEE', '2026-01-07'],
    ]);
  });

  it('has the patient and the visit where the sender names them, and no remark where he does not', () => {
    const named = appointmentOf(sch(), pid, 'PV1|1|O', 'RGS|1|A', ais());
    expect(named.patient?.name).toEqual({ family: 'ALDER', given: 'ADA' });
    expect(named.visit?.patientClass).toBe('O');
    const without = reading([sch(), 'RGS|1|A', ais({ 7: '30' })]);
    expect(appointmentFromHl7(without)).toMatchObject({ patient: undefined, visit: undefined });
    expect(without.remarks).toEqual([]);
  });

  it('has the station that the rule of the sender names', () => {
    const lines = [sch(), 'RGS|1|A', ais(), 'AIL|1|A|MR7'];
    expect(appointmentOf(...lines)).not.toHaveProperty('scheduledStationAeTitles');
    const { scheduledStationAeTitles } = appointmentFromHl7(reading(lines, { station: 'AIL-3' }));
    expect(scheduledStationAeTitles).toEqual(['MR7']);
  });

  it.each([
    ['no number', [sch({ 2: '' }), ais()], 'required-field-missing', 'SCH^1^1'],
    ['numbers of blanks', [sch({ 1: ' ', 2: ' ' }), ais()], 'required-field-missing', 'SCH^1^1'],
    ['no SCH', ['RGS|1|A', ais()], 'segment-sequence', 'SCH^1'],
    ['two patients', [sch(), pid, pid, 'RGS|1|A', ais()], 'segment-sequence', 'PID^2'],
    ['an AIS-4 that is no time', [sch(), 'RGS|1|A', ais(), ais({ 4: 'noon' })], 'data-type', 'AIS^2^4'],
    ['a filler order number of 65 characters', [sch({ 27: 'F'.repeat(65) }), ais()], 'data-type', 'SCH^1^27^1^1'],
    ['a patient without PID-3', [sch(), 'PID|1||||ALDER', ais()], 'required-field-missing', 'PID^1^3^1^1'],
  ])('refuses %s', (_, lines, ...refusal) => {
    const { code, location } = failure(...lines);
    expect([code, location]).toEqual(refusal);
  });

  it.each(['SCH-1', 'SCH-2'])('is known by %s alone', (name) => {
    const field = Number(name.slice(-1));
    expect(appointmentOf(sch({ 2: '', [field]: 'N1' }), ais()).services).toHaveLength(1);
  });
});

describe('when a service starts (AIS-4, else SCH-11.4)', () => {
  it.each([
    [
      'AIS-4 before SCH-11.4',
      { 11: '^^^20260301080000' },
      { 4: '20260106093000' },
      { date: '2026-01-06', time: '09:30:00' },
    ],
    ['SCH-11.4 where AIS-4 is empty', { 11: '^^^20260301080000' }, { 4: '' }, { date: '2026-03-01', time: '08:00:00' }],
    [
      'AIS-4 with an offset, on the clock of the site',
      {},
      { 4: '20260106093000+0000' },
      { date: '2026-01-06', time: '10:30:00' },
    ],
    ['nothing where both are empty', {}, { 4: '' }, undefined],
  ] as [string, Record<number, string>, Record<number, string>, object | undefined][])('is %s', (...row) => {
    const [, schMore, aisMore, start] = row;
    expect(serviceOf(sch(schMore), 'RGS|1|A', ais(aisMore))?.start).toEqual(start);
  });

  it('is not read from an SCH-11 of a sender that shifts fields: it is remarked, and nothing fails', () => {
    const shifted = reading([
      sch({ 9: '^^^20260106100000', 10: '30', 11: 'min^minutes^SECRET^SECRET' }),
      'RGS|1',
      ais(),
    ]);
    expect(appointmentFromHl7(shifted).services).toMatchObject([{ start: { date: '2026-01-06', time: '09:30:00' } }]);
    expect(shifted.remarks.join()).toContain('SCH-11.3');
    expect(shifted.remarks.join()).toContain('SCH-11.4');
    expect(shifted.remarks.join()).not.toContain('SECRET');
  });

  it('is that of the appointment where there is no AIS: one service without a code', () => {
    expect(appointmentOf(sch({ 9: '45', 10: 'min', 11: '^^^20260301' })).services).toEqual([
      { service: {}, start: { date: '2026-03-01' }, minutes: 45 },
    ]);
    expect(appointmentOf(sch()).services).toEqual([]);
  });
});

describe('how long a service takes, in minutes (AIS-7, else SCH-9, else SCH-11.3)', () => {
  it.each([
    ['AIS-7 and AIS-8', {}, { 7: '20', 8: 'min^minutes^ISO+' }, 20],
    ['AIS-7 in seconds, rounded up', {}, { 7: '100', 8: 's' }, 2],
    ['AIS-7 in hours', {}, { 7: '1.5', 8: 'H' }, 90],
    ['AIS-7 without a unit: minutes', {}, { 7: '25' }, 25],
    ['AIS-7 before SCH-9', { 9: '45', 10: 'min' }, { 7: '20', 8: 'min' }, 20],
    ['SCH-9 and SCH-10', { 9: '1', 10: 'hr' }, {}, 60],
    ['SCH-9 before SCH-11.3', { 9: '45', 10: 'min', 11: '^^M30' }, {}, 45],
    ['SCH-11.3 as M30', { 11: '^^M30' }, {}, 30],
    ['SCH-11.3 as H1', { 11: '^^H1' }, {}, 60],
    ['SCH-11.3 as S90', { 11: '^^S90' }, {}, 2],
    ['SCH-9 where AIS-7 is unreadable', { 9: '45' }, { 7: 'long', 8: 'min' }, 45],
    ['none where nothing says it', {}, {}, undefined],
    ['none from a unit that is none of time', {}, { 7: '20', 8: 'kg' }, undefined],
    ['none from zero', {}, { 7: '0', 8: 'min' }, undefined],
    ['none beyond a day', {}, { 7: '25', 8: 'h' }, undefined],
    ['none from what is no number', {}, { 7: '1e3', 8: 'min' }, undefined],
  ] as [string, Record<number, string>, Record<number, string>, number | undefined][])('is that of %s', (...row) => {
    const [, schMore, aisMore, minutes] = row;
    expect(serviceOf(sch(schMore), 'RGS|1|A', ais(aisMore))?.minutes).toBe(minutes);
  });

  it('is remarked where it cannot be read', () => {
    const odd = reading([sch({ 9: 'x' }), 'RGS|1|A', ais({ 7: 'y' })]);
    appointmentFromHl7(odd);
    expect(odd.remarks).toEqual([
      'SCH-9 is not a duration with a unit and is not used',
      'AIS-7 is not a duration with a unit and is not used',
    ]);
  });
});

describe('what RAD-48 fills in each service (RAD TF-2 4.48)', () => {
  const bare = [sch(), 'RGS|1', ais({ 3: '', 4: '' })];

  it.each(['S12', 'S13'])('is missed with a remark in %s, and refused where the site is strict', (event) => {
    const lenient = reading(bare, {}, event);
    expect(appointmentFromHl7(lenient).services).toEqual([{ service: {} }]);
    expect(lenient.remarks.join()).toContain('AIS-3');
    expect(lenient.remarks.join()).toContain('AIS-4');
    const strict = reading(bare, { validation: 'strict' }, event);
    expect(failureOf(() => appointmentFromHl7(strict))).toEqual({
      code: 'required-field-missing',
      location: 'AIS^1^3',
    });
  });

  it('is not asked of a cancellation (S15)', () => {
    const strict = reading(bare, { validation: 'strict' }, 'S15');
    expect(appointmentFromHl7(strict).services).toEqual([{ service: {} }]);
  });
});
