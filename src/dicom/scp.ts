import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import dimse from 'dcmjs-dimse';
import type * as Library from 'dcmjs-dimse';
import { SwfError, toSwfError } from '../platform/errors.ts';
import type { AcceptedContext } from './association.ts';
import { decodeDataset } from './decode.ts';
import { dataset, text } from './dataset.ts';
import type { Dataset, DatasetInput } from './dataset.ts';
import { commandNumber, encodeCommand } from './dimse.ts';
import type { DimseMessage } from './dimse.ts';
import { encodeDataset } from './encode.ts';
import type { AssociationLink, AssociationService } from './guard.ts';
import type { DicomHandlers, FinalStatus, FindAnswer, FindRow, NRequest, NResponse, RequestContext } from './handlers.ts';
import { commandField, dimseStatus, NO_DATASET, operations, RESPONSE } from './status.ts';

const { Scp } = dimse;
const { CEchoRequest, CFindRequest, NCreateRequest, NSetRequest } = dimse.requests;
const { CEchoResponse, CFindResponse, NCreateResponse, NSetResponse } = dimse.responses;

export type Report = (kind: 'handler-error' | 'row-not-encodable', text: string) => void;

type Respond = (response: Library.responses.CEchoResponse) => void;

// What the library's dispatcher is given; the declarations do not show it.
interface Dispatcher {
  _performDimse(context: object, request: object): void;
}

// Rows between two turns of the event loop: a cancel and other associations come in between.
const ROWS_PER_TURN = 8;
const DATASET_FOLLOWS = 0x0102;
const LONGEST_COMMENT = 64;

const REQUESTS: Readonly<Record<number, () => object>> = {
  [commandField.cEcho]: () => new CEchoRequest(),
  [commandField.cFind]: () => new CFindRequest(),
  [commandField.nCreate]: () => new NCreateRequest('', ''),
  [commandField.nSet]: () => new NSetRequest('', ''),
};

/** Error Comment is LO: one line of 64 characters from the default repertoire. */
const commentOf = (comment: string | undefined): string | undefined =>
  comment?.replace(/[^ -[\]-~]/g, '?').slice(0, LONGEST_COMMENT);

// C-FIND has statuses of its own (PS3.4 K.4.1.1.4).
const FIND_FAILURES: Readonly<Record<string, number>> = {
  'database-unavailable': dimseStatus.outOfResources,
  'data-type': dimseStatus.identifierDoesNotMatchSopClass,
  'value-not-found': dimseStatus.identifierDoesNotMatchSopClass,
  'required-field-missing': dimseStatus.identifierDoesNotMatchSopClass,
};

function findFailure(error: SwfError): FinalStatus {
  const status = FIND_FAILURES[error.code] ?? dimseStatus.unableToProcess;
  return { status, comment: error.message, offendingElements: error.place.tags ?? [] };
}

function operationFailure(error: SwfError): NResponse {
  return { status: error.failure.dimse, comment: error.message, attributeIdentifierList: error.place.tags ?? [] };
}

const listed = (tags: readonly string[] | undefined): readonly string[] | undefined =>
  tags && tags.length > 0 ? tags : undefined;

/** The elements that every response to a message has, with the status of a refusal. */
function refusal(message: DimseMessage, status: number): DatasetInput {
  const { command } = message;
  return {
    AffectedSOPClassUID: text(command, 'AffectedSOPClassUID') ?? text(command, 'RequestedSOPClassUID'),
    CommandField: (commandNumber(command, 'CommandField') ?? 0) | RESPONSE,
    MessageIDBeingRespondedTo: commandNumber(command, 'MessageID') ?? 0,
    CommandDataSetType: NO_DATASET,
    Status: status,
  };
}

interface InHand {
  readonly message: DimseMessage;
  readonly context: AcceptedContext;
  /** Aborted by C-CANCEL and by the loss of the association. */
  readonly cancel: AbortController;
  sent: Promise<boolean>;
  work: Promise<void>;
}

export interface ScpOptions {
  readonly link: AssociationLink;
  readonly handlers: DicomHandlers;
  readonly report: Report;
}

/**
 * The DIMSE services of one association. The library finds the service for a request and builds its response; bytes
 * are ours in both directions, since its codec loses characters (text in sequences, (0008,0005)) and accepts halves.
 */
class DepartmentScp extends Scp implements AssociationService {
  readonly #options: ScpOptions;
  readonly #cancelled = new Set<number>();
  #inHand: InHand | undefined;

