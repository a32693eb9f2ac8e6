import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { systemClock } from '../src/platform/clock.ts';
import { type Config, ConfigError, loadConfig } from '../src/platform/config.ts';
import { randomIds } from '../src/platform/ids.ts';
import { BadAddress, parseDicomAddress, parseHttpAddress, parseMllpAddress, reachable } from './addresses.ts';
import { junitReport } from './junit.ts';
import { describeProblem, loadScenario, scenarioFilesAt } from './lint.ts';
import { type ScenarioResult, playAll } from './player.ts';
import { type Screen, countsOf, progressOfSeveral, progressOn, summaryOf } from './progress.ts';
import { htmlReport } from './report.ts';
import type { Scenario } from './scenario.ts';
import { chanceOf } from './seed.ts';
import type { HttpAddress, Tester } from './staff.ts';
import { type OrderFiller, missingPeers, startStage } from './stage.ts';
import { type ThrowawayServer, startThrowawayServer } from './throwaway-server.ts';

/** How scenarios are played; what is left out is as the command line has it by default. */
export interface PlayScenariosOptions {
  /** The site file; else `SWF_CONFIG`, else `./swf.yaml`. */
  readonly site?: string | undefined;
  /** `mllp://HOST:PORT` of an Order Filler in our place. */
  readonly of?: string | undefined;
  /** `AET@HOST:PORT` of an Order Filler in our place. */
  readonly ofDicom?: string | undefined;
  /** `http://HOST:PORT` where the Order Filler takes what staff do; else the site file's, unless another is named above. */
  readonly ofHttp?: string | undefined;
  /** Starts a throwaway server of ours and plays against it. */
  readonly start?: boolean | undefined;
  /** The last step to play. */
  readonly lastStep?: number | undefined;
  /** Plays the steps after a failed one too. */
  readonly keepGoing?: boolean | undefined;
  /** How many at a time; 1 by default. */
  readonly jobs?: number | undefined;
  /** Plays the scenarios in an order that the seed gives. */
  readonly shuffle?: boolean | undefined;
  /** Gives the same identifiers, and with `shuffle` the same order, as before; a fresh one by default. */
  readonly seed?: number | undefined;
  /** The file of the JUnit report. */
  readonly report?: string | undefined;
  /** The file of the report for people, or a folder for it. */
  readonly html?: string | undefined;
  /** The folder of the transcripts; `./transcripts` by default. */
  readonly transcripts?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
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

/** Asked wrongly: every problem at once, a line each. */
export class UsageError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'UsageError';
    this.problems = problems;
  }
}

/**
 * Plays the scenarios at the paths and shows how it goes. Rejects with UsageError before anything
 * listens, with CannotListen when a port is taken, with ServerDidNotStart; a scenario that fails is a result.
 */
export async function playScenarios(paths: readonly string[], options: PlayScenariosOptions): Promise<Result> {
  const scenarios = loadScenarios(paths, options.workingDirectory);
  const site = loadSite(options);
  const problems = [
    ...missingPeers(scenarios, site),
    ...unsupported(site, options),
    ...withoutHttp(scenarios, site, options),
  ];
  if (problems.length > 0) throw new UsageError(problems);
  const given = options.start ? undefined : orderFillerOf(site, options);
  const transcripts = resolve(options.workingDirectory, options.transcripts ?? 'transcripts');
  const { environment, signal } = options;
  let server: ThrowawayServer | undefined;
  const findOrderFiller = async (): Promise<OrderFiller> => {
    if (given) return given;
    options.screen.write('starting a server for this run ...\n');
    server = await startThrowawayServer({ siteFile: site.file, transcripts, environment, signal });
    const { http } = server.orderFiller;
    return { ...server.orderFiller, http: http && { ...http, token: site.apiToken } };
  };
  try {
    return await playOn(site, findOrderFiller, { scenarios, transcripts, options });
  } finally {
    await server?.stop();
  }
}

