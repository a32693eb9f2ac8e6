import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { systemClock } from '../src/platform/clock.ts';
import { type LeftOut, groupsOn, scenariosOf } from './groups.ts';
import { junitReport } from './junit.ts';
import { describeProblem, loadScenario, scenarioFilesAt } from './lint.ts';
import { type Audience, type ScenarioResult, keyed, notPlayed } from './player.ts';
import { type Screen, countsOf, progressOfSeveral, progressOn, summaryOf } from './progress.ts';
import { htmlReport } from './report.ts';
import { playRounds } from './rounds.ts';
import type { Scenario } from './scenario.ts';
import { type SiteOptions, loadSite, orderFillerOf, unsupported, withoutHttp } from './site.ts';
import type { Tester } from './staff.ts';
import { type OrderFiller, missingPeers } from './stage.ts';
import { runningAt, startedForThis } from './under-test.ts';
import { UsageError } from './usage-error.ts';

/** How scenarios are played; what is left out is as the command line has it by default. */
export interface PlayScenariosOptions extends SiteOptions {
  /** The last step to play. */
  readonly lastStep?: number | undefined;
  /** Plays the steps after a failed one too. */
  readonly keepGoing?: boolean | undefined;
  /** How many at a time; 1 by default. */
  readonly jobs?: number | undefined;
  /** Plays the scenarios in an order that the seed gives. */
  readonly shuffle?: boolean | undefined;
  /** How often everything is played; 1 by default. */
  readonly rounds?: number | undefined;
  /** Gives the same identifiers, and with `shuffle` the same order, as before; a fresh one by default. */
  readonly seed?: number | undefined;
  /** Shows the steps of those only that did not pass. */
  readonly brief?: boolean | undefined;
  /** The file of the JUnit report. */
  readonly report?: string | undefined;
  /** The file of the report for people, or a folder for it. */
  readonly html?: string | undefined;
  /** The folder of the transcripts; `./transcripts` by default. */
  readonly transcripts?: string | undefined;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  /** Asks the tester; undefined when nobody is at a terminal. */
  readonly tester?: Tester | undefined;
}

export interface Result {
  readonly results: readonly ScenarioResult[];
  readonly passed: number;
  readonly failed: number;
  /** Those that need a person who was not there. */
  readonly skipped: number;
  /** From which the identifiers were drawn. */
  readonly seed: number;
}

/**
 * Plays the scenarios at the paths and shows how it goes. Rejects with UsageError before anything
 * listens, with CannotListen when a port is taken, with ServerDidNotStart; a scenario that fails is a result.
 */
export async function playScenarios(paths: readonly string[], options: PlayScenariosOptions): Promise<Result> {
  const scenarios = loadScenarios(paths, options.workingDirectory);
  const site = loadSite(options);
  const wrong = [...unsupported(site, options), ...withoutHttp(scenarios, site, options)];
  if (wrong.length > 0) throw new UsageError(wrong);
  const transcripts = resolve(options.workingDirectory, options.transcripts ?? 'transcripts');
  const { groups, leftOut } = groupsOn(site, keyed(scenarios), { ...options, transcripts });
  const missing = groups.flatMap((group) => missingPeers(scenariosOf(group), group.site));
  if (missing.length > 0) throw new UsageError(missing);
  const underTest = options.start
    ? startedForThis({ ...options, transcripts })
    : runningAt(orderFillerOf(site, options));
  const seed = options.seed ?? randomInt(2 ** 31);
  const { jobs = 1, rounds = 1, screen } = options;
  const playings = scenarios.length + (rounds - 1) * (scenarios.length - leftOut.length);
  const isOneByOne = jobs === 1 && !options.brief;
  const audience = isOneByOne ? progressOn(screen) : progressOfSeveral(screen, playings, options.brief);
  const bill = { ...options, rounds, jobs, seed, transcripts, audience, underTest };
  try {
    const { results, orderFiller } = await playRounds(groups, bill);
    const all = [...results, ...leftOut.map((one) => toldLeftOut(one, audience))];
    const { timeZone } = site.organisation;
    writeReports(all, options, { orderFiller, seed, timeZone });
    const counts = countsOf(all);
    const isByChance = options.shuffle || options.seed !== undefined || rounds > 1;
    if (isByChance || counts.failed > 0) screen.write(again(seed, options));
    screen.write(summaryOf(all, rounds));
    return { results: all, ...counts, seed };
  } finally {
    await underTest.end();
  }
}

function toldLeftOut({ scenario, reason }: LeftOut, audience: Audience): ScenarioResult {
  const result = notPlayed(scenario, reason, systemClock.now());
  audience.begins(scenario, '').ended(result);
  return result;
}

interface RunFacts {
  /** Undefined when nothing was played. */
  readonly orderFiller: OrderFiller | undefined;
  readonly seed: number;
  readonly timeZone: string;
}

function writeReports(
  results: readonly ScenarioResult[],
  { report, html, workingDirectory }: PlayScenariosOptions,
  facts: RunFacts,
): void {
  if (report !== undefined) writeReport(resolve(workingDirectory, report), junitReport(results));
  if (html === undefined) return;
  const file = pageAt(resolve(workingDirectory, html));
  writeReport(file, htmlReport(results, { file, ...facts }));
}

function again(seed: number, { shuffle, rounds = 1 }: PlayScenariosOptions): string {
  const isOrdered = shuffle || rounds > 1;
  const flags = [`--seed ${seed}`, ...(shuffle ? ['--shuffle'] : []), ...(rounds > 1 ? [`--rounds ${rounds}`] : [])];
  return `the same identifiers${isOrdered ? ' and order' : ''} once more: ${flags.join(' ')}`;
}

/** The scenarios at the paths. Throws UsageError with everything that is wrong in them. */
export function loadScenarios(paths: readonly string[], workingDirectory: string): Scenario[] {
  const problems: string[] = [];
  const scenarios: Scenario[] = [];
  for (const path of paths) {
    const files = scenarioFilesAt(resolve(workingDirectory, path));
    if (files.length === 0) problems.push(`${path}: there is no scenario.yaml here, nor in a folder in it`);
    for (const file of files) {
      const loaded = loadScenario(file);
      problems.push(...loaded.problems.map(describeProblem));
      if (loaded.scenario) scenarios.push(loaded.scenario);
    }
  }
  if (problems.length > 0) throw new UsageError(problems);
  return scenarios;
}

/** A path that does not end like a page is a folder. */
function pageAt(path: string): string {
  return /\.html?$/i.test(path) ? path : join(path, 'index.html');
}

/** Writes a report, making its folder. */
export function writeReport(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
