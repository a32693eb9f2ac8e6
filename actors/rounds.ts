import { systemClock } from '../src/platform/clock.ts';
import { randomIds } from '../src/platform/ids.ts';
import type { Group } from './groups.ts';
import { type Audience, type KeyedScenario, type ScenarioResult, playAll } from './player.ts';
import { type Screen, countsOf } from './progress.ts';
import { chanceOf } from './seed.ts';
import { settingsShown } from './settings.ts';
import type { Tester } from './staff.ts';
import { type OrderFiller, type Stage, startStage } from './stage.ts';
import type { UnderTest } from './under-test.ts';

/** How everything is played, as often as it is. */
export interface Playbill {
  readonly rounds: number;
  readonly jobs: number;
  readonly seed: number;
  readonly shuffle?: boolean | undefined;
  readonly lastStep?: number | undefined;
  readonly keepGoing?: boolean | undefined;
  /** Whether the Order Filler is started for this. */
  readonly start?: boolean | undefined;
  readonly tester?: Tester | undefined;
  readonly transcripts: string;
  readonly audience: Audience;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  readonly underTest: UnderTest;
}

export interface Played {
  readonly results: readonly ScenarioResult[];
  /** Undefined when nothing was played. */
  readonly orderFiller: OrderFiller | undefined;
}

/** Plays all groups, round after round, on one Order Filler and its database. Rejects as startStage does. */
export async function playRounds(groups: readonly Group[], bill: Playbill): Promise<Played> {
  const { rounds, screen, signal } = bill;
  const house = openHouse(bill);
  const all: ScenarioResult[] = [];
  try {
    for (let round = 1; round <= rounds && !signal.aborted; round++) {
      if (rounds > 1) screen.write(`${round > 1 ? '\n' : ''}round ${round} of ${rounds}`);
      const began = performance.now();
      const results = await playRound(groups, round, { house, bill });
      if (rounds > 1) screen.write(roundTold(round, results, performance.now() - began));
      all.push(...results.map((result) => ({ ...result, ...(rounds > 1 ? { round } : {}) })));
    }
    return { results: all, orderFiller: house.orderFiller() };
  } finally {
    await house.close();
  }
}

function roundTold(round: number, results: readonly ScenarioResult[], milliseconds: number): string {
  const { passed, failed, skipped } = countsOf(results);
  const seconds = (milliseconds / 1000).toFixed(1);
  return `round ${round}: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}, ${seconds} s`;
}

async function playRound(
  groups: readonly Group[],
  round: number,
  { house, bill }: { house: House; bill: Playbill },
): Promise<ScenarioResult[]> {
  const { seed, shuffle, keepGoing = false } = bill;
  const results: ScenarioResult[] = [];
  for (const group of groups) {
    if (bill.signal.aborted) break;
    const stage = await house.on(group);
    const chance = chanceOf(seed, group.site.organisation.uidRoot, round);
    const isShuffled = shuffle || round > 1;
    const ordered: readonly KeyedScenario[] = isShuffled ? chance.shuffled(group.scenarios) : group.scenarios;
    results.push(...(await playAll(ordered, stage, { ...bill, keepGoing, chance })));
  }
  return results;
}

/** Where groups are played, one after the other. */
interface House {
  /** The stage for a group: the one that stands, or a new one with the Order Filler on the group's site. */
  on(group: Group): Promise<Stage>;
  /** The first Order Filler; undefined before there was one. */
  orderFiller(): OrderFiller | undefined;
  close(): Promise<void>;
}

function openHouse({ screen, start, tester, underTest }: Playbill): House {
  let current: { readonly group: Group; readonly stage: Stage } | undefined;
  let first: OrderFiller | undefined;
  const close = async (): Promise<void> => {
    await current?.stage.stop();
    current = undefined;
  };
  const open = async ({ site, settings }: Group): Promise<Stage> => {
    if (settings !== undefined) screen.write(`\nwith ${settingsShown(settings)} in the site file:`);
    const findOrderFiller = async (): Promise<OrderFiller> => {
      if (!start) return underTest.on(site);
      screen.write(`starting ${first === undefined ? 'a server for this run' : 'the server again'} ...`);
      const began = performance.now();
      const orderFiller = await underTest.on(site);
      screen.write(`ready after ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
      return orderFiller;
    };
    const ids = randomIds(site.organisation.uidRoot);
    return startStage(site, findOrderFiller, { clock: systemClock, ids, tester, life: underTest.life });
  };
  return {
    on: async (group) => {
      if (current?.group === group) return current.stage;
      await close();
      current = { group, stage: await open(group) };
      first ??= current.stage.orderFiller;
      return current.stage;
    },
    orderFiller: () => first,
    close,
  };
}
