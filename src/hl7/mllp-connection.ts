import type { Socket } from 'node:net';
import { createDeframer, frame } from './mllp.ts';
import type { DeframeEvent } from './mllp.ts';

/**
 * Takes one message and gives its answer. `silent`: the sender wants none (MSH-15 and MSH-16, HL7 v2.5.1 2.9.3) and
 * the next message is read; `undefined`: nothing readable, the connection is closed.
 */
export interface MllpHandler {
  (message: Uint8Array, connection: { remoteAddress: string }): Promise<Uint8Array | 'silent' | undefined>;
}

/** What happened on a connection beside messages. */
export type MllpEventKind = 'refused' | 'too-large' | 'junk' | 'error' | 'idle';

export interface ConnectionOptions {
  readonly limits: { readonly messageBytes: number; readonly idleMs: number };
  readonly handle: MllpHandler;
  readonly onEvent: (kind: MllpEventKind, remoteAddress: string) => void;
}

/** One accepted connection. */
export interface MllpConnection {
  /** Takes nothing new; a message in hand is answered first. */
  stop(): void;
  readonly closed: Promise<void>;
}

// A peer that sends this much without a frame does not speak MLLP.
const mostJunkBytes = 64 * 1024;
// How long a peer may take to close its side after we closed ours.
const lingerMs = 1000;

/** Resolves when the socket takes more bytes, or is closed. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.once('drain', done).once('close', done);
  });
}

/** Ends our side after everything written has left; what the peer still sends is read and dropped. */
function closeGently(socket: Socket): void {
  socket.end();
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
}

/** Calls `onIdle` unless `refresh` is called in time. */
function watchIdle(socket: Socket, milliseconds: number, onIdle: () => void): () => void {
  const timer = setTimeout(onIdle, milliseconds);
  socket.once('close', () => clearTimeout(timer));
  return () => {
    if (!socket.destroyed) timer.refresh();
  };
}

/** Hands a message over and writes its answer; `inHand` in between. */
function createAnswering(socket: Socket, handle: MllpHandler) {
  const remoteAddress = socket.remoteAddress ?? '';
  let inHand = false;
  return {
    get inHand() {
      return inHand;
    },
    /** `full`: the peer must read before more is written; `nothing`: there is no answer to give. */
    async answer(message: Uint8Array): Promise<'written' | 'full' | 'silent' | 'nothing'> {
      inHand = true;
      const bytes = await handle(message, { remoteAddress }).finally(() => (inHand = false));
      if (bytes === undefined) return 'nothing';
      if (bytes === 'silent') return 'silent';
      return socket.write(frame(bytes)) || socket.destroyed ? 'written' : 'full';
    },
  };
}

const FRAME_BYTES = 3;

function isBlank(message: Uint8Array): boolean {
  return message.every((byte) => byte === 0x0d || byte === 0x0a || byte === 0x20);
}

/** Counts the bytes outside of frames and reports them once until the next frame. */
function createJunkCounter(report: (kind: MllpEventKind) => void) {
  let bytes = 0;
  return {
    reset: () => void (bytes = 0),
    /** True when it is too much. */
    add(more: number): boolean {
      if (bytes === 0) report('junk');
      bytes += more;
      return bytes > mostJunkBytes;
    },
  };
}

/** Serves one connection: messages one after the other, answers in their order (HL7 v2.5.1 2.9.2). */
export function serveConnection(socket: Socket, options: ConnectionOptions): MllpConnection {
  const remoteAddress = socket.remoteAddress ?? '';
  const report = (kind: MllpEventKind): void => options.onEvent(kind, remoteAddress);
  const deframer = createDeframer(options.limits);
  const answering = createAnswering(socket, options.handle);
  const junk = createJunkCounter(report);
  const waiting: DeframeEvent[] = [];
  let state: 'reading' | 'working' | 'closing' = 'reading';
  let ended = false;

  const isClosing = (): boolean => state === 'closing';
  const close = (): void => {
    state = 'closing';
    waiting.length = 0;
    if (!answering.inHand && !socket.writableEnded && !socket.destroyed) closeGently(socket);
  };
  const refreshIdle = watchIdle(socket, options.limits.idleMs, () => {
    if (answering.inHand) return refreshIdle();
    report('idle');
    socket.destroy();
  });

  const take = async (event: DeframeEvent): Promise<void> => {
    if (event.kind === 'junk') return junk.add(event.bytes) ? close() : undefined;
    if (event.kind === 'too-large') {
      report('too-large');
      return close();
    }
    // An empty frame says nothing and hides nothing: some senders use it to keep a connection open.
    if (isBlank(event.message)) return junk.add(event.message.length + FRAME_BYTES) ? close() : undefined;
    junk.reset();
    const outcome = await answering.answer(event.message);
    refreshIdle();
    if (outcome === 'nothing') report('junk');
    if (outcome === 'nothing' || isClosing()) return close();
    if (outcome === 'full') await drained(socket);
  };

  const work = async (): Promise<void> => {
    if (state !== 'reading') return;
    state = 'working';
    socket.pause();
    for (let event = waiting.shift(); event; event = waiting.shift()) await take(event);
    if (ended || isClosing()) return close();
    state = 'reading';
    socket.resume();
  };
  const workSafely = (): void => void work().catch(() => (report('error'), close()));

  socket.on('data', (chunk: Buffer) => {
    if (isClosing()) return;
    if (!deframer.open) refreshIdle();
    for (const event of deframer.push(chunk)) waiting.push(event);
    workSafely();
  });
  // A peer that has sent its last message still waits for the answers.
  socket.on('end', () => {
    ended = true;
    workSafely();
  });
  socket.on('error', () => report('error'));
  socket.once('close', close);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { stop: close, closed };
}
