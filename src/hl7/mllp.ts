import { SwfError } from '../platform/errors.ts';

// The Minimal Lower Layer Protocol (HL7 Transport Specification: MLLP, Release 1).
const startBlock = 0x0b;
const endBlock = 0x1c;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

// Buffers beyond this are given back after a message; most messages fit.
const keptCapacity = 64 * 1024;

/** What a stretch of bytes turned out to be. */
export type DeframeEvent =
  | { readonly kind: 'frame'; readonly message: Uint8Array }
  /** Bytes outside of any frame; line ends there are tolerated and not counted. */
  | { readonly kind: 'junk'; readonly bytes: number }
  /** The frame is larger than the limit; the rest of it is skipped. */
  | { readonly kind: 'too-large' };

/** Puts messages together from chunks of any size. */
export interface Deframer {
  push(chunk: Uint8Array): DeframeEvent[];
  /** True inside a frame. */
  readonly open: boolean;
}

/**
 * A message between start block and end block.
 * @throws SwfError 'internal' when the message itself holds an end block, which encodeMessage never writes
 */
export function frame(message: Uint8Array): Uint8Array {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  if (bytes.includes(Buffer.of(endBlock, carriageReturn))) {
    throw new SwfError('internal', 'a message that holds the MLLP end block cannot be sent');
  }
  return Buffer.concat([Buffer.of(startBlock), bytes, Buffer.of(endBlock, carriageReturn)]);
}

/** Collects the bytes of one message; doubling keeps many small chunks linear. */
function createCollector(limit: number) {
  let buffer = new Uint8Array(1024);
  let length = 0;
  let overflown = false;
  const release = (): void => {
    length = 0;
    if (buffer.length > keptCapacity) buffer = new Uint8Array(1024);
  };
  return {
    /** True when the limit is passed with this very chunk. */
    add(chunk: Uint8Array): boolean {
      if (overflown) return false;
      if (length + chunk.length > limit) {
        overflown = true;
        release();
        return true;
      }
      if (length + chunk.length > buffer.length) {
        const larger = new Uint8Array(Math.max(buffer.length * 2, length + chunk.length));
        larger.set(buffer.subarray(0, length));
        buffer = larger;
      }
      buffer.set(chunk, length);
      length += chunk.length;
      return false;
    },
    /** The message, or undefined when it was too large; the collector is empty again. */
    take(): Uint8Array | undefined {
      const message = overflown ? undefined : buffer.slice(0, length);
      overflown = false;
      release();
      return message;
    },
  };
}

function countJunk(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => (byte === carriageReturn || byte === lineFeed ? count : count + 1), 0);
}

/** Where the next start block of a chunk is, its length when there is none; a chunk is searched once. */
function createStartSearch(): (chunk: Uint8Array, from: number) => number {
  let searched: { readonly chunk: Uint8Array; readonly start: number } | undefined;
  return (chunk, from) => {
    if (searched?.chunk !== chunk || searched.start < from) {
      const start = chunk.indexOf(startBlock, from);
      searched = { chunk, start: start < 0 ? chunk.length : start };
    }
    return searched.start;
  };
}

/**
 * Finds messages in a stream, wherever its chunks begin and end. An end block counts only when CR follows, a start
 * block inside a frame begins anew; everything else inside a frame is data. Bytes between frames are skipped and counted.
 */
export function createDeframer(limit: { messageBytes: number }): Deframer {
  const message = createCollector(limit.messageBytes);
  const endBlockAsData = Uint8Array.of(endBlock);
  let open = false;
  // The last byte was an end block: the next one decides what it means.
  let ending = false;

  /** Reads up to the next start block; gives the position behind what was read. */
  const readBetween = (chunk: Uint8Array, from: number, events: DeframeEvent[]): number => {
    const start = chunk.indexOf(startBlock, from);
    const end = start < 0 ? chunk.length : start;
    const bytes = countJunk(chunk.subarray(from, end));
    if (bytes > 0) events.push({ kind: 'junk', bytes });
    open = start >= 0;
    return end + 1;
  };

  const add = (bytes: Uint8Array, events: DeframeEvent[]): void => {
    if (message.add(bytes)) events.push({ kind: 'too-large' });
  };

  const nextStart = createStartSearch();

  /** A start block inside a frame: the message before it was cut off and must not be glued to the one that begins. */
  const abandon = (events: DeframeEvent[]): void => {
    message.take();
    events.push({ kind: 'junk', bytes: 1 });
  };

  /** Reads up to the next end block; gives the position behind what was read. */
  const readInside = (chunk: Uint8Array, from: number, events: DeframeEvent[]): number => {
    if (ending) {
      ending = false;
      if (chunk[from] === carriageReturn) {
        open = false;
        const complete = message.take();
        if (complete) events.push({ kind: 'frame', message: complete });
        return from + 1;
      }
      add(endBlockAsData, events);
    }
    const start = nextStart(chunk, from);
    const end = chunk.subarray(from, start).indexOf(endBlock);
    if (end < 0) {
      add(chunk.subarray(from, start), events);
      if (start < chunk.length) abandon(events);
      return start + 1;
    }
    add(chunk.subarray(from, from + end), events);
    ending = true;
    return from + end + 1;
  };

  return {
    push(chunk) {
      const events: DeframeEvent[] = [];
      let position = 0;
      while (position < chunk.length) {
        position = open ? readInside(chunk, position, events) : readBetween(chunk, position, events);
      }
      return events;
    },
    get open() {
      return open;
    },
  };
}
