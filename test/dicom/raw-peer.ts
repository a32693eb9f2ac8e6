import { once } from 'node:events';
import { connect } from 'node:net';
import { IMPLICIT_VR_LITTLE_ENDIAN } from '../../src/dicom/codec.ts';
import type { DatasetInput } from '../../src/dicom/dataset.ts';
import { createAssembler, encodeCommand, encodeMessage } from '../../src/dicom/dimse.ts';
import type { DimseMessage } from '../../src/dicom/dimse.ts';
import { encodeAssociateRequest, pduType } from '../../src/dicom/pdu.ts';
import { createPduReader } from '../../src/dicom/pdu-reader.ts';
import { sopClass } from '../../src/dicom/status.ts';

const ITEM_PATIENCE_MS = 5_000;

export interface RawPeer {
  write(...bytes: Buffer[]): void;
  /** The next PDU; `closed` at the end of the connection. */
  next(): Promise<{ type: number | 'closed'; body: Buffer }>;
  /** The next DIMSE message, and the longest P-DATA-TF that brought it. */
  message(): Promise<DimseMessage & { longest: number }>;
  /** Stops reading. */
  pause(): void;
  /** Goes on reading. */
  resume(): void;
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
    message: async () => {
      const whole: DimseMessage[] = [];
      let longest = 0;
      const assembler = createAssembler({
        isAccepted: () => true,
        maxMessageBytes: 1_048_576,
        onMessage: (message) => void whole.push(message),
      });
      for (;;) {
        const { type, body } = await next();
        if (type !== pduType.data) throw new Error(`PDU ${type} in place of a message`);
        longest = Math.max(longest, body.length);
        assembler.push(body);
        if (whole[0]) return { ...whole[0], longest };
      }
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.destroy(),
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