async function playOn(
  site: Config,
  findOrderFiller: () => Promise<OrderFiller>,
  { scenarios, transcripts, options }: Playbill,
): Promise<Result> {
  const { screen, signal, lastStep, keepGoing = false, report, workingDirectory, jobs = 1 } = options;
  const { uidRoot } = site.organisation;
  const seed = options.seed ?? randomInt(2 ** 31);
  const chance = chanceOf(seed, uidRoot);
  const ordered = options.shuffle ? chance.shuffled(scenarios) : scenarios;
  const parts = { clock: systemClock, ids: randomIds(uidRoot), tester: options.tester };
  const stage = await startStage(site, findOrderFiller, parts);
  try {
    const audience = jobs > 1 ? progressOfSeveral(screen, ordered.length) : progressOn(screen);
    const results = await playAll(ordered, stage, { audience, transcripts, lastStep, keepGoing, signal, jobs, chance });
    if (report !== undefined) writeReport(resolve(workingDirectory, report), junitReport(results));
    if (options.html !== undefined) {
      const file = pageAt(resolve(workingDirectory, options.html));
      const { timeZone } = site.organisation;
      writeReport(file, htmlReport(results, { file, orderFiller: stage.orderFiller, seed, timeZone }));
    }
    const counts = countsOf(results);
    if (options.shuffle || options.seed !== undefined || counts.failed > 0) screen.write(again(seed, options));
    screen.write(summaryOf(results));
    return { results, ...counts, seed };
  } finally {
    await stage.stop();
  }
}

function again(seed: number, { shuffle }: PlayScenariosOptions): string {
  return `the same identifiers${shuffle ? ' and order' : ''} once more: --seed ${seed}${shuffle ? ' --shuffle' : ''}`;
}

interface Playbill {
  readonly scenarios: readonly Scenario[];
  readonly transcripts: string;
  readonly options: PlayScenariosOptions;
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

export function loadSite({ site, environment, workingDirectory }: PlayScenariosOptions): Config {
  try {
    return loadConfig({ file: site, environment, workingDirectory });
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.problems);
    throw error;
  }
}

export function unsupported(site: Config, { start, of, ofDicom, ofHttp }: PlayScenariosOptions): string[] {
  const secured = [
    ...(of === undefined && site.hl7.tls ? ['hl7'] : []),
    ...(ofDicom === undefined && site.dicom.tls ? ['dicom'] : []),
    ...site.peers.filter(({ hl7, dicom }) => hl7?.tls ?? dicom?.tls).map(({ name }) => `peer ${name}`),
  ];
  const tls = secured.map((what) => `${what}: the scenario player does not speak TLS; play on a site without tls`);
  const both =
    start && (of ?? ofDicom ?? ofHttp)
      ? ['--start starts our own server: leave out --of, --of-dicom and --of-http']
      : [];
  return [...tls, ...both];
}

/** Steps of staff need an address, or a site that is not ours and a person. */
function withoutHttp(scenarios: readonly Scenario[], site: Config, options: PlayScenariosOptions): string[] {
  const isOurs = !options.start && (options.ofHttp ?? options.of ?? options.ofDicom) === undefined;
  if (!isOurs || site.http.port !== 0) return [];
  const deeds = scenarios.filter(({ steps }) => steps.some(({ verb }) => verb === 'do'));
  return deeds.map(({ name }) => `${name}: http.port is 0 (any free port): say where with --of-http http://HOST:PORT`);
}

/** Where staff work by HTTP: named, else the site file's, unless another Order Filler is in our place. Throws BadAddress. */
function httpOf(
  { http, apiToken: token }: Config,
  { of, ofDicom, ofHttp }: PlayScenariosOptions,
): HttpAddress | undefined {
  if (ofHttp !== undefined) return { url: parseHttpAddress(ofHttp), token };
  if ((of ?? ofDicom) !== undefined) return undefined;
  const host = reachable(http.host);
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${http.port}`, token };
}

/** Where the Order Filler listens: the flags, else the site file. Throws UsageError. */
export function orderFillerOf(site: Config, options: PlayScenariosOptions): OrderFiller {
  const { of, ofDicom } = options;
  try {
    const hl7 = of === undefined ? site.hl7 : parseMllpAddress(of);
    const dicom = ofDicom === undefined ? site.dicom : parseDicomAddress(ofDicom);
    const unknown = [
      ...(hl7.port === 0 ? ['hl7.port is 0 (any free port): say where with --of mllp://HOST:PORT'] : []),
      ...(dicom.port === 0 ? ['dicom.port is 0 (any free port): say where with --of-dicom AET@HOST:PORT'] : []),
    ];
    if (unknown.length > 0) throw new UsageError(unknown);
    return {
      hl7: { host: reachable(hl7.host), port: hl7.port },
      dicom: { aeTitle: dicom.aeTitle, host: reachable(dicom.host), port: dicom.port },
      http: httpOf(site, options),
    };
  } catch (error) {
    if (error instanceof BadAddress) throw new UsageError([error.message]);
    throw error;
  }
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
