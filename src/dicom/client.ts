import { SwfError } from '../platform/errors.ts';
import { noResponse, openAssociation } from './client-association.ts';
import type { ClientAssociation, DicomPeer } from './client-association.ts';
import { decodeDataset } from './decode.ts';
import { dataset, text, texts } from './dataset.ts';
import type { Dataset, DatasetInput } from './dataset.ts';
import { commandNumber, encodeCommand } from './dimse.ts';
import type { DimseMessage } from './dimse.ts';
import { encodeDataset } from './encode.ts';
import { commandField, dimseStatus, NO_DATASET, RESPONSE, sopClass } from './status.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES } from './vr.ts';

export { AssociationRejected } from './client-association.ts';
export type { DicomClientTls, DicomPeer } from './client-association.ts';

/** Bytes of a data set that are to be sent as they are, when the peer accepts their transfer syntax; none: no data set. */
export interface EncodedDataset {
  readonly raw: Uint8Array;
  readonly transferSyntaxUid: string;
}

export type Content = Dataset | DatasetInput | EncodedDataset;

/** Response to N-CREATE, N-SET or N-GET (PS3.7 10.1). */
export interface NResult {
  readonly status: number;
  readonly sopInstanceUid?: string;
  readonly comment?: string;
  /** (0000,0903) */
  readonly errorId?: number;
  /** Attribute Identifier List (0000,1005): tags of eight hexadecimal digits. */
  readonly attributeIdentifierList?: readonly string[];
  /** Left out also when it cannot be read: the status says what came of the request. */
  readonly dataset?: Dataset;
}

/** Matches of a C-FIND; `status` is that of its final response. */
export interface FindResult {
  readonly status: number;
  /** Error Comment (0000,0902) of the final response. */
  readonly comment?: string;
  readonly datasets: Dataset[];
  /** The status that each match came with: FF00, or FF01 where a key is not supported. */
  readonly pending: readonly number[];
}

export interface FindOptions {
  /** Modality Worklist when left out. */
  readonly sopClassUid?: string;
  /** C-CANCEL follows this many matches; 0: right behind the request (PS3.7 9.3.2.3). */
  readonly cancelAfter?: number | undefined;
}

/** Every call opens an association of its own and rejects with `no-acknowledgement` when no response came. */
export interface DicomClient {
  echo(): Promise<number>;
  find(identifier: Dataset | DatasetInput, options?: FindOptions): Promise<FindResult>;
  /** Several C-FIND, one after the other on one association. */
  findEach(identifiers: readonly (Dataset | DatasetInput)[], sopClassUid: string): Promise<FindResult[]>;
  nCreate(sopClassUid: string, sopInstanceUid: string | undefined, content: Content): Promise<NResult>;
  nSet(sopClassUid: string, sopInstanceUid: string, content: Content): Promise<NResult>;
  /** The attributes of these tags (eight hexadecimal digits); of an empty list all. */
  nGet(sopClassUid: string, sopInstanceUid: string, tags: readonly string[]): Promise<NResult>;
}

const MESSAGE_ID = 1;
const MEDIUM_PRIORITY = 0;
const DATASET_FOLLOWS = 0x0102;

const isEncoded = (content: Content): content is EncodedDataset => content['raw'] instanceof Uint8Array;

function bytesOf(content: Content, transferSyntax: string): Buffer | undefined {
  if (!isEncoded(content)) return encodeDataset(dataset(content), transferSyntax);
  if (content.raw.length === 0) return undefined;
  if (content.transferSyntaxUid === transferSyntax) return Buffer.from(content.raw);
  return encodeDataset(decodeDataset(content.raw, content.transferSyntaxUid), transferSyntax);
}

/** A client of one peer (SCU of Verification, worklist and availability queries, MPPS and notifications). */
export function createDicomClient(peer: DicomPeer): DicomClient {
  const operate = async (operation: Operation): Promise<NResult> => {
    const { command, transferSyntax, response } = await exchangeOnce(peer, operation);
    const comment = text(command, 'ErrorComment');
    const errorId = commandNumber(command, 'ErrorID');
    const sopInstanceUid = text(command, 'AffectedSOPInstanceUID');
    const attributeIdentifierList = texts(command, 'AttributeIdentifierList');
    return {
      status: statusOf(command),
      ...(sopInstanceUid === undefined ? {} : { sopInstanceUid }),
      ...(comment === undefined ? {} : { comment }),
      ...(errorId === undefined ? {} : { errorId }),
      ...(attributeIdentifierList.length === 0 ? {} : { attributeIdentifierList }),
      ...readable(response, transferSyntax),
    };
  };
  return {
    echo: async () => {
      const command = { AffectedSOPClassUID: sopClass.verification, CommandField: commandField.cEcho };
      return statusOf((await exchangeOnce(peer, { sopClassUid: sopClass.verification, command })).command);
    },
    find: async (identifier, options = {}) => {
      const [result] = await find(peer, [identifier], options);
      return result ?? { status: dimseStatus.processingFailure, datasets: [], pending: [] };
    },
    findEach: (identifiers, sopClassUid) => find(peer, identifiers, { sopClassUid }),
    nCreate: (sopClassUid, sopInstanceUid, content) => {
      const names = { AffectedSOPClassUID: sopClassUid, AffectedSOPInstanceUID: sopInstanceUid };
      return operate({ sopClassUid, command: { ...names, CommandField: commandField.nCreate }, content });
    },
    nSet: (sopClassUid, sopInstanceUid, content) => {
      const names = { RequestedSOPClassUID: sopClassUid, RequestedSOPInstanceUID: sopInstanceUid };
      return operate({ sopClassUid, command: { ...names, CommandField: commandField.nSet }, content });
    },
    nGet: (sopClassUid, sopInstanceUid, tags) => {
      const names = { RequestedSOPClassUID: sopClassUid, RequestedSOPInstanceUID: sopInstanceUid };
      const wanted = tags.length === 0 ? {} : { AttributeIdentifierList: tags };
      return operate({ sopClassUid, command: { ...names, ...wanted, CommandField: commandField.nGet } });
    },
  };
}

