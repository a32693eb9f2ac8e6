import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../src/hl7/message.ts';
import { orderRepliesFromHl7 } from '../../src/mapping/order-reply-from-hl7.ts';
import { bytesOf, failureOf } from '../hl7/support.ts';
import { mshOf } from './reading.ts';

const msa = 'MSA|AA|C1';
const repliesOf = (lines: readonly string[], type = 'ORR^O02') =>
  orderRepliesFromHl7(parseMessage(bytesOf([mshOf(type), ...lines])));

describe("the placer's answer to our SN (ORR^O02, ORG^O20; RAD TF-2 4.3)", () => {
  it.each(['ORR^O02', 'ORG^O20^ORG_O20'])('given %s, has what it acknowledges and the number it assigns', (type) => {
    expect(repliesOf([msa, 'ORC|NA|A1^EMR|B1^RIS', 'OBR|1|A1^EMR|B1^RIS|HEAD'], type)).toEqual({
      acknowledgedControlId: 'C1',
      acknowledgementCode: 'AA',
      orders: [
        {
          orderControl: 'NA',
          placerOrderNumber: { id: 'A1', namespace: 'EMR' },
          fillerOrderNumber: { id: 'B1', namespace: 'RIS' },
          sequence: 1,
        },
      ],
    });
  });

  it('has our number of OBR-3 where ORC-3 is empty', () => {
    expect(repliesOf([msa, 'ORC|NA|A1', 'OBR|1|A1|B1^RIS']).orders[0]?.fillerOrderNumber).toEqual({
      id: 'B1',
      namespace: 'RIS',
    });
  });

  it('has every ORC, of which each stands for itself', () => {
    const { orders } = repliesOf([msa, 'PID|1||P1||ALDER', 'ORC|NA|A1|B1', 'OBR|1', 'ORC|UA||B2', 'OBR|2||B2']);
    expect(
      orders.map(({ orderControl, placerOrderNumber, fillerOrderNumber, sequence }) => [
        orderControl,
        placerOrderNumber?.id,
        fillerOrderNumber?.id,
        sequence,
      ]),
    ).toEqual([
      ['NA', 'A1', 'B1', 1],
      ['UA', undefined, 'B2', 2],
    ]);
  });

  it('given a refusal of the whole message, has no orders', () => {
    expect(repliesOf(['MSA|AE|C1|no', 'ERR|'])).toEqual({
      acknowledgedControlId: 'C1',
      acknowledgementCode: 'AE',
      orders: [],
    });
  });

  it.each([
    ['no MSA-1', ['MSA||C1', 'ORC|NA|A1|B1'], 'required-field-missing', 'MSA^1^1'],
    ['no MSA-2', ['MSA|AA|', 'ORC|NA|A1|B1'], 'required-field-missing', 'MSA^1^2'],
    ['no ORC-1', [msa, 'ORC||A1|B1'], 'required-field-missing', 'ORC^1^1'],
    ['an NA without a number (ORC-2)', [msa, 'ORC|NA||B1'], 'required-field-missing', 'ORC^1^2'],
    ['an NA with a number of blanks', [msa, 'ORC|NA|  ^EMR|B1'], 'required-field-missing', 'ORC^1^2'],
    [
      'an NA without a number in the second order',
      [msa, 'ORC|NA|A1|B1', 'ORC|NA||B2'],
      'required-field-missing',
      'ORC^2^2',
    ],
    ['a number of 65 characters', [msa, `ORC|NA|${'A'.repeat(65)}|B1`], 'data-type', 'ORC^1^2^1^1'],
    ['no MSA', ['ORC|NA|A1|B1'], 'segment-sequence', 'MSA^1'],
  ])('refuses %s', (_, lines, ...refusal) => {
    const { code, location } = failureOf(() => repliesOf(lines));
    expect([code, location]).toEqual(refusal);
  });

  it('refuses a plain acknowledgement: it answers no order (201)', () => {
    expect(failureOf(() => repliesOf([msa], 'ACK^O01')).code).toBe('unsupported-event');
  });
});
