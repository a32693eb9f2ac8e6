import { describe, expect, it } from 'vitest';
import { orderRequestsFromHl7 } from '../../src/mapping/order-from-hl7.ts';
import type { Reading, SenderRules } from '../../src/mapping/reader.ts';
import type { PlacerOrder } from '../../src/workflow/vocabulary.ts';
import { failureOf } from '../hl7/support.ts';
import { mshOf, readingOf, segment } from './reading.ts';

const msh = mshOf('ORM^O01');
const pid = 'PID|1||P1^^^HOSP||ALDER^ADA||19700102|F';
const pv1 = 'PV1|1|O';

const orcFields = { 1: 'NW', 2: 'O1^EMR', 9: '20260105075900', 12: 'D1^ELM^ERIC', 17: 'W1^Ward^DEPT' };
const obrFields = { 1: '1', 2: 'O1^EMR', 4: 'HEAD^MR of the head^PLAN', 16: 'D1^ELM^ERIC' };
const orc = (more: Record<number, string> = {}): string => segment('ORC', { ...orcFields, ...more });
const obr = (more: Record<number, string> = {}): string => segment('OBR', { ...obrFields, ...more });

const ordersFromHl7 = (reading: Reading): PlacerOrder[] =>
  orderRequestsFromHl7(reading).flatMap(({ order }) => order ?? []);

const ordersOf = (lines: readonly string[], more: Partial<SenderRules> = {}): PlacerOrder[] =>
  ordersFromHl7(readingOf([msh, pid, pv1, ...lines], more));

const orderOf = (lines: readonly string[], more: Partial<SenderRules> = {}): PlacerOrder | undefined =>
  ordersOf(lines, more)[0];

const failure = (lines: readonly string[], more: Partial<SenderRules> = {}) =>
  failureOf(() => ordersFromHl7(readingOf(lines, more)));

describe('the requested start (TQ1-7, ORC-7.4, OBR-27.4, OBR-36, in that precedence)', () => {
  const places = [
    { at: 'TQ1-7', orcMore: {}, obrMore: {}, tq1: ['TQ1|1||||||202601010100'] },
    { at: 'ORC-7.4', orcMore: { 7: '1^once^^202601010200' }, obrMore: {}, tq1: [] },
    { at: 'OBR-27.4', orcMore: {}, obrMore: { 27: '1^once^^202601010300' }, tq1: [] },
    { at: 'OBR-36', orcMore: {}, obrMore: { 36: '202601010400' }, tq1: [] },
  ];

  it.each(places.map(({ at }, index) => [at, index] as const))('is that of %s before those behind it', (_, first) => {
    const valued = places.slice(first);
    const orcMore = Object.assign({}, ...valued.map((place) => place.orcMore)) as Record<number, string>;
    const obrMore = Object.assign({}, ...valued.map((place) => place.obrMore)) as Record<number, string>;
    const order = orderOf([orc(orcMore), ...valued.flatMap((place) => place.tq1), obr(obrMore)]);
    expect(order?.requestedStart).toEqual({ date: '2026-01-01', time: `0${first + 1}:00:00` });
  });

  it('is none where no place has one', () => {
    expect(orderOf([orc(), obr()])).not.toHaveProperty('requestedStart');
  });

  it('may be a day', () => {
    expect(orderOf([orc({ 7: '^^^20260203' }), obr()])?.requestedStart).toEqual({ date: '2026-02-03' });
  });

  it.each([
    ['20260105093000', '2026-01-05', '09:30:00'],
    ['20260105093000.1234', '2026-01-05', '09:30:00'],
    ['20260105093000+0000', '2026-01-05', '10:30:00'],
    ['20260705233000-0500', '2026-07-06', '06:30:00'],
  ])('%s is %s %s on the clock of the site', (value, date, time) => {
    expect(orderOf([orc({ 7: `^^^${value}` }), obr()])?.requestedStart).toEqual({ date, time });
  });

  it('that is no time is refused with 102 at its place', () => {
    expect(failure([msh, pid, orc({ 7: '^^^tomorrow' }), obr()])).toEqual({
      code: 'data-type',
      location: 'ORC^1^7^1^4',
    });
    expect(failure([msh, pid, orc(), 'TQ1|1||||||20260231', obr()])).toEqual({
      code: 'data-type',
      location: 'TQ1^1^7^1^1',
    });
  });
});

