import { describe, expect, it } from 'vitest';
import { type Check, expandChecks, verdict, verdicts } from '../../actors/checks.ts';

const holds = (check: Check, received: string | null | undefined): boolean => verdict('ORC-5', check, received).holds;

describe('a check of one value', () => {
  it('takes a text as equal, to the letter', () => {
    expect(holds('IP', 'IP')).toBe(true);
    expect(holds('IP', 'ip')).toBe(false);
    expect(holds('IP', undefined)).toBe(false);
  });

  it("takes '*' as any value that is not empty", () => {
    expect(holds('*', 'A1')).toBe(true);
    expect(holds('*', '')).toBe(false);
    expect(holds('*', undefined)).toBe(false);
  });

  it('takes nothing as empty or absent, and the delete instruction as a value (HL7 v2.5.1 2.10.4)', () => {
    expect(holds(null, undefined)).toBe(true);
    expect(holds(null, '')).toBe(true);
    expect(holds(null, 'A1')).toBe(false);
    expect(holds(null, null)).toBe(false);
    expect(holds('""', null)).toBe(true);
  });

  it('takes oneOf as a list of allowed texts', () => {
    expect(holds({ oneOf: ['IP', 'CM'] }, 'CM')).toBe(true);
    expect(holds({ oneOf: ['IP', 'CM'] }, 'CA')).toBe(false);
  });

  it('takes matches as a regular expression that is searched for', () => {
    expect(holds({ matches: '^[0-9.]+$' }, '2.25.1')).toBe(true);
    expect(holds({ matches: '^[0-9.]+$' }, '2.25.x')).toBe(false);
    expect(holds({ matches: '25' }, '2.25.1')).toBe(true);
  });
});

describe('the checks of a step', () => {
  it('each give a verdict: the place, what was expected, what came', () => {
    const received: Record<string, string> = { 'ORC-1': 'SC', 'OBR-24': 'CT' };

    const found = verdicts(
      { 'ORC-1': 'SC', 'OBR-24': 'MR', 'ORC-5': { oneOf: ['IP', 'CM'] } },
      (place) => received[place],
    );

    expect(found).toEqual([
      { place: 'ORC-1', expected: 'SC', received: 'SC', holds: true },
      { place: 'OBR-24', expected: 'MR', received: 'CT', holds: false },
      { place: 'ORC-5', expected: 'one of IP, CM', received: '(empty)', holds: false },
    ]);
  });
});

describe('a name in a check', () => {
  it('stands for itself also inside a regular expression', () => {
    const checks = { A: '${uid}', B: { matches: '^${uid}$' }, C: { oneOf: ['${uid}', 'x'] }, D: null };

    expect(expandChecks(checks, () => '2.25')).toEqual({
      A: '2.25',
      B: { matches: '^2\\.25$' },
      C: { oneOf: ['2.25', 'x'] },
      D: null,
    });
  });
});
