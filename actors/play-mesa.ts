import { junitReport } from './junit.ts';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { systemClock } from '../src/platform/clock.ts';
import type { Config } from '../src/platform/config.ts';
import { randomIds } from '../src/platform/ids.ts';
import { reachable } from './addresses.ts';
import { describeProblem } from './lint.ts';
import { catalogueOf } from './mesa-catalogue.ts';
import type { MesaCase, Parts } from './mesa-case.ts';
import { type MesaCodes, readMesaCodes } from './mesa-codes.ts';
import { type MesaKit, openMesaKit } from './mesa-kit.ts';
import { type MesaPlan, planOf } from './mesa-plan.ts';
import { type MesaResult, playMesaCase } from './mesa-player.ts';
import { mesaProgressOn, mesaSummary } from './mesa-progress.ts';
import { readMesaScript } from './mesa-script.ts';
import { type Staff, staffAsked, staffOfOurs } from './mesa-staff.ts';
import { type PlayScenariosOptions, writeReport } from './play-scenarios.ts';
import { siteValues, withSettings } from './settings.ts';
import { loadSite, orderFillerOf, unsupported } from './site.ts';
import { type OrderFiller, type Stage, startStage } from './stage.ts';
import { type ThrowawayServer, startThrowawayServer } from './throwaway-server.ts';
import { openTranscript } from './transcript.ts';
import { UsageError } from './usage-error.ts';

/** How a kit is played: as scenarios are, and what only a kit has. */
export interface PlayMesaOptions extends Omit<PlayScenariosOptions, 'lastStep'> {
  /** Writes the catalogue of the kit's codes there and plays nothing. */
  readonly catalogueOut?: string | undefined;
  /** Asks whoever is at the terminal to do something, and comes back when it is done; undefined: nobody is there. */
  readonly ask?: ((text: string) => Promise<void>) | undefined;
  /** How long is waited for an answer, and for what the Order Filler sends; 15 s by default. */
  readonly withinMs?: number;
}

/**
 * Plays the scripts of a MESA kit, all that can be played or those that are named, and says what is compared. True when
 * all have passed. Rejects as playScenarios does.
 */
export async function playMesa(folder: string, names: readonly string[], options: PlayMesaOptions): Promise<boolean> {
  const { workingDirectory, screen } = options;
  const kit = openMesaKit(resolve(workingDirectory, folder));
  if (!kit) throw new UsageError([`${folder}: there is no script here, such as scenarios/131/131.txt`]);
  const codes = readMesaCodes(kit.codeFiles());
  const plans = plansOf(kit, names);
  const catalogue = catalogueOf(codes, plans.flatMap(usesOf));
  if (codes.problems.length > 0) throw new UsageError(codes.problems.map(describeProblem));
  if (options.catalogueOut !== undefined) {
    writeFile(resolve(workingDirectory, options.catalogueOut), catalogue);
    screen.write(`${options.catalogueOut}  written: name it as catalogue in the site file`);
    return true;
  }
  const playable = plans.filter(({ problems }) => problems.length === 0);
  const others = plans.filter(({ problems }) => problems.length > 0);
  for (const { name, problems } of others) {
    screen.write(`MESA ${name}  not played`);
    for (const problem of problems) screen.write(`        ${describeProblem(problem)}`);
  }
  if (playable.length === 0) throw new UsageError(['there is no script that can be played']);
  const results = await playOnSite({ kit, codes, catalogue, plans: playable }, options);
  if (options.report !== undefined) writeReport(resolve(workingDirectory, options.report), junitReport(results));
  screen.write(mesaSummary(results));
  if (others.length > 0) screen.write(`not played: ${others.map(({ name }) => name).join(', ')}`);
  const askedFor = names.length === 0 || others.length === 0;
  return askedFor && results.length === playable.length && results.every((result) => result.passed);
}

function plansOf(kit: MesaKit, names: readonly string[]): MesaPlan[] {
  const unknown = names.filter((name) => !kit.scripts.some((script) => script.name === name));
  if (unknown.length > 0) {
    const known = kit.scripts.map(({ name }) => name).join(', ');
    throw new UsageError(unknown.map((name) => `${name}: the kit has no such script; it has ${known}`));
  }
  return kit.scripts
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .map(({ name, file }) => planOf(readMesaScript(name, file), kit));
}

