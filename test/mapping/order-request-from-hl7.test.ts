import { describe, expect, it } from 'vitest';
import { orderRequestsFromHl7 } from '../../src/mapping/order-from-hl7.ts';
import type { SenderRules } from '../../src/mapping/reader.ts';
import type { OrderRequest } from '../../src/workflow/statements.ts';
import { failureOf } from '../hl7/support.ts';
import { mshOf, readingOf, segment } from './reading.ts';
import { orderOfService } from '../../src/workflow/planning.ts';

const pid = 'PID|1||P1^^^HOSP^MR||ALDER^ADA||19700102|F';
const orc = (more: Record<number, string> = {}): string =>
  segment('ORC', { 1: 'NW', 2: 'O1^EMR', 9: '20260105075900', 12: 'D1^ELM^ERIC', 17: 'W1^Ward^DEPT', ...more });
const obr = (more: Record<number, string> = {}): string =>
  segment('OBR', { 1: '1', 2: 'O1^EMR', 4: 'HEAD^MR of the head^PLAN', 16: 'D1^ELM^ERIC', ...more });

const messageOf = (lines: readonly string[], type = 'ORM^O01') => [mshOf(type), pid, ...lines];
const requestsOf = (lines: readonly string[], more: Partial<SenderRules> = {}): OrderRequest[] =>
  orderRequestsFromHl7(readingOf(messageOf(lines), more));
const requestOf = (lines: readonly string[], more: Partial<SenderRules> = {}): OrderRequest | undefined =>
  requestsOf(lines, more)[0];
const failure = (...lines: string[]) => failureOf(() => requestsOf(lines));

const newOrders = ['NW', 'PA', 'CH', 'RO'];
const changes = ['XO', 'XX'];
const others = ['CA', 'DC', 'HD', 'RL', 'RP', 'SS', 'SC', 'ZZ', 'nw', 'constructor'];

describe('an ORC group, whatever its order control asks (RAD TF-2 4.2, HL7 v2.5.1 4.5.1)', () => {
  it.each([...newOrders, ...changes, ...others])(
    'given ORC-1 %s, says it as it came: what it means is decided elsewhere',
    (control) => {
      const request = requestOf([orc({ 1: control, 5: 'SC', 8: 'M1&EMR' }), obr()]);
      expect(request).toMatchObject({
        orderControl: control,
        orderStatus: 'SC',
        placerOrderNumber: { id: 'O1', namespace: 'EMR' },
        order: { placerOrderNumber: { id: 'O1', namespace: 'EMR' }, service: { code: 'HEAD' } },
        sequence: 1,
      });
    },
  );

  it('given an empty ORC-5, has no order status', () => {
    expect(requestOf([orc(), obr()])?.orderStatus).toBeUndefined();
  });

  it.each([
    ['ORC-3', { 3: 'F1^RIS' }, { 3: 'F2^RIS' }, { id: 'F1', namespace: 'RIS' }],
    ['OBR-3 where ORC-3 is empty', {}, { 3: 'F2^RIS' }, { id: 'F2', namespace: 'RIS' }],
    ['none where both are empty', {}, {}, undefined],
  ])('has the filler order number of %s', (_, orcMore, obrMore, number) => {
    expect(requestOf([orc({ 1: 'CA', ...orcMore }), obr(obrMore)])?.fillerOrderNumber).toEqual(number);
  });

  it('given three ORC, is one request for each in the order of the message, of different kinds', () => {
    const requests = requestsOf([
      orc({ 1: 'CA' }),
      orc({ 2: 'O2^EMR' }),
      obr({ 2: 'O2^EMR' }),
      orc({ 1: 'XO', 2: 'O3^EMR' }),
      obr({ 2: 'O3^EMR', 4: 'KNEE' }),
    ]);
    expect(
      requests.map(({ orderControl, placerOrderNumber, order, sequence }) => [
        orderControl,
        placerOrderNumber.id,
        order?.service.code,
        sequence,
      ]),
    ).toEqual([
      ['CA', 'O1', undefined, 1],
      ['NW', 'O2', 'HEAD', 2],
      ['XO', 'O3', 'KNEE', 3],
    ]);
  });

  it.each([
    ['an empty ORC-1', [orc({ 1: '' }), obr()], 'required-field-missing', 'ORC^1^1'],
    ['an ORC-1 of ""', [orc({ 1: '""' }), obr()], 'required-field-missing', 'ORC^1^1'],
    ['an empty ORC-2 of a cancel', [orc({ 1: 'CA', 2: '' })], 'required-field-missing', 'ORC^1^2'],
    ['an ORC-2 of blanks', [orc({ 2: '   ' }), obr()], 'required-field-missing', 'ORC^1^2'],
    [
      'an empty ORC-2 in the second group',
      [orc({ 1: 'CA' }), orc({ 1: 'CA', 2: '' })],
      'required-field-missing',
      'ORC^2^2',
    ],
    ['an ORC-3 of 65 characters', [orc({ 1: 'CA', 3: 'F'.repeat(65) })], 'data-type', 'ORC^1^3^1^1'],
    ['an OBR-3 with a backslash', [orc({ 1: 'CA' }), obr({ 3: 'F\\E\\1' })], 'data-type', 'OBR^1^3^1^1'],
  ])('refuses %s', (_, lines, ...refusal) => {
    const { code, location } = failure(...lines);
    expect([code, location]).toEqual(refusal);
  });
});

