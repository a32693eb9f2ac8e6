import { describe, expect, it } from 'vitest';
import {
  type DiscontinuationEffect,
  discontinuationEffect,
  discontinuationReasons,
} from '../../src/workflow/discontinuation.ts';

/** PS3.16 annex D, CID 9300 and its neighbours: the code, and what it means for the step. */
const reasons: readonly [string, DiscontinuationEffect][] = [
  // The examination will not take place: doctor cancelled, allergic, died, pregnant.
  ['110500', 'ends'],
  ['110503', 'ends'],
  ['110504', 'ends'],
  ['110508', 'ends'],
  // The order should not be there: duplicate, nursing unit (RAD-3 OC).
  ['110510', 'cancelsOrder'],
  ['110511', 'cancelsOrder'],
  // What was ordered is wrong: procedure, side.
  ['110502', 'holds'],
  ['110512', 'holds'],
  // Another worklist entry was meant.
  ['110514', 'wrongEntry'],
  // Somebody has to say whether it is scheduled again, corrected, repeated or given up.
  ['110501', 'decide'],
  ['110505', 'decide'],
  ['110506', 'decide'],
  ['110507', 'decide'],
  ['110509', 'decide'],
  ['110513', 'decide'],
  ['110515', 'decide'],
  ['110516', 'decide'],
  ['110518', 'decide'],
  ['110519', 'decide'],
  ['110521', 'decide'],
  ['110522', 'decide'],
  ['110523', 'decide'],
  ['110524', 'decide'],
  ['110526', 'decide'],
  ['110527', 'decide'],
  ['110528', 'decide'],
  ['110529', 'decide'],
];

describe('the reason of a discontinued MPPS, (0040,0281) (RAD TF-2 4.7)', () => {
  it.each(reasons)('%s of DCM: %s', (code, effect) => {
    expect(discontinuationEffect({ code, scheme: 'DCM' })).toBe(effect);
  });

  it('the table has these codes, each with a meaning, and no other', () => {
    expect(Object.keys(discontinuationReasons).sort()).toEqual(reasons.map(([code]) => code).sort());
    expect(Object.values(discontinuationReasons).filter(({ meaning }) => meaning.trim() === '')).toEqual([]);
  });

  it.each([
    ['no reason at all', undefined],
    ['no code', { code: undefined, scheme: 'DCM' }],
    ['an empty code', { code: '', scheme: 'DCM' }],
    ['no scheme', { code: '110514', scheme: undefined }],
    ['the same code of another scheme', { code: '110504', scheme: '99SITE' }],
    ['a code that the table has not', { code: '110517', scheme: 'DCM' }],
    ['what every object has', { code: 'constructor', scheme: 'DCM' }],
  ])('%s is for a person to decide', (_, reason) => {
    expect(discontinuationEffect(reason)).toBe('decide');
  });
});
