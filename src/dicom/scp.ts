import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import dimse from 'dcmjs-dimse';
import type * as Library from 'dcmjs-dimse';
import { describeError } from '../platform/errors.ts';
import { text, texts } from './dataset.ts';
import type { Dataset, DatasetInput } from './dataset.ts';
import { commandNumber } from './dimse.ts';
import type { DimseMessage } from './dimse.ts';
import { encodeDataset, encodeReceived } from './encode.ts';
import { namesItsSopClass, refuse, requestContextOf, sendResponse, sopClassOf } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { AssociationLink, AssociationService } from './guard.ts';
import type { DicomHandlers, FindRow, NResponse } from './handlers.ts';
import { isUid } from '../platform/ids.ts';
import { nRequestOf, performFind, performOperation, runAfterwards } from './services.ts';
import type { Report } from './services.ts';
import { commandField, dimseStatus, operations, RESPONSE } from './status.ts';

const { CEchoRequest, CFindRequest, NCreateRequest, NGetRequest, NSetRequest } = dimse.requests;
const { CEchoResponse, CFindResponse, NCreateResponse, NGetResponse, NSetResponse } = dimse.responses;

type NormalizedResponse =
  Library.responses.NCreateResponse | Library.responses.NGetResponse | Library.responses.NSetResponse;
type Response = Library.responses.CFindResponse | NormalizedResponse;

// What the library's dispatcher is given; its declarations do not show it.
interface Dispatcher {
  _performDimse(context: object, request: object): void;
}

const LONGEST_COMMENT = 64;

const REQUESTS: Readonly<Record<number, () => object>> = {
  [commandField.cEcho]: () => new CEchoRequest(),
  [commandField.cFind]: () => new CFindRequest(),
  [commandField.nCreate]: () => new NCreateRequest('', ''),
  [commandField.nGet]: () => new NGetRequest('', '', []),
  [commandField.nSet]: () => new NSetRequest('', ''),
};

// Error Comment is LO: 64 characters, here from the default repertoire, since a command set has no character set.
const commentOf = (comment: string | undefined): string | undefined =>
  comment?.replace(/[^ -[\]-~]/g, '?').slice(0, LONGEST_COMMENT);

const listed = (tags: readonly string[] | undefined): readonly string[] | undefined =>
  tags && tags.length > 0 ? tags : undefined;

// The declarations allow only text, the library stores what it is given.
const setElements = (response: Response, elements: DatasetInput): object =>
  Object.assign(response.getCommandDataset().getElements(), elements);

/** What one association is served with. */
export interface ScpOptions {
  readonly link: AssociationLink;
  readonly handlers: DicomHandlers;
  readonly report: Report;
}

/**
 * The DIMSE services of one association. The library finds the service of a request and builds its response. Bytes are
 * ours in both directions: its codec loses characters (text in sequences, (0008,0005)) and takes half a data set.
 */
