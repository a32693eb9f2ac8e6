import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NResult } from '../src/dicom/client.ts';
import type { Dataset } from '../src/dicom/dataset.ts';
import { readAck } from '../src/hl7/ack.ts';
import { type Hl7Message, parseMessage } from '../src/hl7/message.ts';
import { type Checks, type Mismatch, expandChecks, mismatch, mismatches } from './checks.ts';
import { renderDataset } from './dataset-file.ts';
import { renderMessage } from './hl7-file.ts';
import { notifyAvailability } from './image-manager.ts';
import type { Arrival, Watch } from './mailbox.ts';
import { type CalledDicom, createMpps, findWorklist, setMpps } from './modality.ts';
import { dicomValueAt } from './places.ts';
import type { DatasetText, Scenario, Step, StepOf, Verb } from './scenario.ts';
import type { Stage } from './stage.ts';
import { type Scope, expand } from './template.ts';
import type { Transcript } from './transcript.ts';

/** One playing of one scenario. */
export interface Playing {
  readonly scenario: Scenario;
  readonly stage: Stage;
  readonly scope: Scope;
  readonly transcript: Transcript;
  /** What an unclaimed arrival must be to fail this playing. */
  readonly watch: Watch;
  readonly signal: AbortSignal;
}

/** What came of a step; it passed when nothing mismatched and there is no problem. */
export interface Outcome {
  readonly mismatches: readonly Mismatch[];
  /** Sentences for a person. */
  readonly problems: readonly string[];
  /** The messages and datasets of the step, in the transcript. */
  readonly files: readonly string[];
}

type Performer<V extends Verb> = (step: StepOf<V>, playing: Playing, prefix: string) => Promise<Outcome>;
type ValueAt = (place: string) => string | null | undefined;

const performers: { readonly [V in Verb]: Performer<V> } = {
  send,
  receive,
  find,
  create: (step, playing, prefix) => {
    const uid = step.uid === undefined ? undefined : expand(step.uid, playing.scope.forOneMessage());
    const call: Telling['call'] = (called, dataset) => createMpps(called, uid, dataset);
    return tell(playing, { ...step, source: step.create, name: `${prefix}-${step.from}-create`, call });
  },
  set: (step, playing, prefix) => {
    const uid = expand(step.uid, playing.scope.forOneMessage());
    const call: Telling['call'] = (called, dataset) => setMpps(called, uid, dataset);
    return tell(playing, { ...step, source: step.set, name: `${prefix}-${step.from}-set`, call });
  },
  store: async (step, { scenario, stage, scope, transcript }, prefix) => {
    const dataset = renderDataset(step.store, scenario.folder, scope);
    stage.archive.store(step.to, dataset);
    return { ...nothingWrong, files: [transcript.dicom(`${prefix}-${step.to}-stored`, dataset)] };
  },
  notify: (step, playing, prefix) => {
    const uid = playing.stage.ids.uid();
    const call: Telling['call'] = (called, dataset) => notifyAvailability(called, uid, dataset);
    return tell(playing, { ...step, source: step.notify, name: `${prefix}-${step.from}-notify`, call });
  },
  offline: async (step, { stage }) => {
    await stage.listeners.offline(step.offline);
    return nothingWrong;
  },
  online: async (step, { stage }) => {
    await stage.listeners.online(step.online);
    return nothingWrong;
  },
  quiet: async (step, { stage, watch, signal, transcript }, prefix) => {
    const unexpected = await stage.mailbox.quiet(watch, step.quiet, signal);
    return unexpectedOutcome(unexpected, transcript, prefix);
  },
};

const nothingWrong: Outcome = { mismatches: [], problems: [], files: [] };

const broken = (problem: string, ...files: string[]): Outcome => ({ mismatches: [], problems: [problem], files });

/** Does one step. Rejects with UnknownName when a name has no value yet; what the Order Filler does wrong is an outcome. */
export function perform(step: Step, playing: Playing, prefix: string): Promise<Outcome> {
  const performer = performers[step.verb] as Performer<Verb>;
  return performer(step, playing, prefix);
}

async function send(step: StepOf<'send'>, playing: Playing, prefix: string): Promise<Outcome> {
  const { scenario, stage, scope, transcript } = playing;
  const text = readFileSync(resolve(scenario.folder, step.send), 'utf8');
  const parties = { sender: stage.identityOf(step.from), receiver: stage.orderFillerIdentity };
  const message = renderMessage(text, scope, parties);
  const sent = transcript.hl7(`${prefix}-${step.from}-sent`, message.bytes);
  const answer = await stage.senderOf(step.from).send(message.bytes, scenario.within);
  const files = [sent, transcript.hl7(`${prefix}-${step.from}-answer`, answer)];
  const ack = readAck(answer);
  if (!ack) return broken('the answer is no acknowledgement: it has no MSA', ...files);
  if (ack.controlId !== message.controlId) {
    return { mismatches: [anotherMessage(message.controlId, ack.controlId)], problems: [], files };
  }
  const valueAt: ValueAt = (place) => parseMessage(answer).get(place);
  const found = expectAndCapture(step.ack, step.capture, { scope, valueAt });
  const said = found.length > 0 && ack.text !== undefined ? [`the answer says: ${ack.text}`] : [];
  return { mismatches: found, problems: said, files };
}

const anotherMessage = (expected: string, received: string): Mismatch => ({
  place: 'MSA-2',
  expected: `${expected} (the control id of the message)`,
  received: received || '(empty)',
});

interface Looking {
  readonly scope: Scope;
  readonly valueAt: ValueAt;
}