describe('what a group has to say of its order', () => {
  it.each(newOrders)(
    'given a new order (%s), its OBR is 100 when it is missing and OBR-4 is 101 (HL7 v2.5.1 4.5.3.4)',
    (control) => {
      expect(failure(orc({ 1: control }))).toEqual({ code: 'segment-sequence', location: 'OBR^1' });
      expect(failure(orc({ 1: control }), obr({ 4: '' }))).toEqual({
        code: 'required-field-missing',
        location: 'OBR^1^4^1^1',
      });
    },
  );

  it.each(others)('given %s without an OBR, there is no order: its number is enough', (control) => {
    expect(requestOf([orc({ 1: control })])).toMatchObject({ order: undefined, cleared: [] });
  });

  it.each([...changes, ...others])('given %s without OBR-4, names no service', (control) => {
    expect(requestOf([orc({ 1: control }), obr({ 4: '' })])?.order?.service).toEqual({});
  });

  it('given a change (XO) without an OBR, has what its ORC and TQ1 say', () => {
    expect(requestOf([orc({ 1: 'XO', 9: '', 12: '', 17: '' }), 'TQ1|1||||||20260106090000'])?.order).toEqual({
      placerOrderNumber: { id: 'O1', namespace: 'EMR' },
      service: {},
      requestedStart: { date: '2026-01-06', time: '09:00:00' },
    });
  });

  it('given a requested start that is none, refuses a change with 102', () => {
    expect(failure(orc({ 1: 'XO', 7: '^^^soon' }), obr())).toEqual({ code: 'data-type', location: 'ORC^1^7^1^4' });
  });

  it('given a requested start that is none, a cancel goes on by its number, with a remark that quotes nothing', () => {
    const reading = readingOf(messageOf([orc({ 1: 'CA', 7: '^^^SECRET' }), obr()]));
    expect(orderRequestsFromHl7(reading)).toMatchObject([{ orderControl: 'CA', order: undefined, cleared: [] }]);
    expect(reading.remarks).toEqual([
      'the requested start (ORC-7) is not a time stamp (ORC^1^7^1^4); only the order number is used',
    ]);
  });
});

describe('the parent of a child order (ORC-8, EIP, HL7 v2.5.1 4.5.1.8)', () => {
  it('is the placer order number in the subcomponents of component 1', () => {
    const request = requestOf([orc({ 1: 'CH', 8: 'M1&EMR&1.2.3&ISO^F9&RIS' }), obr()]);
    expect(request?.order?.parent).toEqual({
      id: 'M1',
      namespace: 'EMR',
      universalId: '1.2.3',
      universalIdType: 'ISO',
    });
  });

  it('is missed with a remark where a child order has none', () => {
    const reading = readingOf(messageOf([orc({ 1: 'CH' }), obr()]));
    expect(orderRequestsFromHl7(reading)[0]?.order).not.toHaveProperty('parent');
    expect(reading.remarks.join()).toContain('ORC-8.1');
  });

  it('is not read from a sender that shifts its fields: an NW has no parent', () => {
    const reading = readingOf(messageOf([orc({ 8: '20260410' }), obr()]));
    expect(orderRequestsFromHl7(reading)[0]?.order).not.toHaveProperty('parent');
    expect(reading.remarks.join()).toContain('ORC-1 CH');
  });

  it('is refused with 102 where DICOM cannot carry it', () => {
    expect(failure(orc({ 1: 'CH', 8: 'M'.repeat(65) }), obr())).toEqual({ code: 'data-type', location: 'ORC^1^8^1^1' });
  });
});