describe('what an order cannot do without (AE 101)', () => {
  it.each([
    ['ORC-1', [orc({ 1: '' }), obr()], 'ORC^1^1'],
    ['ORC-2', [orc({ 2: '' }), obr()], 'ORC^1^2'],
    ['ORC-2.1', [orc({ 2: '^EMR' }), obr()], 'ORC^1^2'],
    ['OBR-4', [orc(), obr({ 4: '' })], 'OBR^1^4^1^1'],
    ['OBR-4.1', [orc(), obr({ 4: '^text' })], 'OBR^1^4^1^1'],
    ['ORC-2 of the second order', [orc(), obr(), orc({ 2: '' }), obr()], 'ORC^2^2'],
    ['OBR-4 of the second order', [orc(), obr(), orc({ 2: 'O2' }), obr({ 4: '' })], 'OBR^2^4^1^1'],
  ])('%s', (_, lines, location) => {
    expect(failure([msh, pid, pv1, ...lines])).toEqual({ code: 'required-field-missing', location });
  });

  it.each([
    ['no ORC', [msh, pid, pv1], undefined],
    ['an ORC before PID', [msh, orc(), obr(), pid], 'ORC^1'],
    ['an ORC without OBR', [msh, pid, orc()], 'OBR^1'],
    ['an ORC without OBR before another order', [msh, pid, orc(), orc({ 2: 'O2' }), obr()], undefined],
    ['an OBR before any ORC', [msh, pid, obr(), orc()], 'OBR^1'],
    ['two PID', [msh, pid, pid, orc(), obr()], 'PID^2'],
  ])('is the order of its segments: %s is 100', (_, lines, location) => {
    const { code, location: place } = failure(lines);
    expect(code).toBe('segment-sequence');
    if (location !== undefined) expect(place).toBe(location);
  });

  it('everything else that a sender fills is missed with a remark, and refused where the site is strict', () => {
    const lines = [msh, pid, pv1, 'ORC|NW|O1', 'OBR||||HEAD'];
    const reading = readingOf(lines);
    expect(ordersFromHl7(reading)).toHaveLength(1);
    for (const field of ['OBR-2', 'ORC-9', 'ORC-12', 'ORC-17', 'OBR-16']) {
      expect(reading.remarks.join('\n')).toContain(field);
    }
    expect(failure(lines, { validation: 'strict' }).code).toBe('required-field-missing');
  });

  it('a complete order is remarked nothing and passes a strict site', () => {
    const timing = '1^once^^20260105093000';
    const reading = readingOf([msh, pid, pv1, orc({ 7: timing }), obr({ 27: timing })], { validation: 'strict' });
    ordersFromHl7(reading);
    expect(reading.remarks).toEqual([]);
  });
});

describe('identifiers that DICOM cannot carry are refused, never cut', () => {
  it('ORC-2 of more than 64 characters is 102', () => {
    expect(orderOf([orc({ 2: 'O'.repeat(64) }), obr()])?.placerOrderNumber?.id).toHaveLength(64);
    expect(failure([msh, pid, orc({ 2: 'O'.repeat(65) }), obr()])).toEqual({
      code: 'data-type',
      location: 'ORC^1^2^1^1',
    });
  });
});

