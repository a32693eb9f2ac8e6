import { describe, expect, it } from 'vitest';
import { isInRange, numbersOf, rangeOf } from '../../src/platform/number-range.ts';

describe('numbers in a row', () => {
  it.each([
    ['T9098-T9101', ['T9098', 'T9099', 'T9100', 'T9101']],
    ['008-011', ['008', '009', '010', '011']],
    ['A-1-A-2', ['A-1', 'A-2']],
    ['X7-X7', ['X7']],
  ])('%s are %j', (text, numbers) => {
    const range = rangeOf(text);
    expect(range && numbersOf(range)).toEqual(numbers);
    expect(numbers.every((number) => range && isInRange(range, number))).toBe(true);
  });

  it.each(['T9097', 'T9102', 'T09100', 'T910', '9100', 'U9100', 'T9100 ', 'T910x', ''])(
    '%j is not in them',
    (number) => {
      const range = rangeOf('T9098-T9101');
      expect(range && isInRange(range, number)).toBe(false);
    },
  );

  it.each(['T2-T1', 'T9-T10', 'A1-B2', 'T1', 'T-U', '', 'A^1-A^2', 'T1-T2-T3'])('%j is no row', (text) => {
    expect(rangeOf(text)).toBeUndefined();
  });
});