class DepartmentScp extends dimse.Scp implements AssociationService {
  readonly #options: ScpOptions;
  readonly #cancelled = new Set<number>();
  #exchange: Exchange | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ScpOptions) {
    // The guard owns the socket; the library only insists on having one.
    super(new EventEmitter() as unknown as Socket, {});
    this.#options = options;
  }

  /** Here the library would read PDUs and start timers. */
  _wrapSocket(): void {}

  /** Here the library hands over a response. */
  _sendDimse({ command }: { command: Response }): void {
    if (!this.#exchange) return;
    const dataset = command.getDataset()?.getElements() as Dataset | undefined;
    const elements = command.getCommandDataset().getElements() as DatasetInput;
    // Our own rows are checked; what an N-GET gives back is as the modality had it.
    const encode = command instanceof CFindResponse ? encodeDataset : encodeReceived;
    sendResponse(this.#exchange, elements, dataset && encode(dataset, this.#exchange.context.transferSyntax));
  }

  cancel(messageId: number): void {
    this.#cancelled.add(messageId);
    const inHand = this.#exchange && commandNumber(this.#exchange.message.command, 'MessageID');
    if (inHand === messageId) this.#exchange?.cancel.abort();
  }

  async perform(message: DimseMessage): Promise<void> {
    const { link, report } = this.#options;
    const context = link.contexts.get(message.contextId);
    const messageId = commandNumber(message.command, 'MessageID');
    const field = commandNumber(message.command, 'CommandField') ?? 0;
    if (!context || messageId === undefined || field >= RESPONSE) return link.abort('a message that is no request');
    const cancel = new AbortController();
    const exchange: Exchange = { link, message, context, cancel, sent: Promise.resolve(true) };
    const lose = (): void => cancel.abort();
    link.signal.addEventListener('abort', lose, { once: true });
    if (this.#cancelled.has(messageId)) cancel.abort();
    try {
      await this.#dispatch(exchange, field);
    } catch (error) {
      report('handler-error', describeError(error).error);
      link.abort('a request could not be answered');
    }
    link.signal.removeEventListener('abort', lose);
    this.#cancelled.delete(messageId);
  }

  async #dispatch(exchange: Exchange, field: number): Promise<void> {
    const create = REQUESTS[field];
    this.#exchange = exchange;
    this.#work = Promise.resolve();
    if (!create || !operations[exchange.context.abstractSyntax]?.includes(field)) {
      refuse(exchange, dimseStatus.unrecognizedOperation);
    } else if (namesItsSopClass(exchange)) {
      const elements = Object.entries(exchange.message.command).map(([keyword, values]) => [keyword, values[0]]);
      const commandDataset = new dimse.Dataset(Object.fromEntries(elements) as Record<string, unknown>);
      (this as unknown as Dispatcher)._performDimse({}, Object.assign(create(), { commandDataset }));
    } else {
      refuse(exchange, dimseStatus.sopClassNotSupported);
    }
    await this.#work;
    await exchange.sent;
    this.#exchange = undefined;
  }

  // The library ignores the promise of a service, so a rejection would end the process; `perform` waits for it.
  #begin(service: (exchange: Exchange) => Promise<void>): void {
    if (this.#exchange) this.#work = service(this.#exchange);
  }

  override cEchoRequest(
    request: Library.requests.CEchoRequest,
    respond: (response: Library.responses.CEchoResponse) => void,
  ): void {
    const response = CEchoResponse.fromRequest(request);
    response.setStatus(dimseStatus.success);
    respond(response);
  }

  override cFindRequest(
    request: Library.requests.CFindRequest,
    respond: (responses: Library.responses.CFindResponse[]) => void,
  ): void {
    this.#begin(async (exchange) => {
      const { report, handlers } = this.#options;
      const response = (status: number): Library.responses.CFindResponse => {
        const result = CFindResponse.fromRequest(request);
        // The library answers with Study Root, whatever was asked.
        setElements(result, { AffectedSOPClassUID: exchange.context.abstractSyntax, Status: status });
        return result;
      };
      const sendRow = (row: FindRow): boolean => this.#sendRow(response(row.status), row);
      const outcome = await performFind(exchange, { find: (...asked) => handlers.find(...asked), sendRow, report });
      const { status, comment, offendingElements } = outcome;
      const final = response(status);
      setElements(final, { ErrorComment: commentOf(comment), OffendingElement: listed(offendingElements) });
      respond([final]);
      if (await exchange.sent) runAfterwards(outcome.afterwards, report);
    });
  }

  // One row with an impossible value must not hide the others: it is left out and reported, never changed.
  #sendRow(response: Library.responses.CFindResponse, row: FindRow): boolean {
    response.setDataset(new dimse.Dataset(row.dataset));
    try {
      this._sendDimse({ command: response });
      return true;
    } catch (error) {
      this.#options.report('row-not-encodable', describeError(error).error);
      return false;
    }
  }

  override nCreateRequest(
    request: Library.requests.NCreateRequest,
    respond: (response: Library.responses.NCreateResponse) => void,
  ): void {
    const response = NCreateResponse.fromRequest(request);
    this.#operate('AffectedSOPInstanceUID', { response, respond: () => respond(response) }, (exchange, uid) =>
      this.#options.handlers.nCreate(nRequestOf(exchange, uid), requestContextOf(exchange)),
    );
  }

  override nSetRequest(
    request: Library.requests.NSetRequest,
    respond: (response: Library.responses.NSetResponse) => void,
  ): void {
    const response = NSetResponse.fromRequest(request);
    this.#operate('RequestedSOPInstanceUID', { response, respond: () => respond(response) }, (exchange, uid) =>
      this.#options.handlers.nSet(nRequestOf(exchange, uid), requestContextOf(exchange)),
    );
  }

  override nGetRequest(
    request: Library.requests.NGetRequest,
    respond: (response: Library.responses.NGetResponse) => void,
  ): void {
    const response = NGetResponse.fromRequest(request);
    const { handlers } = this.#options;
    this.#operate('RequestedSOPInstanceUID', { response, respond: () => respond(response) }, (exchange, uid) => {
      const attributeIdentifierList = texts(exchange.message.command, 'AttributeIdentifierList');
      const asked = { sopInstanceUid: uid, attributeIdentifierList };
      const context = requestContextOf(exchange);
      return handlers.nGet?.(asked, context) ?? Promise.resolve({ status: dimseStatus.unrecognizedOperation });
    });
  }

  #operate(
    instance: 'AffectedSOPInstanceUID' | 'RequestedSOPInstanceUID',
    answer: { readonly response: NormalizedResponse; readonly respond: () => void },
    operation: (exchange: Exchange, sopInstanceUid: string | undefined) => Promise<NResponse>,
  ): void {
    this.#begin(async (exchange) => {
      const { report } = this.#options;
      const sopInstanceUid = text(exchange.message.command, instance);
      const result = await performOperation(() => operation(exchange, sopInstanceUid), report);
      setElements(answer.response, {
        AffectedSOPClassUID: sopClassOf(exchange),
        AffectedSOPInstanceUID: echoed(result.sopInstanceUid ?? sopInstanceUid),
        RequestedSOPClassUID: undefined,
        RequestedSOPInstanceUID: undefined,
        Status: result.status,
        ErrorComment: commentOf(result.comment),
        ErrorID: result.errorId,
        AttributeIdentifierList: listed(result.attributeIdentifierList),
      });
      if (result.dataset) answer.response.setDataset(new dimse.Dataset(result.dataset));
      answer.respond();
      if (await exchange.sent) runAfterwards(result.afterwards, report);
    });
  }
}

/** A UID as a response can carry it: one that is none is refused by its status, not by an abort. */
function echoed(uid: string | undefined): string | undefined {
  return uid !== undefined && isUid(uid) ? uid : undefined;
}

/** Serves one accepted association. `prepareLibrary` has to be called once before. */
export function serveAssociation(options: ScpOptions): AssociationService {
  return new DepartmentScp(options);
}