  constructor(options: ScpOptions) {
    // The guard owns the socket; the library only insists on having one.
    super(new EventEmitter() as unknown as Socket, {});
    this.#options = options;
  }

  /** The library would read PDUs and run timers here. */
  _wrapSocket(): void {}

  /** Where the library hands over a response. */
  _sendDimse({ command }: { command: Library.responses.CFindResponse }): void {
    const inHand = this.#inHand;
    if (!inHand) return;
    const identifier = command.getDataset() as Library.Dataset | undefined;
    const bytes = identifier && encodeDataset(identifier.getElements() as Dataset, inHand.context.transferSyntax);
    this.#send(inHand, command.getCommandDataset().getElements() as DatasetInput, bytes);
  }

  #send(inHand: InHand, command: DatasetInput, bytes?: Buffer): void {
    const type = bytes ? DATASET_FOLLOWS : NO_DATASET;
    const parts = [encodeCommand({ ...command, CommandDataSetType: type }), bytes];
    inHand.sent = this.#options.link.send(inHand.message.contextId, parts);
  }

  cancel(messageId: number): void {
    this.#cancelled.add(messageId);
    if (commandNumber(this.#inHand?.message.command ?? {}, 'MessageID') === messageId) this.#inHand?.cancel.abort();
  }

  async perform(message: DimseMessage): Promise<void> {
    const { link, report } = this.#options;
    const context = link.contexts.get(message.contextId);
    const field = commandNumber(message.command, 'CommandField') ?? 0;
    const messageId = commandNumber(message.command, 'MessageID');
    if (!context || messageId === undefined || (field & RESPONSE) !== 0) return link.abort('a message that is no request');
    const inHand: InHand = {
      message,
      context,
      cancel: new AbortController(),
      sent: Promise.resolve(true),
      work: Promise.resolve(),
    };
    const lose = (): void => inHand.cancel.abort();
    link.signal.addEventListener('abort', lose, { once: true });
    if (this.#cancelled.has(messageId)) inHand.cancel.abort();
    this.#inHand = inHand;
    try {
      this.#dispatch(inHand, field);
      await inHand.work;
      await inHand.sent;
    } catch (error) {
      report('handler-error', toSwfError(error).message);
      link.abort('a request could not be answered');
    }
    link.signal.removeEventListener('abort', lose);
    this.#cancelled.delete(messageId);
    this.#inHand = undefined;
  }

  #dispatch(inHand: InHand, field: number): void {
    const { message, context } = inHand;
    const create = REQUESTS[field];
    if (!create || !operations[context.abstractSyntax]?.includes(field)) {
      return this.#send(inHand, refusal(message, dimseStatus.unrecognizedOperation));
    }
    const { command } = message;
    const sopClassUid = text(command, 'AffectedSOPClassUID') ?? text(command, 'RequestedSOPClassUID');
    if (sopClassUid !== context.abstractSyntax) {
      return this.#send(inHand, refusal(message, dimseStatus.sopClassNotSupported));
    }
    const elements = Object.fromEntries(Object.entries(command).map(([keyword, values]) => [keyword, values[0]]));
    const request = Object.assign(create(), { commandDataset: new dimse.Dataset(elements) });
    (this as unknown as Dispatcher)._performDimse({}, request);
  }

  override cEchoRequest(request: Library.requests.CEchoRequest, respond: Respond): void {
    const response = CEchoResponse.fromRequest(request);
    response.setStatus(dimseStatus.success);
    respond(response);
  }

  override cFindRequest(request: Library.requests.CFindRequest, respond: Respond): void {
    this.#begin((inHand) => this.#answerFind(inHand, request, respond));
  }

  override nCreateRequest(request: Library.requests.NCreateRequest, respond: Respond): void {
    this.#begin((inHand) => this.#answerCreate(inHand, request, respond));
  }

  override nSetRequest(request: Library.requests.NSetRequest, respond: Respond): void {
    this.#begin((inHand) => this.#answerSet(inHand, request, respond));
  }

  // The library ignores the promise of a service, so a rejection would end the process: `perform` waits for it.
  #begin(answer: (inHand: InHand) => Promise<void>): void {
    if (this.#inHand) this.#inHand.work = answer(this.#inHand);
  }

  #contextOf({ context, cancel }: InHand): RequestContext {
    const { callingAeTitle, calledAeTitle, remoteAddress } = this.#options.link;
    return { callingAeTitle, calledAeTitle, remoteAddress, sopClassUid: context.abstractSyntax, signal: cancel.signal };
  }

  #failed(error: unknown): SwfError {
    const failure = toSwfError(error);
    if (failure.code === 'internal') this.#options.report('handler-error', describe(error));
    return failure;
  }

  async #answerFind(inHand: InHand, request: Library.requests.CFindRequest, respond: Respond): Promise<void> {
    let answer: FindAnswer | undefined;
    let final: FinalStatus;
    const sent = { rows: 0 };
    try {
      answer = this.#options.handlers.find(identifierOf(inHand), this.#contextOf(inHand));
      final = await this.#streamRows(inHand, request, { answer, sent });
    } catch (error) {
      final = findFailure(this.#failed(error));
    }
    const response = this.#findResponse(inHand, request, final.status);
    setElements(response, {
      ErrorComment: commentOf(final.comment),
      OffendingElement: listed(final.offendingElements),
    });
    respond(response);
    if (await inHand.sent) this.#afterwards(answer?.afterwards && (() => answer.afterwards?.(sent.rows)));
  }

  #findResponse({ context }: InHand, request: Library.requests.CFindRequest, status: number): Library.responses.CFindResponse {
    const response = CFindResponse.fromRequest(request);
    // The library answers with Study Root whatever was asked.
    response.setAffectedSopClassUid(context.abstractSyntax);
    response.setStatus(status);
    return response;
  }

  async #streamRows(
    inHand: InHand,
    request: Library.requests.CFindRequest,
    { answer, sent }: { answer: FindAnswer; sent: { rows: number } },
  ): Promise<FinalStatus> {
    const rows = answer[Symbol.asyncIterator]();
    const stopped = whenAborted(inHand.cancel.signal);
    for (let pulled = 1; ; pulled += 1) {
      const next = rows.next();
      const step = await Promise.race([next, stopped]);
      if (step === undefined || inHand.cancel.signal.aborted) {
        abandon(rows, next);
        return { status: dimseStatus.cancel };
      }
      if (step.done === true) return step.value ?? { status: dimseStatus.success };
      if (this.#sendRow(inHand, request, step.value)) sent.rows += 1;
      await inHand.sent;
      if (pulled % ROWS_PER_TURN === 0) await nextTurn();
    }
  }

  // One row with an impossible value must not hide all others; it is reported, never changed.
  #sendRow(inHand: InHand, request: Library.requests.CFindRequest, row: FindRow): boolean {
    const response = this.#findResponse(inHand, request, row.status);
    response.setDataset(new dimse.Dataset(row.dataset));
    try {
      this._sendDimse({ command: response });
      return true;
    } catch (error) {
      this.#options.report('row-not-encodable', toSwfError(error).message);
      return false;
    }
  }

  async #answerCreate(inHand: InHand, request: Library.requests.NCreateRequest, respond: Respond): Promise<void> {
    const asked = request.getAffectedSopInstanceUid() as string | undefined;
    const result = await this.#operate(inHand, asked, this.#options.handlers.nCreate);
    const response = NCreateResponse.fromRequest(request);
    await this.#respond(inHand, { response, result, sopInstanceUid: result.sopInstanceUid ?? asked }, respond);
  }

  async #answerSet(inHand: InHand, request: Library.requests.NSetRequest, respond: Respond): Promise<void> {
    const asked = request.getRequestedSopInstanceUid() as string | undefined;
    const result = await this.#operate(inHand, asked, this.#options.handlers.nSet);
    await this.#respond(inHand, { response: NSetResponse.fromRequest(request), result, sopInstanceUid: asked }, respond);
  }

  async #operate(
    inHand: InHand,
    sopInstanceUid: string | undefined,
    operation: (request: NRequest, context: RequestContext) => Promise<NResponse>,
  ): Promise<NResponse> {
    const { context, message } = inHand;
    try {
      const request = {
        sopClassUid: context.abstractSyntax,
        sopInstanceUid: sopInstanceUid || undefined,
        dataset: message.dataset ? decodeDataset(message.dataset, context.transferSyntax) : {},
        raw: message.dataset ?? new Uint8Array(0),
        transferSyntaxUid: context.transferSyntax,
      };
      return await operation(request, this.#contextOf(inHand));
    } catch (error) {
      return operationFailure(this.#failed(error));
    }
  }
}
