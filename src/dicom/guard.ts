import type { Socket } from 'node:net';
import type { AcceptedContext, Negotiation } from './association.ts';
import { commandNumber, createAssembler, encodeMessage } from './dimse.ts';
import type { DimseMessage, MessageAssembler } from './dimse.ts';
import {
  encodeAbort,
  encodeAssociateAccept,
  encodeReject,
  encodeRelease,
  parseAssociateRequest,
  pduType,
} from './pdu.ts';
import type { AssociateRequest } from './pdu.ts';
import { createPduReader } from './pdu-reader.ts';
import { commandField } from './status.ts';

/** Limits of one connection: bytes and milliseconds. */
export interface ConnectionLimits {
  /** Largest P-DATA-TF taken; advertised to the other side (PS3.8 D.1). */
  readonly pduBytes: number;
  /** Largest data set taken. */
  readonly messageBytes: number;
  /** An association without request in hand is aborted after this silence. */
  readonly idleMs: number;
  /** ARTIM (PS3.8 9.1.5): from the connection to a whole A-ASSOCIATE-RQ. */
  readonly artimMs: number;
}

/** An accepted association as the service sees it. */
export interface AssociationLink {
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly remoteAddress: string;
  readonly contexts: ReadonlyMap<number, AcceptedContext>;
  /** Aborted when the association is gone. */
  readonly signal: AbortSignal;
  /** Sends a message; resolves when there is room for more: true when it was written, false when it cannot be any more. */
  send(contextId: number, parts: readonly (Buffer | undefined)[]): Promise<boolean>;
  /** Ends the association with an A-ABORT. */
  abort(text: string): void;
}

/** What is done with the messages of one association. Neither function may throw or reject. */
export interface AssociationService {
  /** Resolves when the request is answered; the next one waits for it (one operation at a time, PS3.7 D.3.3.3). */
  perform(message: DimseMessage): Promise<void>;
  cancel(messageId: number): void;
}

export type GuardEventKind =
  'accepted' | 'rejected' | 'released' | 'aborted' | 'violation' | 'timeout' | 'closed' | 'error';

export interface GuardOptions {
  readonly limits: ConnectionLimits;
  readonly negotiate: (request: AssociateRequest) => Negotiation;
  readonly serve: (link: AssociationLink) => AssociationService;
  readonly onEvent: (kind: GuardEventKind, text: string, callingAeTitle: string | undefined) => void;
}

export interface GuardedConnection {
  readonly isAssociated: () => boolean;
  /** Finishes the request in hand, then aborts. */
  stop(): void;
}

interface Guard {
  readonly socket: Socket;
  readonly options: GuardOptions;
  readonly gone: AbortController;
  state: 'awaiting request' | 'open' | 'closing';
  request: AssociateRequest | undefined;
  service: AssociationService | undefined;
  assembler: MessageAssembler | undefined;
  queue: DimseMessage[];
  inHand: DimseMessage | undefined;
  isWorking: boolean;
  isReleasing: boolean;
  isStopping: boolean;
  timer: NodeJS.Timeout | undefined;
}

// A-ABORT reasons of the service provider (PS3.8 table 9-26).
const UNRECOGNIZED_PDU = 1;
const UNEXPECTED_PDU = 2;
const INVALID_PARAMETER = 6;
const CLOSING_GRACE_MS = 2_000;
// More requests than this are left in the socket; one at a time was negotiated.
const MAX_QUEUED = 32;