describe('what a group clears with "" (HL7 v2.5.1 2.5.3.2)', () => {
  it.each([
    ['ORC-4', { 4: '""' }, {}, ['placerGroupNumber']],
    ['ORC-7', { 7: '""' }, {}, ['quantity', 'interval', 'priority', 'requestedStart']],
    ['ORC-7.4', { 7: '1^once^^""^^R' }, {}, ['requestedStart']],
    ['ORC-9', { 9: '""' }, {}, ['transactionTime']],
    ['ORC-14', { 14: '""' }, {}, ['callBackPhone']],
    ['ORC-17', { 17: '""' }, {}, ['enteringOrganisation']],
    ['OBR-5', {}, { 5: '""' }, ['priority']],
    ['OBR-12', {}, { 12: '""' }, ['dangerCode']],
    ['OBR-13', {}, { 13: '""' }, ['relevantClinicalInformation']],
    ['OBR-15', {}, { 15: '""' }, ['specimenSource']],
    ['OBR-18', {}, { 18: '""' }, ['requestedAccessionNumber']],
    ['OBR-24', {}, { 24: '""' }, ['modality']],
    ['OBR-30', {}, { 30: '""' }, ['transportationMode']],
    ['OBR-31', {}, { 31: '""' }, ['reason']],
    ['OBR-36', {}, { 36: '""' }, ['requestedStart']],
    ['OBR-41', {}, { 41: '""' }, ['transportArranged']],
    ['OBR-44', {}, { 44: '""' }, ['procedureCode']],
    ['OBR-46', {}, { 46: '""' }, ['placerSupplementalServiceInformation']],
  ] as [string, Record<number, string>, Record<number, string>, string[]][])(
    'given "" in %s, names its fields',
    (...row) => {
      const [, orcMore, obrMore, cleared] = row;
      const request = requestOf([orc({ 1: 'XO', ...orcMore }), obr(obrMore)]);
      expect([...(request?.cleared ?? [])].sort()).toEqual([...cleared].sort());
      for (const name of cleared) expect(request?.order).not.toHaveProperty(name);
    },
  );

  it('given fields that are absent, clears nothing: what is stored stays', () => {
    expect(requestOf([orc({ 1: 'XO' }), obr()])?.cleared).toEqual([]);
  });

  it('given "" in one place of a field and a value in another, the value stands', () => {
    const start = requestOf([orc({ 1: 'XO', 7: '""' }), 'TQ1|1||||||20260106||R', obr({ 16: '""' })]);
    expect(start?.order).toMatchObject({ requestedStart: { date: '2026-01-06' }, priority: 'R' });
    expect(start?.order?.orderingProvider).toMatchObject({ id: 'D1' });
    expect(start?.cleared).toEqual(['quantity', 'interval']);
  });

  it.each([
    ['the only NTE-3', ['NTE|1||""'], ['comments']],
    ['one NTE-3 of two', ['NTE|1||""', 'NTE|2||call'], []],
    ['OBX-5 of the body weight', ['OBX|1|NM|X^Body Weight||""|kg'], ['bodyWeight']],
    ['OBX-5 of the body height', ['OBX|1|NM|X^Body Height||""'], ['bodyHeight']],
    ['OBX-5 of something else', ['OBX|1|NM|X^Pulse||""'], []],
  ])('given "" in %s', (_, lines, cleared) => {
    expect(requestOf([orc({ 1: 'XO' }), obr(), ...lines])?.cleared).toEqual(cleared);
  });

  it('given "" in the field that names the station, clears the station', () => {
    const cleared = requestOf([orc({ 1: 'XO' }), obr({ 21: '""' })], { station: 'OBR-21' })?.cleared;
    expect(cleared).toEqual(['scheduledStationAeTitles']);
  });
});

