import { createHash } from 'node:crypto';
import { type Ids, uuidToUid } from '../src/platform/ids.ts';

/** What looks like chance and comes again with the same seed. */
export interface Chance {
  /** A run id: short enough for identifiers of 16 characters (SH), different for each key. */
  runOf(key: string): string;
  /** UIDs of a key; control ids stay those of `ids`, because a message that is sent again is another one. */
  idsOf(key: string, ids: Ids): Ids;
  /** The same things in another order. */
  shuffled<T>(things: readonly T[]): T[];
}

/**
 * Everything is drawn from the seed, the round and a key, so it depends neither on the order nor on what is played beside
 * it, and a first round is the same with and without others after it.
 */
export function chanceOf(seed: number, uidRoot: string, round = 1): Chance {
  const from = round === 1 ? [seed] : [seed, 'round', round];
  const draw = (...about: readonly (string | number)[]): string =>
    createHash('sha256')
      .update(JSON.stringify([...from, ...about]))
      .digest('hex');
  return {
    runOf: (key) => (BigInt(`0x${draw('run', key)}`) % 36n ** 6n).toString(36).padStart(6, '0'),
    idsOf: (key, ids) => {
      let count = 0;
      const uid = (): string => uuidToUid(draw('uid', key, ++count).slice(0, 32), uidRoot).slice(0, 64);
      return { ...ids, uid };
    },
    shuffled: (things) =>
      things
        .map((thing, index) => ({ thing, by: draw('order', index) }))
        .toSorted((a, b) => (a.by < b.by ? -1 : 1))
        .map(({ thing }) => thing),
  };
}