/** Puts the upper layer protocol (PS3.8 9.2) in front of a socket: states, timers, limits, one request at a time. */
export function guardConnection(socket: Socket, options: GuardOptions): GuardedConnection {
  const guard: Guard = {
    socket,
    options,
    gone: new AbortController(),
    state: 'awaiting request',
    request: undefined,
    service: undefined,
    assembler: undefined,
    queue: [],
    inHand: undefined,
    isWorking: false,
    isReleasing: false,
    isStopping: false,
    timer: undefined,
  };
  const reader = createPduReader({
    maxPduLength: options.limits.pduBytes,
    onPdu: (type, body) => receive(guard, type, body),
    onViolation: (text) => violate(guard, INVALID_PARAMETER, text),
  });
  startTimer(guard, options.limits.artimMs, () => {
    report(guard, 'timeout', 'no association request came in time');
    close(guard, undefined);
  });
  socket.on('data', (chunk) => reader.push(chunk));
  socket.on('error', (error: NodeJS.ErrnoException) => report(guard, 'error', `socket: ${error.code ?? error.name}`));
  socket.on('close', () => end(guard));
  return {
    isAssociated: () => guard.state === 'open',
    stop: () => {
      guard.isStopping = true;
      if (!guard.isWorking) stopNow(guard);
    },
  };
}

function report(guard: Guard, kind: GuardEventKind, text: string): void {
  guard.options.onEvent(kind, text, guard.request?.callingAeTitle);
}

function startTimer(guard: Guard, milliseconds: number, expire: () => void): void {
  clearTimeout(guard.timer);
  guard.timer = setTimeout(expire, milliseconds);
}

function end(guard: Guard): void {
  clearTimeout(guard.timer);
  guard.state = 'closing';
  guard.queue = [];
  guard.gone.abort();
  report(guard, 'closed', '');
}

// After the last PDU the other side should close; whatever it still sends is discarded, and it does not get long.
function close(guard: Guard, lastPdu: Buffer | undefined): void {
  if (guard.state === 'closing') return;
  guard.state = 'closing';
  guard.queue = [];
  guard.gone.abort();
  if (lastPdu) guard.socket.end(lastPdu);
  else guard.socket.destroy();
  guard.socket.resume();
  const grace = Math.min(guard.options.limits.artimMs, CLOSING_GRACE_MS);
  startTimer(guard, grace, () => guard.socket.destroy());
}

function violate(guard: Guard, reason: number, text: string): void {
  if (guard.state === 'closing') return;
  report(guard, 'violation', text);
  close(guard, encodeAbort(2, reason));
}

function stopNow(guard: Guard): void {
  close(guard, guard.state === 'open' ? encodeAbort(0, 0) : undefined);
}

function receive(guard: Guard, type: number, body: Buffer): void {
  if (guard.state === 'closing') return;
  if (type === pduType.abort) return receiveAbort(guard);
  if (guard.state === 'awaiting request') {
    if (type === pduType.associateRequest) return associate(guard, body);
    return violate(guard, UNEXPECTED_PDU, `PDU of type ${type} before the association`);
  }
  if (type === pduType.data) return receiveData(guard, body);
  if (type === pduType.releaseRequest) return release(guard);
  const reason = type < 1 || type > 7 ? UNRECOGNIZED_PDU : UNEXPECTED_PDU;
  return violate(guard, reason, `PDU of type ${type} on an association`);
}

function receiveAbort(guard: Guard): void {
  report(guard, 'aborted', 'by the other side');
  close(guard, undefined);
}

function associate(guard: Guard, body: Buffer): void {
  try {
    guard.request = parseAssociateRequest(body);
  } catch (error) {
    return violate(guard, INVALID_PARAMETER, error instanceof Error ? error.message : 'malformed');
  }
  const negotiation = guard.options.negotiate(guard.request);
  if (negotiation.kind === 'accepted') return accept(guard, guard.request, negotiation);
  const [result, source, reason] = negotiation.reason;
  report(guard, 'rejected', negotiation.text);
  return close(guard, encodeReject([result, source, reason]));
}

function accept(guard: Guard, request: AssociateRequest, accepted: Negotiation & { kind: 'accepted' }): void {
  const { limits } = guard.options;
  const { contexts } = accepted;
  guard.state = 'open';
  guard.service = guard.options.serve(linkOf(guard, request, contexts));
  guard.assembler = createAssembler({
    isAccepted: (id) => contexts.has(id),
    maxMessageBytes: limits.messageBytes,
    onMessage: (message) => takeMessage(guard, message),
  });
  guard.socket.write(encodeAssociateAccept({ ...accepted, request, maxPduLength: limits.pduBytes }));
  report(guard, 'accepted', `${contexts.size} presentation contexts`);
  expectRequest(guard);
}

