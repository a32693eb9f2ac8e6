import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { SwfError } from '../platform/errors.ts';
import { createAssembler, encodeMessage } from './dimse.ts';
import type { DimseMessage } from './dimse.ts';
import type { ProposedContext } from './pdu.ts';
import { encodeAbort, encodeAssociateRequest, encodeRelease, parseAssociateAccept, pduType } from './pdu.ts';
import { createPduReader } from './pdu-reader.ts';

/** PEM texts. The other side's certificate is checked against `ca`, or the well-known authorities without one. */
export interface DicomClientTls {
  readonly ca?: string | Buffer;
  readonly key?: string | Buffer;
  readonly cert?: string | Buffer;
  /** Name that the certificate has to show; the host when left out. */
  readonly servername?: string;
}

export interface DicomPeer {
  readonly host: string;
  readonly port: number;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly tls?: DicomClientTls;
  /** Longest wait for the connection, for the association and for each response, in milliseconds. */
  readonly timeoutMs: number;
  /** Aborted when nobody waits for the response any more: the call ends at once. */
  readonly signal?: AbortSignal;
}

/** An open association, used with one presentation context. */
export interface ClientAssociation {
  readonly transferSyntax: string;
  send(parts: readonly (Buffer | undefined)[]): void;
  /** The next message. Rejects with `no-acknowledgement` when none comes. */
  receive(): Promise<DimseMessage>;
  release(): Promise<void>;
  abort(): void;
}

interface Inbox<T> {
  put(value: T): void;
  fail(text: string): void;
  take(what: string): Promise<T>;
}

const MAX_PDU_LENGTH = 65_536;
const MAX_MESSAGE_BYTES = 16_777_216;
const RELEASE_TIMEOUT_MS = 2_000;
// The other side may announce that it takes less than one byte of data; that is not an association to work with.
const SMALLEST_MAX_PDU_LENGTH = 16;

/** Every way in which a response does not come is the same to the caller: the effect is unknown. */
export const noResponse = (text: string): SwfError => new SwfError('no-acknowledgement', text);

function createInbox<T>(timeoutMs: number): Inbox<T> {
  const values: T[] = [];
  let failure: SwfError | undefined;
  let waiter: (() => void) | undefined;
  const wake = (): void => waiter?.();
  return {
    put: (value) => {
      values.push(value);
      wake();
    },
    fail: (text) => {
      failure ??= noResponse(text);
      wake();
    },
    take: async (what) => {
      if (values.length === 0 && !failure) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          waiter = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        waiter = undefined;
      }
      const value = values.shift();
      if (value !== undefined) return value;
      throw failure ?? noResponse(`${what} did not come within ${timeoutMs} ms`);
    },
  };
}

interface Wire {
  readonly socket: Socket;
  /** PDUs other than data. */
  readonly control: Inbox<{ type: number; body: Buffer }>;
  readonly messages: Inbox<DimseMessage>;
}

function openSocket({ host, port, tls }: DicomPeer): Socket {
  if (!tls) return connect({ host, port, noDelay: true });
  const { servername, ...credentials } = tls;
  return connectTls({ ...credentials, host, port, minVersion: 'TLSv1.2', ...(servername ? { servername } : {}) });
}

function openWire(peer: DicomPeer, contexts: readonly ProposedContext[]): Wire {
  const socket = openSocket(peer);
  socket.setNoDelay(true);
  const wire: Wire = { socket, control: createInbox(peer.timeoutMs), messages: createInbox(peer.timeoutMs) };
  const fail = (text: string): void => {
    wire.control.fail(text);
    wire.messages.fail(text);
    socket.destroy();
  };
  const assembler = createAssembler({
    isAccepted: (id) => contexts.some((context) => context.id === id),
    maxMessageBytes: MAX_MESSAGE_BYTES,
    onMessage: (message) => wire.messages.put(message),
  });
  const receive = (type: number, body: Buffer): void => {
    if (type === pduType.abort) return fail(`the peer aborted (source ${body[2] ?? 0}, reason ${body[3] ?? 0})`);
    if (type === pduType.data) return assembler.push(body);
    return wire.control.put({ type, body: Buffer.from(body) });
  };
  const reader = createPduReader({ maxPduLength: MAX_PDU_LENGTH, onPdu: receive, onViolation: fail });
  socket.on('data', (chunk) => {
    try {
      reader.push(chunk);
    } catch {
      fail('the peer sent something malformed');
    }
  });
  socket.on('error', (error: NodeJS.ErrnoException) => fail(`connection failed: ${error.code ?? error.name}`));
  const giveUp = (): void => fail('the call was given up');
  peer.signal?.addEventListener('abort', giveUp);
  socket.on('close', () => {
    peer.signal?.removeEventListener('abort', giveUp);
    fail('the peer closed the connection');
  });
  if (peer.signal?.aborted) giveUp();
  return wire;
}