describe('several orders in one message', () => {
  it('each have what stands up to the next ORC', () => {
    const orders = ordersOf([
      orc({ 4: 'G1^EMR' }),
      'TQ1|1||||||20260101',
      obr({ 24: 'MR' }),
      'NTE|1||first',
      orc({ 2: 'O2^EMR', 4: 'G1^EMR' }),
      obr({ 2: 'O2^EMR', 4: 'KNEE', 24: 'dx' }),
      'NTE|1||second',
    ]);
    expect(
      orders.map((order) => [order.placerOrderNumber?.id, order.requestedStart?.date, order.modality, order.comments]),
    ).toEqual([
      ['O1', '2026-01-01', 'MR', ['first']],
      ['O2', undefined, 'DX', ['second']],
    ]);
    expect(orders.map((order) => order.placerGroupNumber)).toEqual([
      { id: 'G1', namespace: 'EMR' },
      { id: 'G1', namespace: 'EMR' },
    ]);
  });
});

describe('the fields of an order', () => {
  it('are read from their places', () => {
    const order = orderOf([
      orc({ 2: 'O1^EMR^1.2.3^ISO', 10: 'C1^IVY^IDA', 14: '555' }),
      obr({
        2: 'O1^EMR^1.2.3^ISO',
        12: 'INF^Infectious^L',
        13: 'Pacemaker',
        15: '^^^^L',
        18: 'ACC1',
        24: 'MR',
        30: 'WHLC',
        31: 'R51^Headache^I10',
        41: 'A',
        44: 'PX^Px^L',
        46: 'L^Left^HL70411',
      }),
    ]);
    expect(order).toEqual({
      placerOrderNumber: { id: 'O1', namespace: 'EMR', universalId: '1.2.3', universalIdType: 'ISO' },
      transactionTime: '20260105075900',
      enteredBy: { id: 'C1', family: 'IVY', given: 'IDA' },
      orderingProvider: { id: 'D1', family: 'ELM', given: 'ERIC' },
      callBackPhone: '555',
      enteringOrganisation: { code: 'W1', meaning: 'Ward', scheme: 'DEPT' },
      service: { code: 'HEAD', meaning: 'MR of the head', scheme: 'PLAN' },
      dangerCode: { code: 'INF', meaning: 'Infectious', scheme: 'L' },
      relevantClinicalInformation: 'Pacemaker',
      specimenSource: ['', '', '', '', 'L'],
      modality: 'MR',
      transportationMode: 'WHLC',
      reason: { code: 'R51', meaning: 'Headache', scheme: 'I10' },
      transportArranged: 'A',
      procedureCode: { code: 'PX', meaning: 'Px', scheme: 'L' },
      placerSupplementalServiceInformation: { code: 'L', meaning: 'Left', scheme: 'HL70411' },
      requestedAccessionNumber: 'ACC1',
    });
  });

  it('have the ordering provider of OBR-16 where ORC-12 is empty', () => {
    expect(orderOf([orc({ 12: '' }), obr({ 16: 'D9^FIR' })])?.orderingProvider).toEqual({ id: 'D9', family: 'FIR' });
  });

  it.each([
    ['TQ1-9', { 7: '^^^^^R' }, { 5: 'P', 27: '^^^^^A' }, ['TQ1|1||||||||S'], 'S'],
    ['ORC-7.6', { 7: '^^^^^R' }, { 5: 'P', 27: '^^^^^A' }, [], 'R'],
    ['OBR-27.6', {}, { 5: 'P', 27: '^^^^^A' }, [], 'A'],
    ['OBR-5', {}, { 5: 'P' }, [], 'P'],
  ] as [string, Record<number, string>, Record<number, string>, string[], string][])(
    'have the priority of %s before those behind it',
    (...row) => {
      const [, orcMore, obrMore, tq1, priority] = row;
      expect(orderOf([orc(orcMore), ...tq1, obr(obrMore)])?.priority).toBe(priority);
    },
  );

  it('have a reason that is plain text as words and not as a code', () => {
    expect(orderOf([orc(), obr({ 31: 'cough' })])?.reason).toEqual({ meaning: 'cough' });
  });

  it.each([
    ['Body Weight', '72.5', 'kg', { bodyWeight: '72.5' }],
    ['BODY WEIGHT', '3200', 'g', { bodyWeight: '3.2' }],
    ['Body Height', '1.68', 'm', { bodyHeight: '1.68' }],
    ['Body Height', '168', 'cm', { bodyHeight: '1.68' }],
    ['Body Weight', '160', 'lb', {}],
    ['Body Weight', 'heavy', 'kg', {}],
    ['Body Weight', '-1', 'kg', {}],
    ['Body Weight', '70', '', {}],
    ['Blood pressure', '120', 'kg', {}],
  ])('have from OBX %s %s %s: %j (DICOM wants kg and m)', (...row) => {
    const [name, value, unit, measured] = row;
    const order = orderOf([orc(), obr(), `OBX|1|NM|X^${name}||${value}|${unit}`]);
    const { bodyWeight, bodyHeight } = order ?? {};
    expect(JSON.parse(JSON.stringify({ bodyWeight, bodyHeight }))).toEqual(measured);
  });

  it('have a modality that is one, and a remark where OBR-24 is none', () => {
    const reading = readingOf([msh, pid, orc(), obr({ 24: 'M/R' })]);
    expect(ordersFromHl7(reading)[0]).not.toHaveProperty('modality');
    expect(reading.remarks.join()).toContain('OBR-24');
  });

  it('have what a Z segment or an unknown field says left aside', () => {
    const lines = [orc(), obr({ 60: 'x' }), 'ZXX|1', 'DG1|1'];
    expect(ordersOf(lines)).toEqual(ordersOf([orc(), obr()]));
  });
});