function linkOf(
  guard: Guard,
  request: AssociateRequest,
  contexts: ReadonlyMap<number, AcceptedContext>,
): AssociationLink {
  return {
    callingAeTitle: request.callingAeTitle,
    calledAeTitle: request.calledAeTitle,
    remoteAddress: guard.socket.remoteAddress ?? '',
    contexts,
    signal: guard.gone.signal,
    send: (contextId, parts) => send(guard, encodeMessage(contextId, parts, request.maxPduLength)),
    abort: (text) => violate(guard, 0, text),
  };
}

function send(guard: Guard, bytes: Buffer): Promise<boolean> {
  const { socket } = guard;
  if (guard.state !== 'open' || !socket.writable) return Promise.resolve(false);
  if (socket.write(bytes)) return Promise.resolve(true);
  return drained(guard);
}

// A peer that stops reading must not hold an answer in memory for ever.
function drained(guard: Guard): Promise<boolean> {
  const { socket, gone } = guard;
  return new Promise((resolve) => {
    const settle = (isWritten: boolean): void => {
      clearTimeout(stall);
      socket.off('drain', onDrain);
      gone.signal.removeEventListener('abort', onGone);
      resolve(isWritten);
    };
    const onDrain = (): void => settle(true);
    const onGone = (): void => settle(false);
    const stall = setTimeout(() => {
      report(guard, 'timeout', 'the other side does not take the answer');
      close(guard, undefined);
    }, guard.options.limits.idleMs);
    socket.once('drain', onDrain);
    gone.signal.addEventListener('abort', onGone, { once: true });
  });
}

function expectRequest(guard: Guard): void {
  startTimer(guard, guard.options.limits.idleMs, () => {
    report(guard, 'timeout', 'the association is idle');
    close(guard, encodeAbort(0, 0));
  });
}

function receiveData(guard: Guard, body: Buffer): void {
  if (guard.isReleasing) return violate(guard, UNEXPECTED_PDU, 'data after the release request');
  if (!guard.isWorking) expectRequest(guard);
  try {
    guard.assembler?.push(body);
  } catch (error) {
    violate(guard, INVALID_PARAMETER, error instanceof Error ? error.message : 'malformed');
  }
}

const messageIdOf = (message: DimseMessage | undefined): number | undefined =>
  message && commandNumber(message.command, 'MessageID');

function takeMessage(guard: Guard, message: DimseMessage): void {
  if (guard.state !== 'open') return;
  if (commandNumber(message.command, 'CommandField') === commandField.cCancel) return cancel(guard, message);
  guard.queue.push(message);
  if (guard.queue.length > MAX_QUEUED) guard.socket.pause();
  if (!guard.isWorking) void work(guard);
}

// C-CANCEL overtakes the queue; one that comes too late says nothing about a later request with the same id.
function cancel(guard: Guard, message: DimseMessage): void {
  const messageId = commandNumber(message.command, 'MessageIDBeingRespondedTo');
  const isPending = [guard.inHand, ...guard.queue].some((pending) => messageIdOf(pending) === messageId);
  if (messageId !== undefined && isPending) guard.service?.cancel(messageId);
}

async function work(guard: Guard): Promise<void> {
  guard.isWorking = true;
  clearTimeout(guard.timer);
  while (guard.state === 'open' && !guard.isStopping) {
    guard.inHand = guard.queue.shift();
    if (!guard.inHand) break;
    if (guard.queue.length <= MAX_QUEUED) guard.socket.resume();
    await guard.service?.perform(guard.inHand);
  }
  guard.inHand = undefined;
  guard.isWorking = false;
  if (guard.state !== 'open') return;
  if (guard.isStopping) return stopNow(guard);
  if (guard.isReleasing) return release(guard);
  expectRequest(guard);
}

// Requests that came before the release request are answered first.
function release(guard: Guard): void {
  guard.isReleasing = true;
  if (guard.isWorking) return;
  report(guard, 'released', '');
  close(guard, encodeRelease(pduType.releaseResponse));
}
