import { createDicomClient } from '../src/dicom/client.ts';
import { type Dataset, type DatasetInput, toDicomJson } from '../src/dicom/dataset.ts';
import { type DicomHandlers, startDicomServer } from '../src/dicom/server.ts';
import type { ListenerDeps, Listening } from './hl7-listener.ts';
import { dicomValues } from './places.ts';
import type { CalledDicom } from './modality.ts';

/** Instance Availability Notification SOP class (PS3.4 R). */
const instanceAvailabilityNotification = '1.2.840.10008.5.1.4.33';

const limits = { associations: 50, pduBytes: 65_536, messageBytes: 4_194_304, idleMs: 60_000, artimMs: 30_000 };

/**
 * Listens for DICOM as an Image Manager: relayed MPPS (RAD-6, RAD-7) and availability queries (RAD-11) are put into
 * the mailbox and answered 0x0000, a query with no match. Rejects with the error of the bind.
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
    limits,
    handlers: handlersOf(actor, deps),
  });
}

function handlersOf(actor: string, { mailbox }: ListenerDeps): DicomHandlers {
  const keep = (type: string, dataset: Dataset, sopInstanceUid?: string): void => {
    const whole = sopInstanceUid === undefined ? dataset : { ...dataset, SOPInstanceUID: [sopInstanceUid] };
    const raw = Buffer.from(JSON.stringify(toDicomJson(whole)));
    mailbox.add({ actor, protocol: 'dicom', type, values: dicomValues(whole), raw, dataset: whole });
  };
  return {
    async *find(identifier) {
      keep('C-FIND', identifier);
    },
    nCreate: async ({ dataset, sopInstanceUid }) => {
      keep('N-CREATE', dataset, sopInstanceUid);
      return { status: 0x0000 };
    },
    nSet: async ({ dataset, sopInstanceUid }) => {
      keep('N-SET', dataset, sopInstanceUid);
      return { status: 0x0000 };
    },
  };
}

/** RAD-49: tells the Order Filler which instances are available (PS3.4 R.3, N-CREATE); returns the DIMSE status. */
export async function notifyAvailability(called: CalledDicom, uid: string, dataset: DatasetInput): Promise<number> {
  const result = await createDicomClient(called).nCreate(instanceAvailabilityNotification, uid, dataset);
  return result.status;
}
