import {
  encodeDataset,
  decodeDataset,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from '../../src/dicom/codec.ts';
import { type Dataset, type DatasetInput, dataset, text, texts } from '../../src/dicom/dataset.ts';
import { commandNumber, encodeMessage } from '../../src/dicom/dimse.ts';
import { commandField, sopClass } from '../../src/dicom/status.ts';
import { associateRequest, rawPeer } from '../dicom/raw-peer.ts';

/** A response with everything that its command says. */
export interface Said {
  readonly status: number;
  readonly sopInstanceUid: string | undefined;
  readonly comment: string | undefined;
  readonly errorId: number | undefined;
  /** (0000,1005), tags of eight hexadecimal digits. */
  readonly attributes: readonly string[];
  readonly dataset: Dataset | undefined;
  /** The bytes of the data set. */
  readonly raw: Buffer | undefined;
}

/** What is sent: a data set, or bytes as they are. */
type Content = DatasetInput | Buffer;

/** A modality on one association that shows its responses whole. */
export interface DimsePeer {
  create(sopInstanceUid: string | undefined, content: Content): Promise<Said>;
  set(sopInstanceUid: string | undefined, content: Content): Promise<Said>;
  get(sopInstanceUid: string | undefined, tags?: readonly string[], sopClassUid?: string): Promise<Said>;
  /** Any request: its command, and the context that it goes on (1 MPPS, 3 its retrieval, 5 notification). */
  request(contextId: number, command: DatasetInput, content?: Content): Promise<Said>;
  end(): void;
}

const CONTEXTS = {
  1: sopClass.modalityPerformedProcedureStep,
  3: sopClass.modalityPerformedProcedureStepRetrieve,
} as const;

/** A command set, also one that a good modality would not send. */
function encodeAnyCommand(elements: DatasetInput): Buffer {
  const options = { asReceived: true };
  const body = encodeDataset(dataset(elements), IMPLICIT_VR_LITTLE_ENDIAN, options);
  return Buffer.concat([
    encodeDataset({ CommandGroupLength: [body.length] }, IMPLICIT_VR_LITTLE_ENDIAN, options),
    body,
  ]);
}

/** Associates with the server as DX1, with one transfer syntax. */
export async function dimsePeer(port: number, transferSyntax = IMPLICIT_VR_LITTLE_ENDIAN): Promise<DimsePeer> {
  const peer = await rawPeer(port);
  const contexts = Object.entries({ ...CONTEXTS, 5: sopClass.instanceAvailabilityNotification });
  peer.write(
    associateRequest({
      called: 'SWF_OF',
      calling: 'DX1',
      contexts: contexts.map(([id, abstractSyntax]) => ({
        id: Number(id),
        abstractSyntax,
        transferSyntaxes: [transferSyntax],
      })),
    }),
  );
  await peer.next();
  let messageId = 0;
  const request: DimsePeer['request'] = async (contextId, command, content) => {
    messageId += 1;
    const bytes = content && (Buffer.isBuffer(content) ? content : encodeDataset(dataset(content), transferSyntax));
    const elements = { MessageID: messageId, CommandDataSetType: bytes ? 1 : 0x0101, ...command };
    peer.write(encodeMessage(contextId, [encodeAnyCommand(elements), bytes], 0));
    const answer = await peer.message();
    return {
      status: commandNumber(answer.command, 'Status') ?? -1,
      sopInstanceUid: text(answer.command, 'AffectedSOPInstanceUID'),
      comment: text(answer.command, 'ErrorComment'),
      errorId: commandNumber(answer.command, 'ErrorID'),
      attributes: texts(answer.command, 'AttributeIdentifierList'),
      dataset: answer.dataset && decodeDataset(answer.dataset, transferSyntax),
      raw: answer.dataset,
    };
  };
  const { nCreate, nSet, nGet } = commandField;
  return {
    request,
    create: (uid, content) =>
      request(1, { AffectedSOPClassUID: CONTEXTS[1], AffectedSOPInstanceUID: uid, CommandField: nCreate }, content),
    set: (uid, content) =>
      request(1, { RequestedSOPClassUID: CONTEXTS[1], RequestedSOPInstanceUID: uid, CommandField: nSet }, content),
    get: (uid, tags, sopClassUid = CONTEXTS[3]) =>
      request(3, {
        RequestedSOPClassUID: sopClassUid,
        RequestedSOPInstanceUID: uid,
        CommandField: nGet,
        AttributeIdentifierList: tags,
      }),
    end: () => peer.end(),
  };
}

export { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN };
