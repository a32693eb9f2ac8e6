import type { AcceptedContext } from './association.ts';
import { decodeDataset } from './decode.ts';
import type { Dataset, DatasetInput } from './dataset.ts';
import { text } from './dataset.ts';
import { commandNumber, encodeCommand } from './dimse.ts';
import type { DimseMessage } from './dimse.ts';
import { encodeDataset } from './encode.ts';
import type { AssociationLink } from './guard.ts';
import type { RequestContext } from './handlers.ts';
import { NO_DATASET, RESPONSE } from './status.ts';

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

/** Sends a response. Throws `data-type`, and sends nothing, when its data set cannot be encoded. */
export function sendResponse(exchange: Exchange, command: DatasetInput, dataset?: Dataset): void {
  const bytes = dataset && encodeDataset(dataset, exchange.context.transferSyntax);
  const parts = [encodeCommand({ ...command, CommandDataSetType: bytes ? DATASET_FOLLOWS : NO_DATASET }), bytes];
  exchange.sent = exchange.link.send(exchange.message.contextId, parts);
}

const sopClassOf = ({ message: { command } }: Exchange): string | undefined =>
  text(command, 'AffectedSOPClassUID') ?? text(command, 'RequestedSOPClassUID');

/** True when the command names the SOP class of its presentation context (PS3.7 9.1, 10.1). */
export const namesItsSopClass = (exchange: Exchange): boolean =>
  sopClassOf(exchange) === exchange.context.abstractSyntax;

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
