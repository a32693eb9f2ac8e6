import { type Socket, connect } from 'node:net';
import { createDeframer, frame } from '../src/hl7/mllp.ts';
import { NoAnswer } from './hl7-sender.ts';

/** Into what a frame is cut: single bytes, or a packet for each segment. */
export type Split = 'bytes' | 'segments';

const carriageReturn = 0x0d;

/** The pieces of a frame, in their order. */
export function piecesOf(bytes: Uint8Array, split: Split): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let begin = 0;
  for (let index = 0; index < bytes.length; index++) {
    if (split === 'segments' && bytes[index] !== carriageReturn) continue;
    pieces.push(bytes.subarray(begin, index + 1));
    begin = index + 1;
  }
  return begin < bytes.length ? [...pieces, bytes.subarray(begin)] : pieces;
}

/**
 * Sends one message on a connection of its own in pieces, each handed to the network by itself, and returns the answer.
 * Rejects with NoAnswer.
 */
export function sendSplit(
  { host, port, timeoutMs }: { host: string; port: number; timeoutMs: number },
  message: Uint8Array,
  split: Split,
): Promise<Uint8Array> {
  const socket = connect({ host, port, noDelay: true });
  return new Promise<Uint8Array>((resolve, reject) => {
    const fail = (reason: string): void => reject(new NoAnswer(reason));
    const timer = setTimeout(() => fail(`no answer in ${timeoutMs} ms`), timeoutMs);
    const deframer = createDeframer({ messageBytes: 16_777_216 });
    socket.on('data', (chunk) => {
      const answer = deframer.push(chunk).find((event) => event.kind === 'frame');
      if (answer?.kind === 'frame') resolve(answer.message);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => fail(`connection failed (${error.code ?? error.message})`));
    socket.on('close', () => {
      clearTimeout(timer);
      fail('the connection was closed');
    });
    socket.on('connect', () => void writeEach(socket, piecesOf(frame(message), split)));
  }).finally(() => socket.destroy());
}

/** Each piece leaves before the next one is written: what is written at once travels in one packet. */
async function writeEach(socket: Socket, pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => socket.write(piece, () => setImmediate(resolve)));
  }
}
