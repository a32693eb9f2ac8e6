import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inParallel } from '../../actors/in-parallel.ts';
import { chanceOf } from '../../actors/seed.ts';
import { isUid, randomIds } from '../../src/platform/ids.ts';
import { type TestStage, announced, order, simpleCase, startTestStage } from './playing.ts';

describe('chance that comes again', () => {
  it('draws the same run, UIDs and order from the same seed, and others from another', () => {
    const drawn = (seed: number, key: string): readonly string[] => {
      const chance = chanceOf(seed, '2.25');
      const ids = chance.idsOf(key, randomIds());
      return [chance.runOf(key), ids.uid(), ids.uid(), ...chance.shuffled(['a', 'b', 'c', 'd', 'e', 'f'])];
    };

    expect(drawn(7, 'x')).toEqual(drawn(7, 'x'));
    const all = [...drawn(7, 'x').slice(0, 3), ...drawn(7, 'y').slice(0, 3), ...drawn(8, 'x').slice(0, 3)];
    expect(new Set(all).size).toBe(9);
    expect(drawn(7, 'x').slice(3)).not.toEqual(drawn(8, 'x').slice(3));
  });

  it('draws well-formed UIDs below the root of the site (PS3.5 9.1), and runs of six characters', () => {
    const chance = chanceOf(1, '1.2.840.99999.123456789.123456789.123456789');
    const uid = chance.idsOf('x', randomIds()).uid();

    expect(isUid(uid) && uid.startsWith('1.2.840.99999.')).toBe(true);
    for (let n = 0; n < 200; n++) expect(chance.runOf(`${n}`)).toMatch(/^[0-9a-z]{6}$/);
  });

  it('does not repeat control ids: a message of another playing is no resent one', () => {
    const ids = (): string => chanceOf(1, '2.25').idsOf('x', randomIds()).controlId();

    expect(ids()).not.toBe(ids());
  });
});

describe('work in parallel', () => {
  it('begins in order, so many at a time, one that wants to be alone by itself, and gives results in order', async () => {
    let running: string[] = [];
    const seen: string[] = [];
    const work = async (name: string): Promise<string> => {
      running.push(name);
      seen.push(running.join(''));
      // The earlier of two that run at a time is over later.
      await sleep(name === 'a' ? 20 : 5);
      running = running.filter((one) => one !== name);
      return name.toUpperCase();
    };
    const { signal } = new AbortController();

    const results = await inParallel([...'abcXde'], { jobs: 2, isAlone: (name) => name === 'X', work, signal });

    expect(results).toEqual([...'ABCXDE']);
    expect(seen).toEqual(['a', 'ab', expect.stringMatching(/^[ab]c$/), 'X', 'd', 'de']);
  });

  it('begins nothing more after a fault of its own or when it is stopped, and waits for what was begun', async () => {
    const begun: number[] = [];
    const stopping = new AbortController();
    const pool = (work: (n: number) => Promise<void>) => ({ jobs: 1, isAlone: () => false, work, ...stopping });
    const failing = async (n: number): Promise<void> => {
      begun.push(n);
      throw new Error(`no ${n}`);
    };

    await expect(inParallel([1, 2], { ...pool(failing), signal: stopping.signal })).rejects.toThrow('no 1');
    const stop = async (n: number): Promise<void> => (begun.push(n), stopping.abort());
    expect(await inParallel([3, 4], { ...pool(stop), signal: stopping.signal })).toHaveLength(1);
    expect(begun).toEqual([1, 3]);
  });
});

describe('several scenarios', () => {
  let stage: TestStage;
  beforeEach(async () => {
    stage = await startTestStage();
  });
  afterEach(() => stage.end());

  it('are played at a time without touching each other, and each is shown as a whole', async () => {
    await stage.startDouble();
    const statuses: string[] = [];
    const screen = {
      write: (line: string) => void stage.lines.push(line),
      colour: false,
      status: (text: string) => void statuses.push(text),
    };

    const { passed, results } = await stage.play(Array<string>(4).fill(simpleCase), { jobs: 3, screen });

    expect(stage.lines.filter((line) => line.includes('✗'))).toEqual([]);
    expect(passed).toBe(4);
    expect(new Set(results.map(({ run }) => run)).size).toBe(4);
    const heads = stage.lines.flatMap((line, index) => (line.includes(' run ') ? [index] : []));
    expect(heads).toEqual([0, 16, 32, 48]);
    expect(statuses.find((text) => text.split('|').length === 4)).toMatch(/^0 of 4 played, 0 failed {2}\|/);
    expect(statuses.at(-1)).toBe('');
  });

  it('keep a surplus message of one from the others, and report it', async () => {
    await stage.startDouble({ announcements: 2 });
    const [one, two] = ['one', 'two'].map((name) => stage.write(order + announced + announced, { name }));
    const three = stage.write(order + announced, { name: 'three' });

    const { results } = await stage.play([one ?? '', three, two ?? ''], { jobs: 3 });

    expect(results.map(({ scenario, passed }) => `${scenario.name} ${passed}`)).toEqual([
      'one true',
      'three false',
      'two true',
    ]);
    expect(results.flatMap(({ aside }) => aside)).toEqual([]);
  });

  it('have the identifiers and the order of a seed, which is printed', async () => {
    const quiet = ['a', 'b', 'c', 'd'].map((name) => stage.write('  - { step: Wait, quiet: 1ms }\n', { name }));
    const play = async (seed?: number): Promise<{ seed: number; played: string[] }> => {
      const { results, seed: used } = await stage.play(quiet, { shuffle: true, seed });
      return { seed: used, played: results.map(({ scenario, run }) => `${scenario.name} ${run}`) };
    };

    const first = await play();
    const second = await play(first.seed);

    expect(second).toEqual(first);
    expect(stage.lines.at(-2)).toBe(`the same identifiers and order once more: --seed ${first.seed} --shuffle`);
  });

  it('are played round after round, each with identifiers and an order of its own, the first as without rounds', async () => {
    const quiet = ['a', 'b', 'c', 'd', 'e'].map((name) => stage.write('  - { step: Wait, quiet: 1ms }\n', { name }));
    const play = async (rounds: number): Promise<string[]> => {
      const { results } = await stage.play(quiet, { rounds, seed: 11 });
      return results.map(({ scenario, run, round = 1 }) => `${round} ${scenario.name} ${run}`);
    };

    const once = await play(1);
    const thrice = await play(3);

    expect(thrice.slice(0, 5)).toEqual(once);
    expect(await play(3)).toEqual(thrice);
    expect(new Set(thrice.map((one) => one.split(' ')[2])).size).toBe(15);
    const names = [0, 5, 10].map((from) => thrice.slice(from, from + 5).map((one) => one.split(' ')[1]));
    expect(new Set(names.map((one) => one.join(''))).size).toBe(3);
    expect(stage.lines.filter((line) => /^round \d: 5 passed, 0 failed, \d+\.\d s$/.test(line))).toHaveLength(6);
    expect(stage.lines.at(-2)).toBe('the same identifiers and order once more: --seed 11 --rounds 3');
    expect(stage.lines.at(-1)).toBe('5 scenarios in 3 rounds, 15 passed, 0 failed');
  });
});
