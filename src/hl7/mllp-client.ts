import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { SwfError } from '../platform/errors.ts';
import { createDeframer, frame } from './mllp.ts';

/** How the sentence of a failure begins when nothing was sent, for there was no connection. */
export const notConnected = 'could not connect';

export interface MllpClientTls {
  /** Authorities or certificates that are trusted, PEM; the system's when not given. */
  readonly ca?: string | Buffer;
  /** Our own certificate and key, PEM, for a receiver that asks for them. */
  readonly key?: string | Buffer;
  readonly cert?: string | Buffer;
  /** The name the receiver's certificate bears, where it is not `host`. */
  readonly serverName?: string;
}

export interface MllpClientOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: MllpClientTls;
  readonly connectTimeoutMs: number;
  /** From the first byte sent to the last byte of the answer. */
  readonly answerTimeoutMs: number;
  /** The largest answer that is read; 16 MiB when not given. */
  readonly answerBytes?: number;
}

export interface MllpClient {
  /**
   * Sends one message and gives the next frame that arrives; the caller compares MSA-2.
   * @throws SwfError 'no-acknowledgement' (not connected, no answer, closed, garbage), 'internal' while another is open
   */
  send(message: Uint8Array): Promise<Uint8Array>;
  /** Drops the connection and whatever waits on it; a later send opens a new one. */
  close(): void;
}

const usualAnswerBytes = 16 * 1024 * 1024;
// An answer that has not begun after this many other bytes will not come.
const mostJunkBytes = 64 * 1024;

interface Wait {
  readonly milliseconds: number;
  readonly onTimeout: () => SwfError;
  readonly onClose: (cause: string | undefined) => SwfError;
}

/** Waits for a fact on a socket that may close, fail or stay silent first; leaves no listener behind. */
function waitOn<T>(socket: Socket, wait: Wait, start: (resolve: (value: T) => void) => () => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let cause: string | undefined;
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      socket.off('error', failed).off('close', closed);
      stop();
      act();
    };
    const failed = (error: NodeJS.ErrnoException): void => void (cause = error.code);
    const closed = (): void => settle(() => reject(wait.onClose(cause)));
    const timer = setTimeout(() => settle(() => reject(wait.onTimeout())), wait.milliseconds);
    socket.on('error', failed).on('close', closed);
    const stop = start((value) => settle(() => resolve(value)));
  });
}

function dial({ host, port, tls }: MllpClientOptions): Socket {
  if (!tls) return connectPlain({ host, port, noDelay: true });
  const { serverName, ...files } = tls;
  const name = serverName === undefined ? {} : { servername: serverName };
  return connectTls({ host, port, ...files, ...name, minVersion: 'TLSv1.2' }).setNoDelay(true);
}

function onlyLineEnds(chunk: Uint8Array): boolean {
  return chunk.every((byte) => byte === 0x0d || byte === 0x0a);
}

/** Sentences for the four ways in which no acknowledgement comes. */
function failuresOf({ host, port, connectTimeoutMs, answerTimeoutMs }: MllpClientOptions) {
  const peer = `${host}:${port}`;
  const failure = (sentence: string): SwfError => new SwfError('no-acknowledgement', sentence);
  return {
    notConnected: (cause = 'closed at once') =>
      failure(`${notConnected} to ${peer} (${cause}); check that the receiver listens there`),
    notConnectedInTime: () =>
      failure(`${notConnected} to ${peer} in ${connectTimeoutMs} ms; check address and network`),
    noAnswer: () => failure(`no answer from ${peer} in ${answerTimeoutMs} ms; the message may have been received`),
    closed: (cause?: string) =>
      failure(`the connection to ${peer} was closed before an answer came${cause === undefined ? '' : ` (${cause})`}`),
    garbage: () => failure(`${peer} answered with garbage: the bytes are no MLLP frame that can be read`),
  };
}

type Failures = ReturnType<typeof failuresOf>;

/** Resolves when a socket is connected, with TLS when the handshake is done and the certificate is good. */
function connected(socket: Socket, options: MllpClientOptions, failures: Failures): Promise<void> {
  const event = options.tls ? 'secureConnect' : 'connect';
  const wait = {
    milliseconds: options.connectTimeoutMs,
    onTimeout: failures.notConnectedInTime,
    onClose: failures.notConnected,
  };
  return waitOn<void>(socket, wait, (resolve) => {
    socket.once(event, resolve);
    return () => socket.off(event, resolve);
  });
}

/** Writes a frame and gives the next one that arrives; undefined for an answer that cannot be read. */
function exchange(
  socket: Socket,
  bytes: Uint8Array,
  { options, failures }: { options: MllpClientOptions; failures: Failures },
): Promise<Uint8Array | undefined> {
  const deframer = createDeframer({ messageBytes: options.answerBytes ?? usualAnswerBytes });
  let junkBytes = 0;
  const wait = {
    milliseconds: options.answerTimeoutMs,
    onTimeout: () => (junkBytes > 0 ? failures.garbage() : failures.noAnswer()),
    onClose: (cause?: string) => (junkBytes > 0 ? failures.garbage() : failures.closed(cause)),
  };
  return waitOn(socket, wait, (resolve) => {
    const read = (chunk: Buffer): void => {
      const events = deframer.push(chunk);
      const [answer] = events.filter((event) => event.kind !== 'junk');
      for (const event of events) junkBytes += event.kind === 'junk' ? event.bytes : 0;
      // Whatever follows the answer in the same breath belongs to no message of ours.
      if (answer && (events.at(-1) !== answer || deframer.open)) socket.destroy();
      if (answer?.kind === 'frame') return resolve(answer.message);
      if (answer || junkBytes > mostJunkBytes) resolve(undefined);
    };
    socket.on('data', read);
    socket.write(bytes);
    return () => socket.off('data', read);
  });
}

/** A sender over MLLP that keeps one connection and has one message in flight (HL7 v2.5.1 2.9.2). */
export function createMllpClient(options: MllpClientOptions): MllpClient {
  const failures = failuresOf(options);
  let current: Socket | undefined;
  let busy = false;

  const drop = (): void => {
    current?.destroy();
    current = undefined;
  };

  const open = async (): Promise<Socket> => {
    const socket = dial(options);
    current = socket;
    // Between two messages nothing may arrive: it could be taken for the next answer.
    socket.on('data', (chunk: Buffer) => {
      if (!busy && !onlyLineEnds(chunk)) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (current === socket) current = undefined;
    });
    await connected(socket, options, failures);
    return socket;
  };

  const deliver = async (bytes: Uint8Array): Promise<Uint8Array> => {
    const socket = current?.writable ? current : await open();
    const answer = await exchange(socket, bytes, { options, failures });
    if (answer) return answer;
    throw failures.garbage();
  };

  return {
    async send(message) {
      if (busy) throw new SwfError('internal', 'a message is still in flight; wait for its answer before the next');
      busy = true;
      try {
        return await deliver(frame(message));
      } catch (thrown) {
        drop();
        throw thrown;
      } finally {
        busy = false;
      }
    },
    close: drop,
  };
}
