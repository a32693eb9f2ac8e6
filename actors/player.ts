import { randomInt } from 'node:crypto';
import { SwfError } from '../src/platform/errors.ts';
import { NoAnswer } from './hl7-sender.ts';
import type { Arrival, Watch } from './mailbox.ts';
import { type Notes, openNotes } from './notes.ts';
import { type Outcome, type Playing, broken, isPassed, unexpectedOutcome } from './outcome.ts';
import { perform } from './perform.ts';
import { type Scenario, type Step, actorsOf } from './scenario.ts';
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
  readonly milliseconds: number;
}

/** A scenario that was played, to its end or to the step that failed. */
export interface ScenarioResult {
  readonly scenario: Pick<Scenario, 'name' | 'title'> & { readonly steps: readonly { readonly step: string }[] };
  readonly run: string;
  readonly passed: boolean;
  /** Nothing went wrong, but a step needs a person who was not there. */
  readonly skipped: boolean;
  readonly steps: readonly StepResult[];
  /** What came although no step asked for it. */
  readonly leftover: Kept;
  /** What came and counts for nothing: it belongs to nobody here, or is an Order Filler's choice. */
  readonly aside: readonly Exchange[];
  /** When it began. */
  readonly began: Date;
  readonly milliseconds: number;
}

/** Who wants to hear how it goes. */
export interface Audience {
  begins(scenario: Scenario, run: string): void;
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

/** A run id: short enough for identifiers of 16 characters (SH), different each time. */
function freshRun(): string {
  return Array.from({ length: 6 }, () => randomInt(36).toString(36)).join('');
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

function watchOf({ cast, steps }: Scenario, scope: Scope): Watch {
  const claimed = new Set(
    steps.flatMap((step) => (step.verb === 'receive' ? [`${step.to} ${optionalGroup(step.receive)}`] : [])),
  );
  const counts = ({ actor, type }: Arrival): boolean => {
    const group = optionalGroup(type);
    return cast.includes(actor) && (group === undefined || claimed.has(`${actor} ${group}`));
  };
  return { identifiers: () => scope.identifiers(), counts };
}

/** Plays scenarios one after another; the actors listen all the while. */
export async function playAll(
  scenarios: readonly Scenario[],
  stage: Stage,
  options: PlayOptions,
): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const scenario of scenarios) {
    if (options.signal.aborted) break;
    results.push(await playScenario(scenario, stage, options));
  }
  return results;
}

/** Plays one scenario under a fresh run id. What goes wrong is in the result; only a fault of ours is an exception. */
export async function playScenario(scenario: Scenario, stage: Stage, options: PlayOptions): Promise<ScenarioResult> {
  const run = freshRun();
  const { clock, ids, timeZone } = stage;
  const began = clock.now();
  const scope = startScope(scenario.let, { run, clock, ids, timeZone });
  const transcript = openTranscript(options.transcripts, run);
  const senders = stage.openSenders();
  const { signal } = options;
  const playing = {
    scenario,
    stage,
    scope,
    watch: watchOf(scenario, scope),
    signal,
    senderOf: (actor: string) => senders.of(actor),
  };
  options.audience.begins(scenario, run);
  const played = await playSteps(playing, transcript, options);
  senders.close();
  const ending = await endOf(playing, transcript, played);
  const result = { scenario, run, began, ...ending, milliseconds: clock.now().getTime() - began.getTime() };
  options.audience.ended(result);
  return result;
}

/** Looks at what is left, and keeps it. */
async function endOf(playing: Playing, transcript: Transcript, played: readonly Played[]): Promise<Ending> {
  const { scenario, stage, watch, signal } = playing;
  scenario.cast.forEach((actor) => stage.behaviours.reset(actor));
  await Promise.all(scenario.cast.map((actor) => stage.listeners.online(actor)));
  const isWhole = played.length === scenario.steps.length;
  const end = openNotes(transcript, 'end', stage.clock);
  const unexpected = unexpectedOutcome(isWhole ? stage.mailbox.unclaimed(watch) : [], end);
  const aside = stage.mailbox.takeAside(watch).map((arrival, index) => {
    const notes = openNotes(transcript, `aside-${index + 1}`, stage.clock);
    notes.received(arrival, arrival.type.replaceAll(/[^A-Z0-9-]/g, '-'));
    return notes;
  });
  const notes = [...played.map((one) => one.notes), end, ...aside];
  notes.forEach((one) => one.finish());
  transcript.contents(notes.flatMap((one) => one.exchanges).toSorted((a, b) => a.at - b.at));
  const steps = played.map(({ step }) => step);
  const leftover = { ...unexpected, files: end.files, exchanges: end.exchanges };
  const isClean = steps.every((step) => step.passed || step.skipped !== undefined) && isPassed(leftover);
  const skipped = isClean && steps.some((step) => step.skipped !== undefined);
  const passed = isClean && !skipped && !signal.aborted;
  return { steps, leftover, aside: aside.flatMap((one) => one.exchanges), passed, skipped };
}

type Ending = Pick<ScenarioResult, 'steps' | 'leftover' | 'aside' | 'passed' | 'skipped'>;

interface Played {
  readonly step: StepResult;
  readonly notes: Notes;
}

async function playSteps(playing: Playing, transcript: Transcript, options: PlayOptions): Promise<Played[]> {
  const results: Played[] = [];
  const steps = playing.scenario.steps.slice(0, options.lastStep);
  for (const [index, step] of steps.entries()) {
    if (options.signal.aborted) break;
    const notes = openNotes(transcript, String(index + 1).padStart(2, '0'), playing.stage.clock);
    const result = await playStep(step, index + 1, { playing, notes });
    results.push({ step: result, notes });
    options.audience.played(result);
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
