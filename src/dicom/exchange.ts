import type { AcceptedContext } from './association.ts';
import { decodeDataset } from './decode.ts';
import type { Dataset, DatasetInput } from './dataset.ts';
import { text } from './dataset.ts';
import { commandNumber, encodeCommand } from './dimse.ts';
import type { DimseMessage } from './dimse.ts';
import type { AssociationLink } from './guard.ts';
import type { RequestContext } from './handlers.ts';
import { NO_DATASET, RESPONSE, instancesOfRetrieval } from './status.ts';

const DATASET_FOLLOWS = 0x0102;

/** One request in hand and the way back to whoever sent it. */
export interface Exchange {
  readonly link: AssociationLink;
  readonly message: DimseMessage;
  readonly context: AcceptedContext;
  /** Aborted by C-CANCEL and by the loss of the association. */
  readonly cancel: AbortController;
  /** What became of the response sent last: false when it could not be written. */
  sent: Promise<boolean>;
}

/** Sends a response, with the bytes of its data set when it has one. */
export function sendResponse(exchange: Exchange, command: DatasetInput, bytes?: Buffer): void {
  const parts = [encodeCommand({ ...command, CommandDataSetType: bytes ? DATASET_FOLLOWS : NO_DATASET }), bytes];
  exchange.sent = exchange.link.send(exchange.message.contextId, parts);
}

/** The SOP class that the command names. */
export const sopClassOf = ({ message: { command } }: Exchange): string | undefined =>
  text(command, 'AffectedSOPClassUID') ?? text(command, 'RequestedSOPClassUID');

/**
 * True when the command names the SOP class of its presentation context (PS3.7 9.1, 10.1). Retrieval may also name the
 * class that the instances are of.
 */
export function namesItsSopClass(exchange: Exchange): boolean {
  const { abstractSyntax } = exchange.context;
  const named = sopClassOf(exchange);
  return named === abstractSyntax || (named !== undefined && named === instancesOfRetrieval[abstractSyntax]);
}

/** Refuses a request that no service takes, with any status of PS3.7 C. */
export function refuse(exchange: Exchange, status: number): void {
  const { command } = exchange.message;
  sendResponse(exchange, {
    AffectedSOPClassUID: sopClassOf(exchange),
    CommandField: (commandNumber(command, 'CommandField') ?? 0) | RESPONSE,
    MessageIDBeingRespondedTo: commandNumber(command, 'MessageID') ?? 0,
    Status: status,
  });
}

/** The data set of the request; empty when none came. Throws `data-type` when it is malformed. */
export function datasetOf({ message, context }: Exchange): Dataset {
  return message.dataset ? decodeDataset(message.dataset, context.transferSyntax) : {};
}

/** What the handlers learn about the other side. */
export function requestContextOf({ link, message, context, cancel }: Exchange): RequestContext {
  const { callingAeTitle, calledAeTitle, remoteAddress } = link;
  return {
    callingAeTitle,
    calledAeTitle,
    remoteAddress,
    sopClassUid: context.abstractSyntax,
    raw: message.dataset ?? new Uint8Array(),
    transferSyntaxUid: context.transferSyntax,
    signal: cancel.signal,
  };
}
