import { SwfError } from '../src/platform/errors.ts';
import { NoAnswer } from './hl7-sender.ts';
import { inParallel } from './in-parallel.ts';
import { type Arrival, type Watch, belongs } from './mailbox.ts';
import { type Notes, openNotes } from './notes.ts';
import { type Outcome, type Playing, broken, isPassed, nothingWrong, unexpectedOutcome } from './outcome.ts';
import { perform } from './perform.ts';
import { type Scenario, type Step, type Verb, actorsOf } from './scenario.ts';
import type { Chance } from './seed.ts';
import type { OrderFiller, Stage } from './stage.ts';
import { NoHttpAnswer } from './staff.ts';
import { type Scope, UnknownName, startScope } from './template.ts';
import { type Transcript, openTranscript } from './transcript.ts';
import type { Exchange } from './wire.ts';

/** An outcome and what is kept of it. */
export interface Kept extends Outcome {
  /** The messages and datasets, in the transcript. */
  readonly files: readonly string[];
  /** What went over the wire. */
  readonly exchanges: readonly Exchange[];
}

/** A step that was played. */
export interface StepResult extends Kept {
  /** From 1. */
  readonly number: number;
  readonly transaction: string | undefined;
  /** `ADT → OF` */
  readonly who: string;
  readonly sentence: string;
  readonly passed: boolean;
  /** Why it was left out, which is no failure. */
  readonly skipped?: string | undefined;
  /** When it began, milliseconds since 1970. */
  readonly at: number;
  readonly milliseconds: number;
}

/** A scenario that was played, to its end or to the step that failed. */
export interface ScenarioResult extends PlayedResult {
  readonly scenario: Scenario;
}

/** Something that was played step by step. */
export interface PlayedResult {
  readonly scenario: Pick<Scenario, 'name' | 'title'> & { readonly steps: readonly { readonly step: string }[] };
  readonly run: string;
  /** From 1; undefined when everything is played once. */
  readonly round?: number | undefined;
  readonly passed: boolean;
  /** Nothing went wrong, but a step needs a person who was not there, or it was not begun at all. */
  readonly skipped: boolean;
  /** Why it was not begun. */
  readonly skippedBecause?: string | undefined;
  readonly steps: readonly StepResult[];
  /** What came although no step asked for it. */
  readonly leftover: Kept;
  /** What came and counts for nothing: its step was not played, it is left to the Order Filler's choice, or for somebody outside the cast. */
  readonly aside: readonly Exchange[];
  /** When it began. */
  readonly began: Date;
  readonly milliseconds: number;
}

/** Who wants to hear how it goes. */
export interface Audience {
  begins(scenario: Scenario, run: string): Spectator;
}

/** Who watches one playing. */
export interface Spectator {
  played(step: StepResult): void;
  ended(result: ScenarioResult): void;
}

export interface PlayOptions {
  readonly audience: Audience;
  /** The folder of the transcripts; each playing gets a folder in it. */
  readonly transcripts: string;
  /** The last step to play. */
  readonly lastStep?: number | undefined;
  /** Whether the steps after a failed one are played too. */
  readonly keepGoing: boolean;
  /** How many scenarios are played at a time. */
  readonly jobs: number;
  readonly chance: Chance;
  /** Stops between steps, and any waiting at once. */
  readonly signal: AbortSignal;
}

/** Who speaks to whom, the Order Filler being OF. */
export function partiesOf(step: Step): string {
  const actors = actorsOf(step).join(' ');
  switch (step.verb) {
    case 'receive':
      return `OF → ${actors}`;
    case 'store':
      // RAD-8 passes the Order Filler by.
      return `→ ${actors}`;
    case 'do':
      return 'staff → OF';
    case 'quiet':
      return '';
    case 'answers':
    case 'offline':
    case 'killed':
    case 'online':
      return `${actors} ${step.verb}`;
    default:
      return `${actors} → OF`;
  }
}

/**
 * What an Order Filler may do or leave counts against a scenario only where it asks for it: relayed MPPS and queries,
 * appointments (RAD-48, an option of the profile) and results, which are none of its transactions. Undefined: it
 * always counts.
 */
function optionalGroup(type: string): string | undefined {
  if (!type.includes('^')) return type === 'C-FIND' ? 'query' : 'relay';
  if (type.startsWith('SIU^')) return 'appointment';
  return type.startsWith('ORU^') ? 'result' : undefined;
}