describe('several OBR under one ORC', () => {
  const lines = [
    orc({ 7: '1^once^^20260106093000' }),
    obr({ 24: 'MR' }),
    'NTE|1||first',
    obr({ 1: '2', 4: 'KNEE^X-ray of the knee^PLAN', 24: 'dx', 44: 'KNEE2^Two planes^PLAN' }),
    'NTE|1||second',
    obr({ 1: '3', 4: 'HAND', 24: 'DX' }),
  ];

  it('are one order: the first is the order itself, each further one another service', () => {
    const [request, ...more] = requestsOf(lines);
    expect(more).toEqual([]);
    expect(request?.order).toMatchObject({
      service: { code: 'HEAD' },
      modality: 'MR',
      requestedStart: { date: '2026-01-06', time: '09:30:00' },
      comments: ['first', 'second'],
      furtherServices: [
        {
          service: { code: 'KNEE', meaning: 'X-ray of the knee', scheme: 'PLAN' },
          modality: 'DX',
          procedureCode: { code: 'KNEE2', meaning: 'Two planes', scheme: 'PLAN' },
        },
        { service: { code: 'HAND' }, modality: 'DX' },
      ],
    });
  });

  it('need OBR-4 each: that of the second is 101 at OBR^2', () => {
    expect(failure(orc(), obr(), obr({ 4: '^text' }))).toEqual({
      code: 'required-field-missing',
      location: 'OBR^2^4^1^1',
    });
  });

  it('have one start, that of the first: what another says is remarked, not quoted', () => {
    const further = obr({ 24: 'DX', 36: '20260107' });
    const reading = readingOf(messageOf([orc({ 7: '1' }), obr(), obr(), further]));
    orderRequestsFromHl7(reading);
    expect(reading.remarks.filter((remark) => remark.includes('differs'))).toEqual([
      'OBR^3 differs from the first OBR of its order, which is used: OBR-36',
    ]);
  });

  it('each have their own side and reason (OBR-15, OBR-31): none takes over the side of another', () => {
    const first = obr({ 12: 'D1', 13: 'Pacemaker', 15: '^^^^L', 24: 'MR', 31: '^Headache' });
    const order = requestOf([orc(), first, obr({ 15: '^^^^R', 31: '^Fall' }), obr()])?.order;
    expect(order).toMatchObject({ specimenSource: ['', '', '', '', 'L'], reason: { meaning: 'Headache' } });
    expect(order?.furtherServices).toMatchObject([
      { specimenSource: ['', '', '', '', 'R'], reason: { meaning: 'Fall' } },
      {},
    ]);
    if (!order) throw new Error('no order was read');
    expect(orderOfService(order, 1)).toMatchObject({
      specimenSource: ['', '', '', '', 'R'],
      reason: { meaning: 'Fall' },
      relevantClinicalInformation: 'Pacemaker',
      dangerCode: { code: 'D1' },
    });
    const silent = orderOfService(order, 2);
    expect(silent).toMatchObject({ reason: { meaning: 'Headache' }, relevantClinicalInformation: 'Pacemaker' });
    expect(silent).not.toHaveProperty('specimenSource');
    expect(silent).not.toHaveProperty('modality');
  });

  it('each have the station that their own OBR names', () => {
    const request = requestOf([orc(), obr({ 21: 'MR7' }), obr({ 21: 'DX1' })], { station: 'OBR-21' });
    expect(request?.order?.scheduledStationAeTitles).toEqual(['MR7']);
    expect(request?.order?.furtherServices?.[0]?.scheduledStationAeTitles).toEqual(['DX1']);
  });
});

describe('the station by the rule of the sender', () => {
  it.each([
    ['a Z segment behind the OBR', [orc(), obr(), 'ZAO|x|RAD01'], ['RAD01']],
    [
      'the Z segment of this order and not of another',
      [orc(), obr(), orc({ 2: 'O2' }), obr({ 2: 'O2' }), 'ZAO|x|RAD02'],
      undefined,
    ],
    ['a Z segment before all orders', ['ZAO|x|RAD03', orc(), obr()], ['RAD03']],
  ])('may stand in %s', (_, lines, stations) => {
    expect(requestOf(lines, { station: 'ZAO-2' })?.order?.scheduledStationAeTitles).toEqual(stations);
  });
});

