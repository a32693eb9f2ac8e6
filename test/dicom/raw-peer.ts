import { once } from 'node:events';
import { connect } from 'node:net';
import { decodeDataset, IMPLICIT_VR_LITTLE_ENDIAN } from '../../src/dicom/codec.ts';
import type { Dataset, DatasetInput } from '../../src/dicom/dataset.ts';
import { encodeCommand, encodeMessage } from '../../src/dicom/dimse.ts';
import { encodeAssociateRequest } from '../../src/dicom/pdu.ts';
import { createPduReader } from '../../src/dicom/pdu-reader.ts';
import { sopClass } from '../../src/dicom/status.ts';

const ITEM_PATIENCE_MS = 5_000;

export interface RawPeer {
  write(...bytes: Buffer[]): void;
  /** The next PDU as `type:first body bytes`, `closed` at the end of the connection. */
  next(): Promise<{ type: number | 'closed'; body: Buffer }>;
  /** The next command set. */
  command(): Promise<Dataset>;
  end(): void;
}

/** A peer that sends what the test wants, well-formed or not, and shows what came back. */
export async function rawPeer(port: number): Promise<RawPeer> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const arrived: { type: number | 'closed'; body: Buffer }[] = [];
  let wake = (): void => {};
  const put = (pdu: { type: number | 'closed'; body: Buffer }): void => {
    arrived.push(pdu);
    wake();
  };
  const reader = createPduReader({
    maxPduLength: 1_048_576,
    onPdu: (type, body) => put({ type, body: Buffer.from(body) }),
    onViolation: () => socket.destroy(),
  });
  socket.on('data', (chunk) => reader.push(chunk));
  socket.on('error', () => {});
  socket.on('close', () => put({ type: 'closed', body: Buffer.alloc(0) }));
  await once(socket, 'connect');
  const next: RawPeer['next'] = async () => {
    if (arrived.length === 0) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('nothing came')), ITEM_PATIENCE_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return arrived.shift() ?? { type: 'closed', body: Buffer.alloc(0) };
  };
  return {
    write: (...bytes) => void socket.write(Buffer.concat(bytes)),
    next,
    command: async () => {
      const { body } = await next();
      return decodeDataset(body.subarray(6), IMPLICIT_VR_LITTLE_ENDIAN);
    },
    end: () => socket.destroy(),
  };
}

export interface RequestChange {
  readonly called?: string;
  readonly calling?: string;
  readonly maxPduLength?: number;
  readonly contexts?: readonly { id: number; abstractSyntax: string; transferSyntaxes: readonly string[] }[];
}

/** A-ASSOCIATE-RQ with one worklist context (1) and one for Verification (3), or others. */
export function associateRequest(change: RequestChange = {}): Buffer {
  const transferSyntaxes = [IMPLICIT_VR_LITTLE_ENDIAN];
  return encodeAssociateRequest({
    calledAeTitle: change.called ?? 'DSS',
    callingAeTitle: change.calling ?? 'CT1',
    maxPduLength: change.maxPduLength ?? 16_384,
    contexts: change.contexts ?? [
      { id: 1, abstractSyntax: sopClass.modalityWorklistFind, transferSyntaxes },
      { id: 3, abstractSyntax: sopClass.verification, transferSyntaxes },
      { id: 5, abstractSyntax: sopClass.modalityPerformedProcedureStep, transferSyntaxes },
    ],
  });
}

export const echoCommand = (messageId: number): Buffer =>
  encodeCommand({
    AffectedSOPClassUID: sopClass.verification,
    CommandField: 0x30,
    MessageID: messageId,
    CommandDataSetType: 0x0101,
  });

export const echo = (messageId: number, contextId = 3): Buffer => encodeMessage(contextId, [echoCommand(messageId)], 0);

/** A message with any command, and a data set when one is given. */
export const message = (contextId: number, command: DatasetInput, dataset?: Buffer): Buffer =>
  encodeMessage(contextId, [encodeCommand({ CommandDataSetType: dataset ? 1 : 0x0101, ...command }), dataset], 0);
