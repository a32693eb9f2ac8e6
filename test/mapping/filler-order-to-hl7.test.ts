import { describe, expect, it } from 'vitest';
import type { Hl7Message } from '../../src/hl7/message.ts';
import { type FillerOrderNews, fillerOrderToHl7 } from '../../src/mapping/filler-order-to-hl7.ts';
import type { Hl7Version, OrderSubject } from '../../src/mapping/segments-to-hl7.ts';
import {
  departmentOrder,
  envelope,
  namesOf,
  procedure,
  received,
  start,
  subject,
  valuesOf,
  versions,
} from './outgoing.ts';

const placed: OrderSubject = { ...subject, order: departmentOrder() };

const news = (
  version: Hl7Version,
  orderControl: FillerOrderNews['orderControl'],
  about: OrderSubject = subject,
): Hl7Message =>
  received(fillerOrderToHl7(envelope(version), about, { orderControl, start, procedureCode: procedure.code }));

describe('RAD-3 in v2.3.1: ORM^O01 for an order of ours (RAD TF-2 4.3)', () => {
  it.each([
    ['SN', 'MSH PID PV1 ORC OBR'],
    ['XX', 'MSH PID PV1 ORC OBR'],
    ['OC', 'MSH PID PV1 ORC'],
  ] as const)('%s is %s', (orderControl, names) => {
    expect(namesOf(news('2.3.1', orderControl))).toBe(names);
  });

  it.each([
    ['MSH-9.1', 'ORM'],
    ['MSH-9.2', 'O01'],
    ['MSH-12', '2.3.1'],
    ['PID-3.1', 'P1'],
    ['PID-5.1', 'ALDER'],
    ['ORC-1', 'SN'],
    ['ORC-3.1', 'F1'],
    ['ORC-3.2', 'SWF_OF'],
    ['ORC-7.1', '1'],
    ['ORC-7.2', 'once'],
    ['ORC-7.4', '20260105093000'],
    ['ORC-7.6', 'S'],
    ['ORC-10.2', 'CLERK'],
    ['ORC-12', 'D1'],
    ['ORC-14', '555 1212'],
    ['ORC-15', '20260105080000'],
    ['ORC-17', 'W1'],
    ['OBR-1', '1'],
    ['OBR-3', 'F1'],
    ['OBR-4.1', 'SVC'],
    ['OBR-4.2', 'Service'],
    ['OBR-4.3', 'L'],
    ['OBR-12', 'INF'],
    ['OBR-13', 'Pacemaker'],
    ['OBR-15.5', 'L'],
    ['OBR-16', 'D1'],
    ['OBR-27.1', '1'],
    ['OBR-27.2', 'once'],
    ['OBR-27.4', '20260105093000'],
    ['OBR-30', 'WALK'],
    ['OBR-31.2', 'Headache'],
    ['OBR-41', 'A'],
    ['OBR-44', 'HEAD'],
  ])('in SN, %s is %s', (place, value) => {
    expect(news('2.3.1', 'SN', placed).get(place)).toBe(value);
  });
});

describe('RAD-3 in v2.5.1: OMG^O19 for an order of ours (RAD TF-2 4.3)', () => {
  it.each(['SN', 'XX', 'OC'] as const)('%s has patient, visit, order, timing and service', (orderControl) => {
    const sent = news('2.5.1', orderControl);
    expect(namesOf(sent)).toBe('MSH PID PV1 ORC TQ1 OBR');
    expect(valuesOf(sent, ['MSH-9.1', 'MSH-9.2', 'MSH-9.3'])).toEqual(['OMG', 'O19', 'OMG_O19']);
    expect(valuesOf(sent, ['ORC-1', 'TQ1-7', 'TQ1-9', 'OBR-4.1'])).toEqual([
      orderControl,
      '20260105093000',
      'S',
      'SVC',
    ]);
  });

  it.each(['ORC-7', 'OBR-15', 'OBR-27'])('%s is not used', (place) => {
    expect(news('2.5.1', 'SN').get(place)).toBeUndefined();
  });

  it('the laterality stands in OBR-46', () => {
    expect(news('2.5.1', 'SN').get('OBR-46')).toBe('L');
  });

  it('OC says in ORC-5 that the order is cancelled; SN and XX say no status', () => {
    const statuses = (['OC', 'SN', 'XX'] as const).map((orderControl) => news('2.5.1', orderControl).get('ORC-5'));
    expect(statuses).toEqual(['CA', undefined, undefined]);
  });
});

describe.each(versions)('the order numbers of RAD-3 in v%s (RAD TF-2 4.3)', (version) => {
  it('given an order that has a placer number, when SN asks for one, then ORC-2 and OBR-2 are empty all the same', () => {
    expect(valuesOf(news(version, 'SN'), ['ORC-2', 'OBR-2', 'ORC-3', 'OBR-3'])).toEqual([
      undefined,
      undefined,
      'F1',
      'F1',
    ]);
  });

  it('XX shows both numbers in ORC and OBR', () => {
    expect(valuesOf(news(version, 'XX'), ['ORC-2', 'OBR-2', 'ORC-3', 'OBR-3'])).toEqual(['O1', 'O1', 'F1', 'F1']);
  });

  it('OC shows both numbers in ORC', () => {
    expect(valuesOf(news(version, 'OC'), ['ORC-2', 'ORC-3'])).toEqual(['O1', 'F1']);
  });
});

describe('ORC-9, the time of the transaction (RAD TF-2 4.3: required)', () => {
  it('given an order that came by a message, then it is the time of that message', () => {
    expect(news('2.3.1', 'XX').get('ORC-9')).toBe('20260105075900');
  });

  it('given an order that the department placed itself, then it is the time of this message', () => {
    for (const version of versions) expect(news(version, 'SN', placed).get('ORC-9')).toBe('20260105080000+0100');
  });
});

describe('OC in v2.3.1 (RAD TF-2 4.3)', () => {
  it('says no status in ORC-5', () => {
    expect(news('2.3.1', 'OC').get('ORC-5')).toBeUndefined();
  });
});