function watchOf({ cast, steps }: Scenario, isOurs: Watch['isOurs']): Watch {
  const claimed = new Set(
    steps.flatMap((step) => {
      if (step.verb === 'receive') return [`${step.to} ${optionalGroup(step.receive)}`];
      // Whoever passes on performed steps must not be told of them again.
      return step.verb === 'create' || step.verb === 'set' ? [`${step.from} relay`] : [];
    }),
  );
  const counts = ({ actor, type }: Arrival): boolean => {
    const group = optionalGroup(type);
    return cast.includes(actor) && (group === undefined || claimed.has(`${actor} ${group}`));
  };
  return { isOurs, counts };
}

/** What a scenario does to its actors happens to everybody who is played beside it; and a tester does one thing at a time. */
function isAlone({ steps }: Scenario, { orderFiller, tester }: Stage): boolean {
  const asks = tester !== undefined && orderFiller.http === undefined;
  const alone: readonly Verb[] = ['answers', 'offline', 'killed', 'online', ...(asks ? (['do'] as const) : [])];
  return steps.some(({ verb }) => alone.includes(verb));
}

/** A scenario that is to be played. */
export interface KeyedScenario {
  readonly scenario: Scenario;
  /** From what, beside the seed, its identifiers are drawn: different for each. */
  readonly key: string;
}

/** Each with a key: its name, and how often that was there before. */
export function keyed(scenarios: readonly Scenario[]): KeyedScenario[] {
  return scenarios.map((scenario, index) => {
    const before = scenarios.slice(0, index).filter(({ name }) => name === scenario.name).length;
    return { scenario, key: `${scenario.name} ${before + 1}` };
  });
}

/** Plays scenarios, as many at a time as `jobs` says; the actors listen all the while. Gives the results in their order. */
export function playAll(
  scenarios: readonly KeyedScenario[],
  stage: Stage,
  options: PlayOptions,
): Promise<ScenarioResult[]> {
  const { jobs, signal } = options;
  const scopes = new Set<Scope>();
  return inParallel(scenarios, {
    jobs,
    signal,
    isAlone: ({ scenario }) => isAlone(scenario, stage),
    work: ({ scenario, key }) => playScenario({ scenario, key, scopes }, stage, options),
  });
}

/** The result of a scenario that was not begun. */
export function notPlayed(scenario: Scenario, skippedBecause: string, began: Date): ScenarioResult {
  const leftover = { ...nothingWrong, files: [], exchanges: [] };
  const nothing = { run: '', passed: false, steps: [], leftover, aside: [], milliseconds: 0 };
  return { scenario, ...nothing, skipped: true, skippedBecause, began };
}

interface Part extends KeyedScenario {
  /** Those of the playings that go on at this time. */
  readonly scopes: Set<Scope>;
}

/** Plays one scenario under a run id of its own. What goes wrong is in the result; only a fault of ours is an exception. */
async function playScenario(
  { scenario, key, scopes }: Part,
  stage: Stage,
  options: PlayOptions,
): Promise<ScenarioResult> {
  const { clock, timeZone } = stage;
  const { signal, chance } = options;
  const run = chance.runOf(key);
  const began = clock.now();
  const scope = startScope(scenario.let, { run, clock, ids: chance.idsOf(key, stage.ids), timeZone });
  const isTheirs = (arrival: Arrival): boolean =>
    !belongs(arrival, scope.own()) && [...scopes].some((one) => one !== scope && belongs(arrival, one.own()));
  const isOurs = (arrival: Arrival): boolean => belongs(arrival, scope.identifiers()) && !isTheirs(arrival);
  const transcript = openTranscript(options.transcripts, run);
  const senders = stage.openSenders();
  const watch = watchOf(scenario, isOurs);
  const playing = { scenario, stage, scope, watch, signal, senderOf: (actor: string) => senders.of(actor) };
  const spectator = options.audience.begins(scenario, run);
  scopes.add(scope);
  try {
    const played = await playSteps(playing, { ...options, transcript, spectator });
    const ending = await endOf({ ...playing, isTheirs }, transcript, played);
    const result = { scenario, run, began, ...ending, milliseconds: clock.now().getTime() - began.getTime() };
    spectator.ended(result);
    return result;
  } finally {
    scopes.delete(scope);
    senders.close();
  }
}

