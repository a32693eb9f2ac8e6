import { type NResult, createDicomClient } from '../src/dicom/client.ts';
import { type Dataset, type DatasetInput, toDicomJson } from '../src/dicom/dataset.ts';
import {
  type DicomHandlers,
  type DicomServer,
  type FinalStatus,
  type FindRow,
  type NRequest,
  type NResponse,
  startDicomServer,
} from '../src/dicom/server.ts';
import { sopClass } from '../src/dicom/status.ts';
import { type ListenerDeps, type Listening, listeningOn, waitAtMost } from './hl7-listener.ts';
import type { Arrival, Reply } from './mailbox.ts';
import { responseShown } from './notes.ts';
import { dicomValues } from './places.ts';
import type { CalledDicom } from './modality.ts';
import { statusText } from './wire.ts';

const limits = { associations: 50, pduBytes: 65_536, messageBytes: 4_194_304, idleMs: 60_000, artimMs: 30_000 };

/**
 * Listens for DICOM as an Image Manager: relayed MPPS (RAD-6, RAD-7) and availability queries (RAD-11) are put into
 * the mailbox and answered 0x0000, a query with what a scenario has stored, unless a scenario wants it otherwise.
 * Rejects with the error of the bind.
 */
export async function listenForDicom(
  actor: string,
  address: { host: string; port: number },
  deps: ListenerDeps,
): Promise<Listening> {
  const stopping = new AbortController();
  const door = { actor, signal: stopping.signal, drop: (): void => server.dropConnections() };
  const server: DicomServer = await startDicomServer({
    ...address,
    calledAeTitles: 'any',
    callingAeTitles: 'any',
    sopClasses: [sopClass.verification, sopClass.modalityPerformedProcedureStep, sopClass.studyRootFind],
    limits,
    handlers: handlersOf(door, deps),
  });
  return listeningOn(server, stopping);
}

interface Door {
  readonly actor: string;
  /** Aborted when the actor stops. */
  readonly signal: AbortSignal;
  readonly drop: () => void;
}

function handlersOf(door: Door, deps: ListenerDeps): DicomHandlers {
  const { mailbox, archive, clock } = deps;
  const keep = (type: string, dataset: Dataset, sopInstanceUid?: string): Arrival => {
    const whole = sopInstanceUid === undefined ? dataset : { ...dataset, SOPInstanceUID: [sopInstanceUid] };
    const raw = Buffer.from(JSON.stringify(toDicomJson(whole)));
    const own = { actor: door.actor, protocol: 'dicom', type, at: clock.now().getTime() } as const;
    const arrival: Arrival = { ...own, values: dicomValues(whole), raw, dataset: whole };
    mailbox.add(arrival);
    return arrival;
  };
  const answer = async (arrival: Arrival, found: readonly Dataset[]): Promise<Answering> => {
    const behaviour = deps.behaviours.next(arrival);
    if (behaviour.how === 'late') await waitAtMost(behaviour.milliseconds, door.signal);
    if (behaviour.how === 'lost') {
      door.drop();
      return { status: 0x0000, found: [] };
    }
    const given = behaviour.how === 'status' ? { status: behaviour.status, found: [] } : { status: 0x0000, found };
    arrival.reply = replyOf(arrival, given, clock.now().getTime());
    return given;
  };
  const perform = async (type: string, { dataset, sopInstanceUid }: NRequest): Promise<NResponse> => {
    const { status } = await answer(keep(type, dataset, sopInstanceUid), []);
    return { status };
  };
  return {
    find: (identifier) => matches(answer(keep('C-FIND', identifier), archive.find(door.actor, identifier))),
    nCreate: (request) => perform('N-CREATE', request),
    nSet: (request) => perform('N-SET', request),
  };
}

interface Answering {
  readonly status: number;
  readonly found: readonly Dataset[];
}

function replyOf({ type }: Arrival, { status, found }: Answering, at: number): Reply {
  const more = type === 'C-FIND' ? { matches: found.map(toDicomJson) } : {};
  return { code: statusText(status), at, said: { ...responseShown({ status }), ...more } };
}

async function* matches(answering: Promise<Answering>): AsyncGenerator<FindRow, FinalStatus> {
  const { status, found } = await answering;
  for (const instance of found) yield { status: 0xff00, dataset: instance };
  return { status };
}

/** RAD-49: tells the Order Filler which instances are available (PS3.4 R.3, N-CREATE). */
export function notifyAvailability(called: CalledDicom, uid: string, dataset: DatasetInput): Promise<NResult> {
  return createDicomClient(called).nCreate(sopClass.instanceAvailabilityNotification, uid, dataset);
}
