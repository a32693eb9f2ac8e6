import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createDeframer } from '../../src/hl7/mllp.ts';
import { SwfError } from '../../src/platform/errors.ts';

/** The bytes of a message that is written with one line a segment. */
export function bytesOf(lines: readonly string[], encoding: BufferEncoding = 'utf8'): Uint8Array {
  return Buffer.from(lines.map((line) => `${line}\r`).join(''), encoding);
}

/** The lines of a message. */
export function linesOf(bytes: Uint8Array, encoding: BufferEncoding = 'utf8'): string[] {
  return Buffer.from(bytes).toString(encoding).split('\r').slice(0, -1);
}

/** Code and location of the failure that a call ends in. */
export function failureOf(call: () => unknown): { code: string; location: string | undefined } {
  try {
    call();
  } catch (thrown) {
    if (thrown instanceof SwfError) return { code: thrown.code, location: thrown.place.location };
    throw thrown;
  }
  throw new Error('it did not fail');
}

/** A promise with its handles. */
export function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (cause: unknown) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** A raw MLLP peer: what it sends is up to the test, what it receives is put together. */
export interface Peer {
  readonly socket: Socket;
  readonly answers: string[];
  /** Waits until so many frames have arrived. */
  received(count: number): Promise<string[]>;
  readonly closed: Promise<void>;
}

/** Puts a raw peer on a socket. */
export function peerOn(socket: Socket): Peer {
  const deframer = createDeframer({ messageBytes: 1 << 24 });
  const answers: string[] = [];
  const arrived = new EventEmitter();
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    for (const event of deframer.push(chunk)) {
      if (event.kind === 'frame') answers.push(Buffer.from(event.message).toString('latin1'));
    }
    arrived.emit('data');
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    socket,
    answers,
    closed,
    async received(count) {
      while (answers.length < count) await once(arrived, 'data');
      return answers;
    },
  };
}

/** Connects a raw peer to a port of this machine. */
export async function connectPeer(port: number): Promise<Peer> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  return peerOn(socket);
}

/** A frame as it is on the wire. */
export const framed = (text: string): Buffer => Buffer.from(`\x0b${text}\x1c\r`, 'latin1');