/** The checks that do not hold, and the captures that found nothing. */
function expectAndCapture(
  checks: Checks = {},
  capture: Readonly<Record<string, string>> = {},
  { scope, valueAt }: Looking,
): Mismatch[] {
  const wrong = mismatches(expandChecks(checks, scope.forOneMessage()), valueAt);
  for (const [name, place] of Object.entries(capture)) {
    const value = valueAt(place);
    if (value) scope.capture(name, value);
    else wrong.push(...[mismatch(place, '*', value)].filter((one) => one !== undefined));
  }
  return wrong;
}

async function receive(step: StepOf<'receive'>, playing: Playing, prefix: string): Promise<Outcome> {
  const { scenario, stage, scope, transcript, signal } = playing;
  const within = step.within ?? scenario.within;
  const wanted = { actor: step.to, type: step.receive, identifiers: () => scope.identifiers() };
  const arrival = await stage.mailbox.claim(wanted, within, signal);
  if (!arrival) return broken(notArrived(step, playing, within));
  const file = keep(arrival, transcript, `${prefix}-${step.to}-received`);
  const valueAt = readerOf(arrival);
  if (!valueAt) return broken('the message cannot be read as HL7', file);
  const found = expectAndCapture(step.expect, step.capture, { scope, valueAt });
  return { mismatches: found, problems: [], files: [file] };
}

function readerOf({ message, dataset }: Arrival): ValueAt | undefined {
  const hl7: Hl7Message | undefined = message;
  if (hl7) return (place) => hl7.get(place);
  return dataset && ((place) => dicomValueAt(dataset, place));
}

/** Says what is there instead: the reason is often a wrong type, or an identifier that was not copied. */
function notArrived({ to, receive: type }: StepOf<'receive'>, playing: Playing, within: number): string {
  if (playing.signal.aborted) return 'stopped';
  const here = playing.stage.mailbox.backlog().filter((arrival) => arrival.actor === to);
  const ours = new Set(playing.stage.mailbox.unclaimed({ ...playing.watch, counts: (one) => one.actor === to }));
  const say = (arrivals: readonly Arrival[], what: string): string => {
    const types = [...new Set(arrivals.map((arrival) => arrival.type))].join(', ');
    return arrivals.length === 0 ? '' : `; ${arrivals.length} ${what} (${types})`;
  };
  const others = here.filter((arrival) => !ours.has(arrival));
  return (
    `no ${type} came to ${to} within ${within} ms` +
    say([...ours], 'of this run came instead') +
    say(others, 'came without an identifier of this run')
  );
}

async function find(step: StepOf<'find'>, playing: Playing, prefix: string): Promise<Outcome> {
  const { scenario, stage, scope, transcript } = playing;
  const keys = renderDataset(step.find, scenario.folder, scope);
  const asked = transcript.dicom(`${prefix}-${step.from}-query`, keys);
  const { status, datasets } = await findWorklist(stage.calledBy(step.from, scenario.within), keys);
  const answers = datasets.map((one, index) => transcript.dicom(`${prefix}-${step.from}-match-${index + 1}`, one));
  const wrong = wrongStatus('0000', status);
  if (step.matches !== undefined && datasets.length !== step.matches) {
    wrong.push({ place: 'matches', expected: String(step.matches), received: String(datasets.length) });
  }
  const [first] = datasets;
  if (first) wrong.push(...expectAndCapture(step.expect, step.capture, { scope, valueAt: readerAt(first) }));
  const missing = !first && (step.expect ?? step.capture) ? ['there is no match to look at'] : [];
  return { mismatches: wrong, problems: missing, files: [asked, ...answers] };
}

const readerAt =
  (dataset: Dataset): ValueAt =>
  (place) =>
    dicomValueAt(dataset, place);

function wrongStatus(expected: string | undefined, received: number): Mismatch[] {
  const shown = received.toString(16).toUpperCase().padStart(4, '0');
  if (expected === undefined || expected.toUpperCase() === shown) return [];
  return [{ place: 'status', expected: expected.toUpperCase(), received: shown }];
}

interface Telling {
  readonly from: string;
  readonly source: DatasetText | string;
  readonly status?: string | undefined;
  /** The name of its transcript file. */
  readonly name: string;
  readonly call: (called: CalledDicom, dataset: Dataset) => Promise<NResult>;
}

/** N-CREATE or N-SET of a dataset. */
async function tell(playing: Playing, { from, source, status, name, call }: Telling): Promise<Outcome> {
  const { scenario, stage, scope, transcript } = playing;
  const dataset = renderDataset(source, scenario.folder, scope);
  const file = transcript.dicom(name, dataset);
  const result = await call(stage.calledBy(from, scenario.within), dataset);
  const wrong = wrongStatus(status, result.status);
  const said = wrong.length > 0 && result.comment !== undefined ? [`the answer says: ${result.comment}`] : [];
  return { mismatches: wrong, problems: said, files: [file] };
}

/** Keeps what was set aside: it came while the scenario was played, and no step asked for it. */
export function keepAside(arrivals: readonly Arrival[], transcript: Transcript): void {
  arrivals.forEach((arrival, index) => {
    const type = arrival.type.replaceAll(/[^A-Z0-9-]/g, '-');
    keep(arrival, transcript, `aside-${index + 1}-${arrival.actor}-${type}`);
  });
}

function keep(arrival: Arrival, transcript: Transcript, name: string): string {
  return arrival.dataset ? transcript.dicom(name, arrival.dataset) : transcript.hl7(name, arrival.raw);
}

/** What nobody expected: a message each, with its file. */
export function unexpectedOutcome(arrivals: readonly Arrival[], transcript: Transcript, prefix: string): Outcome {
  const files = arrivals.map((arrival, index) =>
    keep(arrival, transcript, `${prefix}-${arrival.actor}-unexpected-${index + 1}`),
  );
  return { mismatches: [], problems: arrivals.map(({ type, actor }) => `nobody expected ${type} at ${actor}`), files };
}
