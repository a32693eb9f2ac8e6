import { describe, expect, it } from 'vitest';
import { optionalOrderControls } from '../../src/platform/config-schema.ts';
import { SwfError } from '../../src/platform/errors.ts';
import {
  type OptionalOrderControl,
  type OrderAction,
  orderActionOf,
  orderControls,
} from '../../src/workflow/order-control.ts';

const everything: readonly OptionalOrderControl[] = optionalOrderControls;

function actionOf(orderControl: string, orderStatus = '', allowed = everything): OrderAction {
  return orderActionOf({ orderControl, orderStatus: orderStatus || undefined, sequence: 1 }, allowed);
}

function refusalOf(orderControl: string, orderStatus = '', allowed = everything, sequence = 1): SwfError {
  try {
    orderActionOf({ orderControl, orderStatus: orderStatus || undefined, sequence }, allowed);
  } catch (thrown) {
    if (thrown instanceof SwfError) return thrown;
    throw thrown;
  }
  throw new Error(`${orderControl}/${orderStatus} was not refused`);
}

/** What each code asks for, and the ORC-5 values (HL7 table 0038) that may stand beside it; '' is an empty field. */
const accepted: Readonly<Record<string, readonly [OrderAction, readonly string[]]>> = {
  NW: ['create', ['', 'SC', 'IP']],
  PA: ['createParent', ['', 'SC', 'IP']],
  CH: ['create', ['', 'SC', 'IP']],
  NA: ['reply', ['', 'SC', 'IP', 'CM']],
  UA: ['reply', ['', 'CA']],
  CA: ['cancel', ['', 'CA', 'SC']],
  DC: ['discontinue', ['', 'DC', 'CA', 'SC', 'IP']],
  XO: ['change', ['', 'SC', 'IP', 'CM']],
  XX: ['change', ['', 'SC', 'IP', 'CM']],
  RP: ['replace', ['', 'RP', 'CA', 'SC']],
  RO: ['create', ['', 'SC', 'IP']],
  HD: ['hold', ['', 'HD', 'SC']],
  RL: ['release', ['', 'SC', 'IP', 'HD']],
  SS: ['tellStatus', ['']],
};

/** HL7 table 0119 as far as the department meets it, and what no table has. */
const otherCodes = [
  ...['OK', 'SN', 'SC', 'OC', 'OD', 'SR', 'CR', 'UC', 'DR', 'UD', 'XR', 'UX', 'RQ', 'RU', 'UM', 'RE'],
  ...['HR', 'UH', 'OR', 'OH', 'OE', 'DE', 'CN', 'LI', 'UN', 'AF', 'DF', 'FU', 'RF', 'OF', 'UF', 'OP', 'QQ', ''],
];

const table0038 = ['', 'A', 'CA', 'CM', 'DC', 'ER', 'HD', 'IP', 'RP', 'SC'];

const acceptedPairs = Object.entries(accepted).flatMap(([code, [action, statuses]]) =>
  statuses.map((status) => [code, status, action] as const),
);

const refusedPairs = [...Object.keys(accepted), ...otherCodes].flatMap((code) =>
  table0038
    .filter((status) => accepted[code]?.[1].includes(status) !== true)
    .map((status): [string, string] => [code, status]),
);

describe('ORC-1 with ORC-5 of an order placer (RAD TF-2 4.2, HL7 tables 0119 and 0038)', () => {
  it('has a row for each code that means something, and no other', () => {
    expect(Object.keys(orderControls).sort()).toEqual(Object.keys(accepted).sort());
  });

  it.each(acceptedPairs)('%s with %j asks to %s', (code, status, action) => {
    expect(actionOf(code, status)).toBe(action);
  });

  it.each(refusedPairs)('%j with %j is refused with 103, and the refusal names the pair', (code, status) => {
    const refusal = refusalOf(code, status);
    expect([refusal.code, refusal.failure.ack, refusal.failure.hl7]).toEqual(['value-not-found', 'AE', '103']);
    expect(refusal.message).toContain(`order control/status ${code || '(empty)'}/${status || '(empty)'}`);
    // MSA-3 of v2.3.1
    expect(refusal.message.length).toBeLessThanOrEqual(80);
    expect(refusal.message).toContain('ORC-1/ORC-5');
  });

  it('points to the field that is wrong, in the ORC that has it', () => {
    expect(refusalOf('CA', 'IP', everything, 3).place.location).toBe('ORC^3^5');
    expect(refusalOf('SR', '', everything, 2).place.location).toBe('ORC^2^1');
  });
});

describe("what IHE's RAD-2 does not have is done only for a sender that may (`senders[].orderControls`)", () => {
  const optionOf: Readonly<Record<string, OptionalOrderControl>> = {
    XO: 'XO',
    XX: 'XO',
    RP: 'RP',
    RO: 'RP',
    HD: 'HD',
    RL: 'RL',
    SS: 'SS',
  };

  it.each(Object.entries(optionOf))('%s needs %s, which the refusal says how to allow', (code, option) => {
    const others = everything.filter((one) => one !== option);
    expect(actionOf(code, '', [option])).toBe(accepted[code]?.[0]);
    const refusal = refusalOf(code, '', others);
    expect([refusal.code, refusal.place.location]).toEqual(['value-not-found', 'ORC^1^1']);
    expect(refusal.message).toContain(`order control/status ${code}/(empty)`);
    // MSA-3 of v2.3.1
    expect(refusal.message.length).toBeLessThanOrEqual(80);
    expect(refusal.message).toContain('senders[].orderControls');
  });

  it.each(['NW', 'PA', 'CH', 'NA', 'UA', 'CA', 'DC'])('%s needs nothing', (code) => {
    expect(actionOf(code, '', [])).toBe(accepted[code]?.[0]);
  });
});

describe('a refusal never quotes content', () => {
  it.each([
    'ALDER',
    'nw',
    'Nw',
    '12',
    'N',
    'NW ',
    'constructor',
    '__proto__',
    'hasOwnProperty',
    'É1',
    '&^~\\',
    'NW\rPID',
  ])('%j as ORC-1, as ORC-5, and as both', (text) => {
    for (const [code, status] of [
      [text, ''],
      ['NW', text],
      [text, text],
    ] as const) {
      const { message, place } = refusalOf(code, status);
      expect(message.replaceAll(/ORC-[15]|\bNW\b|\d/g, '')).not.toContain(text);
      expect(message).toContain('?');
      expect(place.location).toMatch(/^ORC\^1\^[15]$/);
    }
  });
});
