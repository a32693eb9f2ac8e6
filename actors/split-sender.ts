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

export interface Hl7Address {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/**
 * Sends one message on a connection of its own in pieces, each handed to the network by itself, and returns the answer.
 * Rejects with NoAnswer.
 */
export async function sendSplit(address: Hl7Address, message: Uint8Array, split: Split): Promise<Uint8Array> {
  const [answer = new Uint8Array()] = await exchange(address, piecesOf(frame(message), split), 1);
  return answer;
}

/** How several messages travel at once. */
export type Together = 'packet' | 'connections';

/**
 * Sends messages at once, in one packet or each on a connection of its own, and returns their answers, the first one that
 * of the first message. Rejects with NoAnswer.
 */
export async function sendTogether(
  address: Hl7Address,
  messages: readonly Uint8Array[],
  together: Together,
): Promise<Uint8Array[]> {
  const frames = messages.map((message) => frame(message));
  if (together === 'packet') return exchange(address, [Buffer.concat(frames)], frames.length);
  return (await Promise.all(frames.map((one) => exchange(address, [one], 1)))).flat();
}

function exchange(
  { host, port, timeoutMs }: Hl7Address,
  pieces: readonly Uint8Array[],
  count: number,
): Promise<Uint8Array[]> {
  const socket = connect({ host, port, noDelay: true });
  return new Promise<Uint8Array[]>((resolve, reject) => {
    const answers: Uint8Array[] = [];
    const fail = (reason: string): void => {
      const so = count > 1 ? ` after ${answers.length} of ${count} answers` : '';
      reject(new NoAnswer(`${reason}${so}`));
    };
    const timer = setTimeout(() => fail(`no answer in ${timeoutMs} ms`), timeoutMs);
    const deframer = createDeframer({ messageBytes: 16_777_216 });
    socket.on('data', (chunk) => {
      for (const event of deframer.push(chunk)) if (event.kind === 'frame') answers.push(event.message);
      if (answers.length >= count) resolve(answers);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => fail(`connection failed (${error.code ?? error.message})`));
    socket.on('close', () => {
      clearTimeout(timer);
      fail('the connection was closed');
    });
    socket.on('connect', () => void writeEach(socket, pieces));
  }).finally(() => socket.destroy());
}

/** Each piece leaves before the next one is written: what is written at once travels in one packet. */
async function writeEach(socket: Socket, pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => socket.write(piece, () => setImmediate(resolve)));
  }
}