describe("a sender's rules", () => {
  it('take the service from the second triplet of OBR-4', () => {
    const lines = [orc(), obr({ 4: 'LOCAL^Local^X^HEAD^MR of the head^PLAN' })];
    expect(orderOf(lines)?.service).toMatchObject({ code: 'LOCAL', scheme: 'X' });
    expect(orderOf(lines, { serviceCode: 'OBR-4.4' })?.service).toEqual({
      code: 'HEAD',
      meaning: 'MR of the head',
      scheme: 'PLAN',
    });
    expect(failure([msh, pid, orc(), obr()], { serviceCode: 'OBR-4.4' })).toEqual({
      code: 'required-field-missing',
      location: 'OBR^1^4^1^4',
    });
  });

  it('take the station from the field they name, and none without a rule', () => {
    const lines = [orc(), obr({ 21: 'MR7' })];
    expect(orderOf(lines)).not.toHaveProperty('scheduledStationAeTitles');
    expect(orderOf(lines, { station: 'OBR-21' })?.scheduledStationAeTitles).toEqual(['MR7']);
    expect(orderOf([orc({ 18: 'X^MR8' }), obr()], { station: 'ORC-18.2' })?.scheduledStationAeTitles).toEqual(['MR8']);
  });

  it('use no station that is no AE title', () => {
    const reading = readingOf([msh, pid, orc(), obr({ 21: 'A TITLE THAT IS TOO LONG' })], { station: 'OBR-21' });
    expect(ordersFromHl7(reading)[0]).not.toHaveProperty('scheduledStationAeTitles');
    expect(reading.remarks.join()).toContain('OBR-21');
  });
});

describe('remarks and refusals', () => {
  it('quote no content of the message', () => {
    const secret = 'SECRETVALUE';
    const lines = [msh, pid, orc({ 2: secret, 7: `^^^${secret}` }), obr({ 2: `${secret}2`, 24: `${secret}/` })];
    expect(() => ordersFromHl7(readingOf(lines))).toThrow(/^(?!.*SECRETVALUE)/);
    const reading = readingOf([msh, pid, orc({ 2: secret }), obr({ 2: `${secret}2`, 24: `${secret}/` })]);
    ordersFromHl7(reading);
    expect(reading.remarks.join()).not.toContain(secret);
    expect(reading.remarks.join()).toContain('OBR-2 differs');
  });
});