describe('steps that the order names itself (IPC, HL7 v2.5.1 4.5.6)', () => {
  const ipc = (more: Record<number, string>): string => segment('IPC', { 1: 'A1', 2: 'RP1', 3: '1.2.3', ...more });
  const stepsOf = (...lines: string[]) =>
    orderRequestsFromHl7(readingOf(messageOf([orc(), obr(), ...lines], 'OMI^O23')))[0]?.order?.steps;

  it('given IPC segments with one IPC-4, are one step with all their protocol codes and stations', () => {
    expect(
      stepsOf(
        ipc({ 4: 'S1^RIS', 5: 'MR', 6: 'H1^Head routine^DEPT~H2^Head contrast^DEPT', 9: 'MR3T' }),
        ipc({ 4: 'S1^RIS', 5: 'MR', 6: 'H3^Head angio^DEPT~H1^Head routine^DEPT', 9: 'MR1~MR3T' }),
      ),
    ).toEqual([
      {
        modality: 'MR',
        protocols: [
          { code: 'H1', meaning: 'Head routine', scheme: 'DEPT' },
          { code: 'H2', meaning: 'Head contrast', scheme: 'DEPT' },
          { code: 'H3', meaning: 'Head angio', scheme: 'DEPT' },
        ],
        scheduledStationAeTitles: ['MR3T', 'MR1'],
      },
    ]);
  });

  it('given different IPC-4, or none, are a step each in the order of the message', () => {
    const steps = stepsOf(
      ipc({ 4: 'S2', 5: 'CT^Computed tomography' }),
      ipc({ 4: 'S1', 5: 'pt' }),
      ipc({ 5: 'MR' }),
      ipc({ 5: 'MR' }),
    );
    expect(steps?.map((step) => step.modality)).toEqual(['CT', 'PT', 'MR', 'MR']);
  });

  it('are none where an IPC carries only numbers', () => {
    expect(stepsOf(ipc({}))).toBeUndefined();
  });

  it('use no protocol code without its scheme, no station that is no AE title and no modality that is none, with remarks', () => {
    const reading = readingOf(
      messageOf([orc(), obr(), ipc({ 5: 'M/R', 6: 'H1^Head~^text', 9: 'A TITLE THAT IS TOO LONG' })], 'OMI^O23'),
    );
    expect(orderRequestsFromHl7(reading)[0]?.order?.steps).toEqual([{ protocols: [], scheduledStationAeTitles: [] }]);
    for (const field of ['IPC-5', 'IPC-6', 'IPC-9']) expect(reading.remarks.join()).toContain(field);
  });

  it('belong to the OBR before them', () => {
    const lines = [orc(), obr(), ipc({ 4: 'S1', 5: 'MR' }), obr({ 4: 'KNEE' }), ipc({ 4: 'S2', 5: 'DX' })];
    const order = orderRequestsFromHl7(readingOf(messageOf(lines, 'OMI^O23')))[0]?.order;
    expect(order?.steps?.map((step) => step.modality)).toEqual(['MR']);
    expect(order?.furtherServices?.[0]?.steps?.map((step) => step.modality)).toEqual(['DX']);
  });

  it('bring the accession number of IPC-1, where OBR-18 has none', () => {
    const accession = (...lines: string[]) => requestOf([orc(), ...lines])?.order?.requestedAccessionNumber;
    expect(accession(obr(), ipc({}))).toBe('A1');
    expect(accession(obr({ 18: 'A9' }), ipc({}))).toBe('A9');
    expect(accession(obr())).toBeUndefined();
  });
});

describe('what a conformant placer fills (RAD TF-2 4.2-3)', () => {
  const bare = (control: string) => ['ORC|' + control + '|O1', 'OBR||||HEAD'];

  it.each(newOrders)('is asked of a new order (%s) where the site is strict', (control) => {
    const reading = readingOf(messageOf(bare(control)), { validation: 'strict' });
    expect(failureOf(() => orderRequestsFromHl7(reading)).code).toBe('required-field-missing');
  });

  it.each([...changes, ...others])('is not asked of %s', (control) => {
    const reading = readingOf(messageOf(bare(control)), { validation: 'strict' });
    expect(orderRequestsFromHl7(reading)).toHaveLength(1);
    expect(reading.remarks).toEqual([]);
  });

  it.each([
    ['ORM^O01', ['ORC-7', 'OBR-27'], ['TQ1-7']],
    ['OMG^O19', ['TQ1-7'], ['ORC-7', 'OBR-27']],
    ['OMI^O23', ['TQ1-7'], ['ORC-7', 'OBR-27']],
  ])('is in %s the timing of %j', (type, named, unnamed) => {
    const reading = readingOf(messageOf(bare('NW'), type));
    orderRequestsFromHl7(reading);
    for (const field of named) expect(reading.remarks.join()).toContain(`(${field})`);
    for (const field of unnamed) expect(reading.remarks.join()).not.toContain(`(${field})`);
  });
});

describe('segments without a place in the structure (HL7 v2.5.1 2.12)', () => {
  it('are remarked by name once and not read, except the Z segments of a sender', () => {
    const reading = readingOf(messageOf([orc(), obr(), 'XYZ|1', 'XYZ|2', 'ZPI|1']));
    expect(orderRequestsFromHl7(reading)).toHaveLength(1);
    expect(reading.remarks.filter((remark) => remark.includes('has no place'))).toEqual([
      'XYZ has no place in this message and is not read',
    ]);
  });
});