interface Operation {
  readonly sopClassUid: string;
  readonly command: DatasetInput;
  readonly content?: Content;
}

interface Answer {
  readonly command: Dataset;
  readonly response: DimseMessage;
  readonly transferSyntax: string;
}

/** One presentation context for bytes as they are, then one for everything that we can write. */
function syntaxesFor(contents: readonly (Content | undefined)[]): (readonly string[])[] {
  const own = contents.flatMap((content) => (content && isEncoded(content) ? [content.transferSyntaxUid] : []));
  return [...[...new Set(own)].map((syntax) => [syntax]), TRANSFER_SYNTAXES];
}

function send(association: ClientAssociation, { command, content }: Operation): void {
  const bytes = content && bytesOf(content, association.transferSyntax);
  const type = bytes ? DATASET_FOLLOWS : NO_DATASET;
  association.send([encodeCommand({ ...command, MessageID: MESSAGE_ID, CommandDataSetType: type }), bytes]);
}

/** Operations of one SOP class, one after the other on one association, each with its answer. */
async function converse<T>(
  peer: DicomPeer,
  operations: readonly Operation[],
  answerTo: (association: ClientAssociation, operation: Operation) => Promise<T>,
): Promise<T[]> {
  const [first] = operations;
  if (!first) return [];
  const contents = operations.map(({ content }) => content);
  // What cannot be encoded fails before anything is sent, with its own reason.
  for (const content of contents) if (content && !isEncoded(content)) bytesOf(content, EXPLICIT_VR_LITTLE_ENDIAN);
  const association = await openAssociation(peer, first.sopClassUid, syntaxesFor(contents));
  try {
    const results: T[] = [];
    for (const operation of operations) {
      send(association, operation);
      results.push(await answerTo(association, operation));
    }
    await association.release();
    return results;
  } catch (error) {
    association.abort();
    throw error;
  }
}

async function receiveResponse(association: ClientAssociation, operation: Operation): Promise<DimseMessage> {
  const message = await association.receive();
  const { command } = message;
  const isResponse = commandNumber(command, 'CommandField') === Number(operation.command['CommandField']) + RESPONSE;
  const isOurs = commandNumber(command, 'MessageIDBeingRespondedTo') === MESSAGE_ID;
  if (!isResponse || !isOurs || commandNumber(command, 'Status') === undefined) {
    throw noResponse('the peer sent a message that is no response to the request');
  }
  return message;
}

async function exchangeOnce(peer: DicomPeer, operation: Operation): Promise<Answer> {
  const [answer] = await converse(peer, [operation], async (association) => {
    const response = await receiveResponse(association, operation);
    return { command: response.command, response, transferSyntax: association.transferSyntax };
  });
  if (!answer) throw noResponse('there was nothing to send');
  return answer;
}

function readable({ dataset: bytes }: DimseMessage, transferSyntax: string): { dataset?: Dataset } {
  if (bytes === undefined) return {};
  try {
    return { dataset: decodeDataset(bytes, transferSyntax) };
  } catch {
    return {};
  }
}

function statusOf(command: Dataset): number {
  return commandNumber(command, 'Status') ?? dimseStatus.processingFailure;
}

const isPending = (status: number): boolean =>
  status === dimseStatus.pending || status === dimseStatus.pendingWithUnsupportedKeys;

function find(
  peer: DicomPeer,
  identifiers: readonly (Dataset | DatasetInput)[],
  { sopClassUid = sopClass.modalityWorklistFind, cancelAfter }: FindOptions,
): Promise<FindResult[]> {
  const command = { AffectedSOPClassUID: sopClassUid, CommandField: commandField.cFind, Priority: MEDIUM_PRIORITY };
  const operations = identifiers.map((content) => ({ sopClassUid, command, content }));
  return converse(peer, operations, async (association, operation) => {
    const datasets: Dataset[] = [];
    const pending: number[] = [];
    for (;;) {
      if (datasets.length === cancelAfter) cancel(association);
      const response = await receiveResponse(association, operation);
      const status = statusOf(response.command);
      const comment = text(response.command, 'ErrorComment');
      if (!isPending(status)) return { status, datasets, pending, ...(comment === undefined ? {} : { comment }) };
      if (!response.dataset) throw new SwfError('no-acknowledgement', 'the peer sent a match without data set');
      datasets.push(decodeDataset(response.dataset, association.transferSyntax));
      pending.push(status);
    }
  });
}

function cancel(association: ClientAssociation): void {
  const about = { MessageIDBeingRespondedTo: MESSAGE_ID, CommandDataSetType: NO_DATASET };
  association.send([encodeCommand({ ...about, CommandField: commandField.cCancel })]);
}
