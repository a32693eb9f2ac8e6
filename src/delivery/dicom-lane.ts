import { type DicomClient, type NResult, createDicomClient } from '../dicom/client.ts';
import { sopClass } from '../dicom/status.ts';
import { SwfError } from '../platform/errors.ts';
import type { PendingDelivery } from '../store/outbox.ts';
import { type Department, laneName } from '../transactions/department.ts';
import { type Called, callTo } from './dicom-call.ts';
import type { Carried, Carrier } from './lane.ts';
import { verdictOfStatus } from './retry.ts';

/** MPPS to an image manager by DICOM, an association for each request. */
export function carryByDicom(department: Department, called: Called): Carrier {
  let calls = new AbortController();
  return {
    lane: laneName(called.peer.name, 'DICOM'),
    carry: (delivery) => {
      const client = createDicomClient(callTo(department.config, called, calls.signal));
      return carried(delivery, () => operate(client, delivery));
    },
    close: () => {
      calls.abort();
      calls = new AbortController();
    },
  };
}

const sopClassUid = sopClass.modalityPerformedProcedureStep;

function operate(client: DicomClient, delivery: PendingDelivery): Promise<NResult> {
  const { messageType, controlId, raw, transferSyntaxUid = '' } = delivery;
  const content = { raw, transferSyntaxUid };
  if (messageType === 'N-CREATE') return client.nCreate(sopClassUid, controlId, content);
  return client.nSet(sopClassUid, controlId, content);
}

async function carried(delivery: PendingDelivery, send: () => Promise<NResult>): Promise<Carried> {
  try {
    const { status, errorId } = await send();
    const { messageType, attempted: resent } = delivery;
    return { verdict: verdictOfStatus(status, { messageType, resent, errorId }) };
  } catch (error) {
    if (!(error instanceof SwfError)) throw error;
    if (error.code === 'no-acknowledgement') return { verdict: { kind: 'again', error: error.message } };
    // It cannot be written in any transfer syntax that the peer takes: the same bytes would fail for ever.
    return { verdict: { kind: 'refused', code: '', error: `${error.code}: ${error.message}` } };
  }
}
