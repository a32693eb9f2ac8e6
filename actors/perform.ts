import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readAck } from '../src/hl7/ack.ts';
import { type Hl7Message, parseMessage } from '../src/hl7/message.ts';
import { verdict } from './checks.ts';
import { renderDataset } from './dataset-file.ts';
import { type RenderedMessage, renderMessage } from './hl7-file.ts';
import { notifyAvailability } from './image-manager.ts';
import type { Arrival } from './mailbox.ts';
import { createMpps, setMpps } from './modality.ts';
import type { Notes } from './notes.ts';
import {
  type Outcome,
  type Playing,
  type ValueAt,
  broken,
  expectAndCapture,
  judged,
  nothingWrong,
  unexpectedOutcome,
} from './outcome.ts';
import { find, tell } from './perform-dicom.ts';
import { doAsStaff } from './perform-staff.ts';
import { dicomValueAt } from './places.ts';
import { sendSplit } from './split-sender.ts';
import type { Step, StepOf, Verb } from './scenario.ts';
import { expand } from './template.ts';

type Performer<V extends Verb> = (step: StepOf<V>, playing: Playing, notes: Notes) => Promise<Outcome>;

const performers: { readonly [V in Verb]: Performer<V> } = {
  send,
  receive,
  find,
  create: (step, playing, notes) => {
    const uid = step.uid === undefined ? undefined : expand(step.uid, playing.scope.forOneMessage());
    const own = { source: step.create, name: 'create', type: 'N-CREATE', uid } as const;
    return tell(playing, notes, { ...step, ...own, call: (called, _, dataset) => createMpps(called, uid, dataset) });
  },
  set: (step, playing, notes) => {
    const uid = expand(step.uid, playing.scope.forOneMessage());
    return tell(playing, notes, { ...step, source: step.set, name: 'set', type: 'N-SET', uid, call: setMpps });
  },
  store: async (step, { scenario, stage, scope }, notes) => {
    const dataset = renderDataset(step.store, scenario.folder, scope);
    stage.archive.store(step.to, dataset);
    notes.dicom(`${step.to}-stored`, dataset);
    return nothingWrong;
  },
  notify: (step, playing, notes) => {
    const own = {
      source: step.notify,
      name: 'notify',
      type: 'N-CREATE',
      uid: expand('${uid}', playing.scope.forOneMessage()),
    } as const;
    return tell(playing, notes, { ...step, ...own, call: notifyAvailability });
  },
  do: doAsStaff,
  answers: async (step, { stage, watch: { isOurs } }) => {
    for (const [actor, behaviour] of Object.entries(step.answers)) stage.behaviours.set(actor, behaviour, isOurs);
    return nothingWrong;
  },
  offline: async (step, { stage }) => {
    await stage.listeners.offline(step.offline);
    return nothingWrong;
  },
  killed: async (step, { stage }) => {
    await stage.listeners.kill(step.killed);
    return nothingWrong;
  },
  online: async (step, { stage }) => {
    await stage.listeners.online(step.online);
    return nothingWrong;
  },
  quiet: async (step, { stage, watch, signal }, notes) => {
    const unexpected = await stage.mailbox.quiet(watch, step.quiet, signal);
    stage.mailbox.discard(unexpected);
    return unexpectedOutcome(unexpected, notes);
  },
};

/** Does one step. Rejects with UnknownName when a name has no value yet; what the Order Filler does wrong is an outcome. */
export function perform(step: Step, playing: Playing, notes: Notes): Promise<Outcome> {
  const performer = performers[step.verb] as Performer<Verb>;
  return performer(step, playing, notes);
}

async function send(step: StepOf<'send'>, playing: Playing, notes: Notes): Promise<Outcome> {
  const { scenario, stage, scope } = playing;
  const text = readFileSync(resolve(scenario.folder, step.send), 'utf8');
  const parties = { sender: stage.identityOf(step.from), receiver: stage.orderFillerIdentity };
  const message = renderMessage(text, scope, parties);
  const first = await sendOnce(step, message, { playing, notes, time: '' });
  if (!step.twice || first.problems.length > 0) return first;
  // The same bytes once more, as after an acknowledgement that was lost (HL7 v2.5.1 2.9.2.1).
  const second = await sendOnce(step, message, { playing, notes, time: '-again' });
  const told = second.verdicts.map((one) => ({ ...one, place: `${one.place} again` }));
  return { verdicts: [...first.verdicts, ...told], problems: second.problems };
}

async function sendOnce(
  { from, split, ack: expect, capture }: StepOf<'send'>,
  message: RenderedMessage,
  { playing, notes, time }: { playing: Playing; notes: Notes; time: string },
): Promise<Outcome> {
  const { scenario, stage, scope } = playing;
  const { hl7 } = stage.orderFiller;
  const file = notes.hl7(`${from}-sent${time}`, message.bytes);
  const exchange = notes.sent({ from, to: 'OF', protocol: 'hl7', type: message.type, file });
  const answer = split
    ? await sendSplit({ ...hl7, timeoutMs: scenario.within }, message.bytes, split)
    : await playing.senderOf(from).send(message.bytes, scenario.within);
  const ack = readAck(answer);
  notes.answered(exchange, ack?.code ?? '?', notes.hl7(`${from}-answer${time}`, answer));
  if (!ack) return broken('the answer is no acknowledgement: it has no MSA');
  const ours = verdict('MSA-2', message.controlId, ack.controlId);
  if (!ours.holds) {
    return judged([{ ...ours, expected: `${ours.expected} (the control id of the message)` }], undefined);
  }
  const valueAt: ValueAt = (place) => parseMessage(answer).get(place);
  return judged(expectAndCapture({ expect, capture }, { scope, valueAt }), ack.text);
}

async function receive(step: StepOf<'receive'>, playing: Playing, notes: Notes): Promise<Outcome> {
  const { scenario, stage, scope, signal } = playing;
  const within = step.within ?? scenario.within;
  const wanted = { actor: step.to, type: step.receive, isOurs: playing.watch.isOurs };
  const arrival = await stage.mailbox.claim(wanted, within, signal);
  if (!arrival) return broken(notArrived(step, playing, within));
  notes.received(arrival, 'received');
  const valueAt = readerOf(arrival);
  if (!valueAt) return broken('the message cannot be read as HL7');
  return judged(expectAndCapture(step, { scope, valueAt }), undefined);
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
