import { describe, expect, it } from 'vitest';
import { siteSchema } from '../../src/platform/config-schema.ts';
import { verdictOfStatus, waitAfter } from '../../src/delivery/retry.ts';

/** What a status means: to an N-CREATE, to one that was sent before, to an N-SET, to one that was sent before. */
const meaning = (status: number): string =>
  (['N-CREATE', 'N-SET'] as const)
    .flatMap((messageType) =>
      [false, true].map((resent) => verdictOfStatus(status, { messageType, resent }).kind.slice(0, 1)),
    )
    .join('');

describe('what a DIMSE status means for a request that is relayed (PS3.7 Annex C)', () => {
  it.each([
    [0x0000, 'dddd', 'success'],
    [0x0001, 'dddd', 'warning: requested optional attributes are not supported'],
    [0x0107, 'dddd', 'warning: attribute list error'],
    [0x0116, 'dddd', 'warning: attribute value out of range'],
    [0xb000, 'dddd', 'warning of a service'],
    [0xbfff, 'dddd', 'warning of a service'],
    [0x0111, 'rdrr', 'duplicate SOP instance'],
    [0x0105, 'rrrr', 'no such attribute'],
    [0x0106, 'rrrr', 'invalid attribute value'],
    [0x0110, 'rrrr', 'processing failure'],
    [0x0112, 'rrrr', 'no such SOP instance'],
    [0x0117, 'rrrr', 'invalid SOP instance'],
    [0x0120, 'rrrr', 'missing attribute'],
    [0x0121, 'rrrr', 'missing attribute value'],
    [0x0122, 'rrrr', 'SOP class not supported'],
    [0x0124, 'rrrr', 'not authorised'],
    [0x0211, 'rrrr', 'unrecognised operation'],
    [0x0213, 'rrrr', 'resource limitation'],
    [0xa700, 'rrrr', 'out of resources'],
    [0xc001, 'rrrr', 'unable to process'],
    [0xff00, 'rrrr', 'pending, which no N-service has'],
    [0xfe00, 'rrrr', 'cancel, which no N-service has'],
  ])('%o: delivered or refused is %s (%s)', (status, expected) => {
    expect(meaning(status)).toBe(expected);
  });

  it('says of a final N-SET that was sent before and finds the step ended (A710) that it may be there: a person can tell', () => {
    const judged = (resent: boolean) => verdictOfStatus(0x0110, { messageType: 'N-SET', resent, errorId: 0xa710 });
    expect(judged(false)).toEqual({ kind: 'refused', code: '0110', error: 'status 0110, Error ID A710' });
    expect(judged(true)).toMatchObject({
      kind: 'refused',
      error: expect.stringContaining('perhaps by this N-SET') as string,
    });
  });

  it('says the status in four hexadecimal digits', () => {
    const asked = { messageType: 'N-SET', resent: false };
    expect(verdictOfStatus(0x0107, asked)).toEqual({ kind: 'delivered', code: '0107' });
    expect(verdictOfStatus(0xa700, asked)).toEqual({ kind: 'refused', code: 'A700', error: 'status A700' });
  });
});

describe('how long to wait before the next attempt', () => {
  const waits = (plan: Parameters<typeof waitAfter>[0], count: number): number[] =>
    Array.from({ length: count }, (_, index) => waitAfter(plan, index + 1) / 1000);

  it('doubles from the first to the longest, as `retry` says of lanes', () => {
    expect(waits({ first: 1_000, factor: 2, longest: 5_000 }, 5)).toEqual([1, 2, 4, 5, 5]);
  });

  it('doubles from 15 s to an hour while images are asked for (RAD-11), and stays there', () => {
    const { first, factor, longest } = siteSchema.parse({}).availability;
    expect(waits({ first, factor, longest }, 10)).toEqual([15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
  });

  it('stays at the longest however often it failed', () => {
    expect(waitAfter({ first: 1_000, factor: 10, longest: 5_000 }, 1_000_000)).toBe(5_000);
  });
});