function usesOf({ examinations }: MesaPlan) {
  return examinations.flatMap(({ message, station, unscheduled }) => {
    if (unscheduled) return [{ service: unscheduled.procedureCode, modality: unscheduled.modality, station }];
    if (!message) return [];
    const { field, component } = message.fields;
    return [{ service: component('OBR-4', 1), modality: field('OBR-24'), station }];
  });
}

function writeFile(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

interface Playbill {
  readonly kit: MesaKit;
  readonly codes: MesaCodes;
  readonly catalogue: string;
  readonly plans: readonly MesaPlan[];
}

async function playOnSite(playbill: Playbill, options: PlayMesaOptions): Promise<MesaResult[]> {
  const site = loadSite(options);
  const problems = unsupported(site, options);
  if (problems.length > 0) throw new UsageError(problems);
  const parts = partsOf(site, options);
  const transcripts = resolve(options.workingDirectory, options.transcripts ?? 'transcripts');
  const given = options.start ? undefined : orderFillerOf(site, options);
  const { environment, signal, screen } = options;
  let server: ThrowawayServer | undefined;
  const findOrderFiller = async (): Promise<OrderFiller> => {
    if (given) return given;
    screen.write('starting a server for this run ...');
    const siteFile = siteFor(site, playbill.catalogue, transcripts);
    server = await startThrowawayServer({ siteFile, transcripts, environment, signal });
    return server.orderFiller;
  };
  // The kit's Order Placer acknowledges first and sends the number of an order as a message of its own.
  const answerers = {};
  const ids = randomIds(site.organisation.uidRoot);
  try {
    const stage = await startStage(site, findOrderFiller, { clock: systemClock, ids, answerers });
    try {
      const staff = staffFor(site, server?.orderFiller.http?.url, options);
      return await playAllOf(playbill, { stage, parts, staff, transcripts }, options);
    } finally {
      await stage.stop();
    }
  } finally {
    await server?.stop();
  }
}

/** The first peers of their kind that speak the kit's HL7 version. Throws UsageError. */
function partsOf(site: Config, { of, ofDicom }: PlayMesaOptions): Parts {
  const named = (actor: string): Config['peers'][number] => {
    const peers = site.peers.filter((peer) => peer.actor === actor && peer.hl7);
    const [first] = [...peers.filter((peer) => peer.hl7?.version === '2.3.1'), ...peers];
    if (first) return first;
    throw new UsageError([`peers: the site file needs a peer with actor ${actor} and an hl7 address`]);
  };
  const manager = named('image-manager');
  const isOurs = of === undefined && ofDicom === undefined;
  const relays = manager.dicom === undefined ? false : isOurs ? site.policy.relayMpps : undefined;
  return { OP: named('order-placer').name, IM: manager.name, relays };
}

/** The site with the kit's catalogue, where staff schedule what was ordered, as the kit's tester does. */
function siteFor(site: Config, catalogue: string, transcripts: string): string {
  const catalogueFile = join(transcripts, 'mesa-catalogue.yaml');
  writeFile(catalogueFile, catalogue);
  const file = join(transcripts, 'mesa-site.yaml');
  const settings = { catalogue: catalogueFile, policy: { autoSchedule: false } };
  writeFile(file, stringify(withSettings(siteValues(site.file), settings)));
  return file;
}

function staffFor(site: Config, started: string | undefined, { of, ofDicom, ask }: PlayMesaOptions): Staff {
  if (of !== undefined || ofDicom !== undefined) return staffAsked(ask);
  const { host, port } = site.http;
  return staffOfOurs(started ?? `http://${reachable(host)}:${port}`, site.apiToken);
}

async function playAllOf(
  { kit, codes, plans }: Playbill,
  { stage, parts, staff, transcripts }: { stage: Stage; parts: Parts; staff: Staff; transcripts: string },
  { screen, signal, keepGoing = false, withinMs = 15_000 }: PlayMesaOptions,
): Promise<MesaResult[]> {
  const progress = mesaProgressOn(screen);
  const results: MesaResult[] = [];
  for (const plan of plans) {
    if (signal.aborted) break;
    const senders = stage.openSenders();
    const played: MesaCase = {
      ...{ senders, plan, kit, codes, stage, parts, staff, signal, withinMs },
      transcript: openTranscript(transcripts, `mesa-${plan.name}`),
      scheduled: new Set(),
      performed: new Map(),
      orders: [],
      received: new Map(),
      undone: undefined,
    };
    progress.begins(plan.name);
    const result = await playMesaCase(played, { keepGoing, told: progress.step }).finally(() => senders.close());
    progress.ended(result);
    results.push(result);
  }
  return results;
}
