import { type NResult, createDicomClient } from '../src/dicom/client.ts';
import { type Dataset, type DatasetInput, toDicomJson } from '../src/dicom/dataset.ts';
import {
  type DicomHandlers,
  type FindRow,
  type NRequest,
  type NResponse,
  startDicomServer,
} from '../src/dicom/server.ts';
import { sopClass } from '../src/dicom/status.ts';
import type { ListenerDeps, Listening } from './hl7-listener.ts';
import type { Arrival } from './mailbox.ts';
import { responseShown } from './notes.ts';
import { dicomValues } from './places.ts';
import type { CalledDicom } from './modality.ts';
import { statusText } from './wire.ts';

const limits = { associations: 50, pduBytes: 65_536, messageBytes: 4_194_304, idleMs: 60_000, artimMs: 30_000 };

/**
 * Listens for DICOM as an Image Manager: relayed MPPS (RAD-6, RAD-7) and availability queries (RAD-11) are put into
 * the mailbox and answered 0x0000, a query with what a scenario has stored. Rejects with the error of the bind.
 */
export function listenForDicom(
  actor: string,
  address: { host: string; port: number },
  deps: ListenerDeps,
): Promise<Listening> {
  return startDicomServer({
    ...address,
    calledAeTitles: 'any',
    callingAeTitles: 'any',
    sopClasses: [sopClass.verification, sopClass.modalityPerformedProcedureStep, sopClass.studyRootFind],
    limits,
    handlers: handlersOf(actor, deps),
  });
}

function handlersOf(actor: string, { mailbox, archive, clock }: ListenerDeps): DicomHandlers {
  const keep = (type: string, dataset: Dataset, sopInstanceUid?: string): Arrival => {
    const whole = sopInstanceUid === undefined ? dataset : { ...dataset, SOPInstanceUID: [sopInstanceUid] };
    const raw = Buffer.from(JSON.stringify(toDicomJson(whole)));
    const at = clock.now().getTime();
    const arrival: Arrival = { actor, protocol: 'dicom', type, at, values: dicomValues(whole), raw, dataset: whole };
    mailbox.add(arrival);
    return arrival;
  };
  const reply = (arrival: Arrival, found: readonly Dataset[] = []): void => {
    const more = arrival.type === 'C-FIND' ? { matches: found.map(toDicomJson) } : {};
    arrival.reply = {
      code: statusText(0),
      at: clock.now().getTime(),
      said: { ...responseShown({ status: 0 }), ...more },
    };
  };
  const perform = async (type: string, { dataset, sopInstanceUid }: NRequest): Promise<NResponse> => {
    reply(keep(type, dataset, sopInstanceUid));
    return { status: 0x0000 };
  };
  return {
    find: (identifier) => {
      const arrival = keep('C-FIND', identifier);
      const found = archive.find(actor, identifier);
      reply(arrival, found);
      return matches(found);
    },
    nCreate: (request) => perform('N-CREATE', request),
    nSet: (request) => perform('N-SET', request),
  };
}

async function* matches(instances: readonly Dataset[]): AsyncGenerator<FindRow, undefined> {
  for (const instance of instances) yield { status: 0xff00, dataset: instance };
}

/** RAD-49: tells the Order Filler which instances are available (PS3.4 R.3, N-CREATE). */
export function notifyAvailability(called: CalledDicom, uid: string, dataset: DatasetInput): Promise<NResult> {
  return createDicomClient(called).nCreate(sopClass.instanceAvailabilityNotification, uid, dataset);
}