interface Accepted {
  readonly contextId: number;
  readonly syntax: string;
  readonly limit: number;
}

/** The peer rejected the association, and says why (PS3.8 table 9-21). */
export class AssociationRejected extends SwfError {
  /** 1: the service user; 2 and 3: the service provider. */
  readonly source: number;
  readonly reason: number;

  constructor(text: string, { source, reason }: { source: number; reason: number }) {
    super('no-acknowledgement', text);
    this.source = source;
    this.reason = reason;
  }
}

// PS3.8 table 9-21, by source and reason: what people meet.
const rejections: Readonly<Record<string, string>> = {
  '1.3': 'it does not know the AE title that calls',
  '1.7': 'it has not the AE title that is called',
  '3.1': 'it is busy',
  '3.2': 'it has too many associations',
};

function rejectionOf(body: Buffer): AssociationRejected {
  const [, result, source = 0, reason = 0] = body;
  const because = rejections[`${source}.${reason}`];
  const numbers = `result ${result}, source ${source}, reason ${reason}`;
  const said = `the peer rejected the association${because === undefined ? '' : `: ${because}`} (${numbers})`;
  return new AssociationRejected(said, { source, reason });
}

/** The first of the proposed contexts that the peer has accepted. */
function acceptedContext(pdu: { type: number; body: Buffer }, contexts: readonly ProposedContext[]): Accepted {
  const { type, body } = pdu;
  if (type === pduType.associateReject) throw rejectionOf(body);
  if (type !== pduType.associateAccept) throw noResponse(`the peer answered with a PDU of type ${type}`);
  const { results, maxPduLength } = parseAssociateAccept(body);
  const answers = contexts.map((context) => results.find(({ id }) => id === context.id));
  const accepted = answers.find((answer) => answer?.result === 0);
  if (!accepted) {
    const [answer] = answers;
    throw noResponse(
      `the peer does not accept SOP class ${contexts[0]?.abstractSyntax ?? ''} (${answer?.result ?? '-'})`,
    );
  }
  const isTooSmall = maxPduLength > 0 && maxPduLength < SMALLEST_MAX_PDU_LENGTH;
  if (isTooSmall) throw noResponse(`the peer takes PDUs of ${maxPduLength} bytes only`);
  return { contextId: accepted.id, syntax: accepted.transferSyntax, limit: maxPduLength };
}

/**
 * Opens an association for one SOP class. A context for each list of transfer syntaxes is proposed, and the first one
 * that is accepted is used. Rejects with `no-acknowledgement` when none is.
 */
export async function openAssociation(
  peer: DicomPeer,
  sopClassUid: string,
  transferSyntaxes: readonly (readonly string[])[],
): Promise<ClientAssociation> {
  // PS3.8 9.3.2.2: the IDs of contexts are odd.
  const contexts = transferSyntaxes.map((syntaxes, index) => ({
    id: 2 * index + 1,
    abstractSyntax: sopClassUid,
    transferSyntaxes: syntaxes,
  }));
  const wire = openWire(peer, contexts);
  const { socket } = wire;
  socket.write(encodeAssociateRequest({ ...peer, contexts, maxPduLength: MAX_PDU_LENGTH }));
  const abort = (): void => {
    socket.end(encodeAbort(0, 0));
    socket.destroySoon();
  };
  try {
    const answer = await wire.control.take('the answer to the association');
    const { contextId, syntax, limit } = acceptedContext(answer, contexts);
    return {
      transferSyntax: syntax,
      send: (parts) => void socket.write(encodeMessage(contextId, parts, limit)),
      receive: () => wire.messages.take('the response'),
      release: () => release(wire),
      abort,
    };
  } catch (error) {
    abort();
    throw error instanceof SwfError && error.code === 'no-acknowledgement' ? error : noResponse('malformed answer');
  }
}

// What was asked is answered by now: an untidy end changes nothing.
async function release({ socket, control }: Wire): Promise<void> {
  socket.write(encodeRelease(pduType.releaseRequest));
  const limit = setTimeout(() => socket.destroy(), RELEASE_TIMEOUT_MS);
  await control.take('the release response').catch(() => undefined);
  clearTimeout(limit);
  socket.end();
  socket.destroySoon();
}
