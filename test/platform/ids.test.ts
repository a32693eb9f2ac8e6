import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countedIds, isUid, randomIds, uuidToUid } from '../../src/platform/ids.ts';

describe('a UID from a UUID (PS3.5 B.2)', () => {
  it('is 2.25. and the UUID as one decimal number', () => {
    expect(uuidToUid('f81d4fae-7dec-11d0-a765-00a0c91e6bf6')).toBe('2.25.329800735698586629295641978511506172918');
  });

  it('has no leading zeros for a small UUID', () => {
    expect(uuidToUid('00000000-0000-0000-0000-000000000001')).toBe('2.25.1');
  });

  it('of the greatest UUID fits below the longest root that a site may set (24 characters)', () => {
    const uid = uuidToUid('ffffffff-ffff-ffff-ffff-ffffffffffff', '1.2.276.0.7230010.3.1.99');
    expect(uid).toBe('1.2.276.0.7230010.3.1.99.340282366920938463463374607431768211455');
    expect(uid).toHaveLength(64);
  });

  it('is valid for every UUID', () => {
    fc.assert(fc.property(fc.uuid(), (uuid) => isUid(uuidToUid(uuid))));
  });
});

describe('random identifiers', () => {
  it('are valid UIDs below 2.25 and differ from each other', () => {
    const ids = randomIds();
    const uids = Array.from({ length: 1000 }, () => ids.uid());
    expect(new Set(uids).size).toBe(1000);
    for (const uid of uids) expect([uid.startsWith('2.25.'), isUid(uid)]).toEqual([true, true]);
  });

  it('stand below the root of the site', () => {
    const uid = randomIds('1.2.276.0.9').uid();
    expect(uid).toMatch(/^1\.2\.276\.0\.9\.\d+$/);
    expect(isUid(uid)).toBe(true);
  });

  it('make control ids of at most 20 characters that HL7 need not escape and that differ (MSH-10)', () => {
    const ids = randomIds();
    const controlIds = Array.from({ length: 1000 }, () => ids.controlId());
    expect(new Set(controlIds).size).toBe(1000);
    for (const controlId of controlIds) expect(controlId).toMatch(/^[A-Z0-9]{1,20}$/);
  });
});

describe('counted identifiers', () => {
  it('are the same on every run', () => {
    const read = () => {
      const ids = countedIds();
      return [ids.uid(), ids.controlId(), ids.uid(), ids.controlId()];
    };
    expect(read()).toEqual(read());
    expect(new Set(read()).size).toBe(4);
  });
});

describe('what is a UID (PS3.5 9.1)', () => {
  it.each(['1.2', '0.0.1', '2.25.0', '1.2.840.10008.5.1.4.31', `1.${'2'.repeat(62)}`, uuidToUid(randomUUID())])(
    '%s is one',
    (text) => {
      expect(isUid(text)).toBe(true);
    },
  );

  it.each([
    ['nothing', ''],
    ['an empty component', '1..2'],
    ['a trailing dot', '1.2.'],
    ['a leading dot', '.1.2'],
    ['a leading zero', '1.02.3'],
    ['a letter', '1.2.a'],
    ['a blank', '1.2 '],
    ['a line break', '1.2\n'],
    ['65 characters', `1.${'2'.repeat(63)}`],
    ['other digits than 0 to 9', '1.٢'],
    ['a sign', '1.-2'],
    ['nothing but a zero', '0'],
    ['nothing but zeros', '0.0.0'],
  ])('%s makes it none', (_, text) => {
    expect(isUid(text)).toBe(false);
  });
});
