import { describe, expect, it } from 'vitest';
import type { Hl7Message } from '../../src/hl7/message.ts';
import type { Hl7Version } from '../../src/mapping/segments-to-hl7.ts';
import { type StatusNews, statusToHl7 } from '../../src/mapping/status-to-hl7.ts';
import { envelope, namesOf, received, start, subject, valuesOf, versions } from './outgoing.ts';

const status = (version: Hl7Version, news: Partial<StatusNews> = {}): Hl7Message =>
  received(statusToHl7(envelope(version), subject, { orderControl: 'SC', orderStatus: 'IP', start, ...news }));

describe('RAD-3 status update (RAD TF-2 4.3)', () => {
  it('in v2.3.1 is MSH and ORC alone', () => {
    expect(namesOf(status('2.3.1'))).toBe('MSH ORC');
  });

  it('in v2.5.1 is OMG^O19 with ORC, TQ1 and OBR', () => {
    const sent = status('2.5.1');
    expect(namesOf(sent)).toBe('MSH PID PV1 ORC TQ1 OBR');
    expect(valuesOf(sent, ['MSH-9.1', 'MSH-9.2', 'MSH-9.3'])).toEqual(['OMG', 'O19', 'OMG_O19']);
    expect(valuesOf(sent, ['TQ1-7', 'OBR-4.1', 'ORC-7'])).toEqual(['20260105093000', 'SVC', undefined]);
  });

  it.each(versions)('in v%s shows both order numbers in ORC', (version) => {
    const places = ['ORC-2.1', 'ORC-2.2', 'ORC-3.1', 'ORC-3.2'];
    expect(valuesOf(status(version), places)).toEqual(['O1', 'EMR', 'F1', 'SWF_OF']);
  });

  it.each(['SC', 'IP', 'A', 'CM', 'DC', 'HD', 'CA', 'ER'] as const)(
    '%s stands in ORC-5 (table 0038)',
    (orderStatus) => {
      for (const version of versions) {
        expect(valuesOf(status(version, { orderStatus }), ['ORC-1', 'ORC-5'])).toEqual(['SC', orderStatus]);
      }
    },
  );

  it.each(['SR', 'UC'] as const)(
    '%s, an answer about the status or a refused cancel (table 0119), is laid out as a status update',
    (orderControl) => {
      for (const version of versions) {
        const sent = status(version, { orderControl });
        expect(sent.get('ORC-1')).toBe(orderControl);
        expect(namesOf(sent)).toBe(namesOf(status(version)));
      }
    },
  );

  it('in v2.5.1 says a result status in OBR-25 (table 0123) when it is given, and none otherwise', () => {
    expect(status('2.5.1', { resultStatus: 'R' }).get('OBR-25')).toBe('R');
    expect(status('2.5.1').get('OBR-25')).toBeUndefined();
  });
});
