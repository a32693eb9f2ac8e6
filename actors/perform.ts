import type { Hl7Message } from '../src/hl7/message.ts';
import { renderDataset } from './dataset-file.ts';
import { notifyAvailability } from './image-manager.ts';
import type { Arrival } from './mailbox.ts';
import { createMpps, getMpps, setMpps } from './modality.ts';
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
import { echo, find, tell } from './perform-dicom.ts';
import { send } from './perform-send.ts';
import { doAsStaff, toOrderFiller } from './perform-staff.ts';
import { dicomValueAt } from './places.ts';
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
    return tell(playing, notes, step, { ...own, call: (called, dataset) => createMpps(called, uid, dataset) });
  },
  set: (step, playing, notes) => {
    const uid = expand(step.uid, playing.scope.forOneMessage());
    const own = { source: step.set, name: 'set', type: 'N-SET', uid } as const;
    return tell(playing, notes, step, { ...own, call: (called, dataset) => setMpps(called, uid, dataset) });
  },
  get: (step, playing, notes) => {
    const uid = expand(step.uid, playing.scope.forOneMessage());
    const own = { source: {}, name: 'get', type: 'N-GET', uid } as const;
    return tell(playing, notes, step, { ...own, call: (called) => getMpps(called, uid, step.get) });
  },
  echo,
  store: async (step, { scenario, stage, scope }, notes) => {
    const dataset = renderDataset(step.store, scenario.folder, scope);
    stage.archive.store(step.to, dataset);
    notes.dicom(`${step.to}-stored`, dataset);
    return nothingWrong;
  },
  notify: (step, playing, notes) => {
    const uid = expand('${uid}', playing.scope.forOneMessage());
    const own = { source: step.notify, name: 'notify', type: 'N-CREATE', uid } as const;
    return tell(playing, notes, step, { ...own, call: (called, dataset) => notifyAvailability(called, uid, dataset) });
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
  killed: async (step, playing) => {
    if (step.killed === 'OF') return toOrderFiller('kill', playing);
    await playing.stage.listeners.kill(step.killed);
    return nothingWrong;
  },
  online: async (step, playing) => {
    if (step.online === 'OF') return toOrderFiller('start', playing);
    await playing.stage.listeners.online(step.online);
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