/** Looks at what is left, and keeps it. */
async function endOf(
  playing: Playing & { isTheirs: (arrival: Arrival) => boolean },
  transcript: Transcript,
  played: readonly Played[],
): Promise<Ending> {
  const { scenario, stage, watch, signal, isTheirs } = playing;
  scenario.cast.forEach((actor) => stage.behaviours.reset(actor));
  await Promise.all(scenario.cast.map((actor) => stage.listeners.online(actor)));
  if (scenario.steps.some((step) => step.verb === 'killed' && step.killed === 'OF')) await stage.life?.start();
  const isWhole = played.length === scenario.steps.length;
  const end = openNotes(transcript, 'end', stage.clock);
  const left = stage.mailbox.unclaimed(watch);
  stage.mailbox.discard(left);
  const unexpected = unexpectedOutcome(isWhole ? left : [], end);
  // A playing that stopped early might have claimed them later.
  const aside = [...(isWhole ? [] : left), ...stage.mailbox.takeAside(watch, isTheirs)].map((arrival, index) => {
    const notes = openNotes(transcript, `aside-${index + 1}`, stage.clock);
    notes.received(arrival, arrival.type.replaceAll(/[^A-Z0-9-]/g, '-'));
    return { notes, isOurs: watch.isOurs(arrival) };
  });
  const chosen = aside.filter(({ isOurs }) => isOurs).flatMap((one) => one.notes.exchanges);
  const notes = [...played.map((one) => one.notes), end, ...aside.map((one) => one.notes)];
  notes.forEach((one) => one.finish());
  transcript.contents(notes.flatMap((one) => one.exchanges).toSorted((a, b) => a.at - b.at));
  const steps = played.map(({ step }) => step);
  const leftover = { ...unexpected, files: end.files, exchanges: end.exchanges };
  const isClean = steps.every((step) => step.passed || step.skipped !== undefined) && isPassed(leftover);
  const skipped = isClean && steps.some((step) => step.skipped !== undefined);
  const passed = isClean && !skipped && !signal.aborted;
  return { steps, leftover, aside: chosen, passed, skipped };
}

type Ending = Pick<ScenarioResult, 'steps' | 'leftover' | 'aside' | 'passed' | 'skipped'>;

interface Played {
  readonly step: StepResult;
  readonly notes: Notes;
}

interface StepOptions extends PlayOptions {
  readonly transcript: Transcript;
  readonly spectator: Spectator;
}

async function playSteps(playing: Playing, options: StepOptions): Promise<Played[]> {
  const results: Played[] = [];
  const steps = playing.scenario.steps.slice(0, options.lastStep);
  for (const [index, step] of steps.entries()) {
    if (options.signal.aborted) break;
    const notes = openNotes(options.transcript, String(index + 1).padStart(2, '0'), playing.stage.clock);
    const result = await playStep(step, index + 1, { playing, notes });
    results.push({ step: result, notes });
    options.spectator.played(result);
    if (result.skipped !== undefined || (!result.passed && !options.keepGoing)) break;
  }
  return results;
}

async function playStep(
  step: Step,
  number: number,
  { playing, notes }: { playing: Playing; notes: Notes },
): Promise<StepResult> {
  const { clock } = playing.stage;
  const started = clock.now().getTime();
  const performed = perform(step, playing, notes).catch((error: unknown) => outcomeOf(error, playing.stage));
  const outcome = await unlessStopped(performed, playing.signal);
  return {
    ...outcome,
    files: notes.files,
    exchanges: notes.exchanges,
    number,
    transaction: step.transaction,
    who: partiesOf(step),
    sentence: step.step,
    passed: isPassed(outcome),
    at: started,
    milliseconds: clock.now().getTime() - started,
  };
}

/** Whoever stops the playing does not wait for an answer that may never come. */
function unlessStopped(performed: Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const end = (outcome: Outcome): void => {
      signal.removeEventListener('abort', stopped);
      resolve(outcome);
    };
    const stopped = (): void => end(broken('stopped'));
    if (signal.aborted) stopped();
    else signal.addEventListener('abort', stopped);
    void performed.then(end);
  });
}

function outcomeOf(error: unknown, { orderFiller }: Stage): Outcome {
  return broken(problemOf(error, orderFiller));
}

function problemOf(error: unknown, { hl7, dicom, http }: OrderFiller): string {
  if (error instanceof UnknownName) return `\${${error.unknown}} has no value: the step that captures it found none`;
  if (error instanceof NoAnswer) return `no acknowledgement from mllp://${hl7.host}:${hl7.port}: ${error.message}`;
  if (error instanceof NoHttpAnswer) return `no answer from ${http?.url ?? 'HTTP'}: ${error.message}`;
  if (error instanceof SwfError && error.code === 'no-acknowledgement') {
    return `no answer from ${dicom.aeTitle}@${dicom.host}:${dicom.port}: ${error.message}`;
  }
  return error instanceof Error ? error.message : String(error);
}
