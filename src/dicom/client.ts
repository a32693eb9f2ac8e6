import { SwfError } from '../platform/errors.ts';
import { noResponse, openAssociation } from './client-association.ts';
import type { ClientAssociation, DicomPeer } from './client-association.ts';
import { decodeDataset } from './decode.ts';
import { dataset, text } from './dataset.ts';
import type { Dataset, DatasetInput } from './dataset.ts';
import { commandNumber, encodeCommand } from './dimse.ts';
import type { DimseMessage } from './dimse.ts';
import { encodeDataset } from './encode.ts';
import { commandField, dimseStatus, NO_DATASET, RESPONSE, sopClass } from './status.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES } from './vr.ts';

export type { DicomClientTls, DicomPeer } from './client-association.ts';

/** Bytes of a data set that are to be sent as they are, when the peer accepts their transfer syntax. */
export interface EncodedDataset {
  readonly raw: Uint8Array;
  readonly transferSyntaxUid: string;
}

export type Content = Dataset | DatasetInput | EncodedDataset;

/** Response to N-CREATE or N-SET (PS3.7 10.1). */
export interface NResult {
  readonly status: number;
  readonly sopInstanceUid?: string;
  readonly comment?: string;
  readonly dataset?: Dataset;
}

/** Every call opens an association of its own; it rejects with `no-acknowledgement` when no response came. */
export interface DicomClient {
  echo(): Promise<number>;
  /** C-FIND, on Modality Worklist unless another SOP class is named. `status` is that of the final response. */
  find(identifier: Dataset | DatasetInput, sopClassUid?: string): Promise<{ status: number; datasets: Dataset[] }>;
  nCreate(sopClassUid: string, sopInstanceUid: string | undefined, content: Content): Promise<NResult>;
  nSet(sopClassUid: string, sopInstanceUid: string, content: Content): Promise<NResult>;
}

const MESSAGE_ID = 1;
const MEDIUM_PRIORITY = 0;
const DATASET_FOLLOWS = 0x0102;

const isEncoded = (content: Content): content is EncodedDataset => content['raw'] instanceof Uint8Array;

function bytesOf(content: Content, transferSyntax: string): Buffer {
  if (!isEncoded(content)) return encodeDataset(dataset(content), transferSyntax);
  if (content.transferSyntaxUid === transferSyntax) return Buffer.from(content.raw);
  return encodeDataset(decodeDataset(content.raw, content.transferSyntaxUid), transferSyntax);
}

/** A client of one peer (SCU of Verification, worklist and availability queries, MPPS and notifications). */
export function createDicomClient(peer: DicomPeer): DicomClient {
  const operate = async (operation: Operation): Promise<NResult> => {
    const { command, transferSyntax, response } = await exchangeOnce(peer, operation);
    const comment = text(command, 'ErrorComment');
    const sopInstanceUid = text(command, 'AffectedSOPInstanceUID');
    return {
      status: statusOf(command),
      ...(sopInstanceUid === undefined ? {} : { sopInstanceUid }),
      ...(comment === undefined ? {} : { comment }),
      ...(response.dataset === undefined ? {} : { dataset: decodeDataset(response.dataset, transferSyntax) }),
    };
  };
  return {
    echo: async () => {
      const command = { AffectedSOPClassUID: sopClass.verification, CommandField: commandField.cEcho };
      return statusOf((await exchangeOnce(peer, { sopClassUid: sopClass.verification, command })).command);
    },
    find: (identifier, sopClassUid = sopClass.modalityWorklistFind) => find(peer, identifier, sopClassUid),
    nCreate: (sopClassUid, sopInstanceUid, content) => {
      const names = { AffectedSOPClassUID: sopClassUid, AffectedSOPInstanceUID: sopInstanceUid };
      return operate({ sopClassUid, command: { ...names, CommandField: commandField.nCreate }, content });
    },
    nSet: (sopClassUid, sopInstanceUid, content) => {
      const names = { RequestedSOPClassUID: sopClassUid, RequestedSOPInstanceUID: sopInstanceUid };
      return operate({ sopClassUid, command: { ...names, CommandField: commandField.nSet }, content });
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

async function converse<T>(
  peer: DicomPeer,
  operation: Operation,
  talk: (association: ClientAssociation) => Promise<T>,
): Promise<T> {
  const { sopClassUid, command, content } = operation;
  // What cannot be encoded fails before anything is sent, with its own reason.
  const preferred = content && isEncoded(content) ? [content.transferSyntaxUid] : [];
  if (content && !isEncoded(content)) bytesOf(content, EXPLICIT_VR_LITTLE_ENDIAN);
  const association = await openAssociation(peer, sopClassUid, [...new Set([...preferred, ...TRANSFER_SYNTAXES])]);
  try {
    const bytes = content && bytesOf(content, association.transferSyntax);
    const type = bytes ? DATASET_FOLLOWS : NO_DATASET;
    association.send([encodeCommand({ ...command, MessageID: MESSAGE_ID, CommandDataSetType: type }), bytes]);
    const result = await talk(association);
    await association.release();
    return result;
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

const exchangeOnce = (peer: DicomPeer, operation: Operation): Promise<Answer> =>
  converse(peer, operation, async (association) => {
    const response = await receiveResponse(association, operation);
    return { command: response.command, response, transferSyntax: association.transferSyntax };
  });

function statusOf(command: Dataset): number {
  return commandNumber(command, 'Status') ?? dimseStatus.processingFailure;
}

const isPending = (status: number): boolean =>
  status === dimseStatus.pending || status === dimseStatus.pendingWithUnsupportedKeys;

function find(
  peer: DicomPeer,
  identifier: Dataset | DatasetInput,
  sopClassUid: string,
): Promise<{ status: number; datasets: Dataset[] }> {
  const command = { AffectedSOPClassUID: sopClassUid, CommandField: commandField.cFind, Priority: MEDIUM_PRIORITY };
  const operation = { sopClassUid, command, content: identifier };
  return converse(peer, operation, async (association) => {
    const datasets: Dataset[] = [];
    for (;;) {
      const response = await receiveResponse(association, operation);
      const status = statusOf(response.command);
      if (!isPending(status)) return { status, datasets };
      if (!response.dataset) throw new SwfError('no-acknowledgement', 'the peer sent a match without data set');
      datasets.push(decodeDataset(response.dataset, association.transferSyntax));
    }
  });
}
