import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDeframer, frame } from '../../src/hl7/mllp.ts';
import type { DeframeEvent } from '../../src/hl7/mllp.ts';
import { failureOf } from './support.ts';

const limit = { messageBytes: 1000 };

/** What a stream becomes when it is cut into these chunks; junk is added up. */
function read(chunks: readonly Uint8Array[], messageBytes = 1000): (string | number)[] {
  const deframer = createDeframer({ messageBytes });
  const seen: (string | number)[] = [];
  const note = (event: DeframeEvent): void => {
    if (event.kind === 'frame') return void seen.push(Buffer.from(event.message).toString('latin1'));
    if (event.kind === 'too-large') return void seen.push('TOO LARGE');
    const last = seen.at(-1);
    if (typeof last === 'number') seen[seen.length - 1] = last + event.bytes;
    else seen.push(event.bytes);
  };
  for (const chunk of chunks) deframer.push(chunk).forEach(note);
  return seen;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('MLLP frames (HL7 Transport Specification: MLLP, Release 1)', () => {
  it('puts a message between start block and end block', () => {
    expect(Buffer.from(frame(bytes('MSH|\r'))).toString('latin1')).toBe('\x0bMSH|\r\x1c\r');
  });

  it('refuses to frame a message that holds an end block', () => {
    expect(failureOf(() => frame(bytes('MSH|\x1c\rMSH'))).code).toBe('internal');
  });

  it('finds one, two and an empty message in a chunk', () => {
    expect(read([bytes('\x0bA\x1c\r')])).toEqual(['A']);
    expect(read([bytes('\x0bA\x1c\r\x0bB\x1c\r')])).toEqual(['A', 'B']);
    expect(read([bytes('\x0b\x1c\r')])).toEqual(['']);
  });

  it('takes an end block without CR for data', () => {
    expect(read([bytes('\x0bA\x1cB\x1c\x1c\n\r\x1c\r')])).toEqual(['A\x1cB\x1c\x1c\n\r']);
    expect(read([bytes('\x0bA\x1c\x1c\r')])).toEqual(['A\x1c']);
  });

  it('given a frame that was cut off before another one, then only the whole one counts: two messages are never glued', () => {
    expect(read([bytes('\x0bMSH|A\x0bMSH|B\x1c\r')])).toEqual([1, 'MSH|B']);
    expect(read([bytes('\x0bMSH|A'), bytes('\x0bMSH|B\x1c'), bytes('\r')])).toEqual([1, 'MSH|B']);
  });

  it('skips what is between frames and counts it, line ends apart', () => {
    expect(read([bytes('junk\x0bA\x1c\r\r\n\r\x0bB\x1c\rx\x1c\r')])).toEqual([4, 'A', 'B', 2]);
  });

  it('gives nothing for half a frame, and knows that it is open', () => {
    const deframer = createDeframer(limit);
    expect(deframer.open).toBe(false);
    expect(deframer.push(bytes('\x0bA\x1c'))).toEqual([]);
    expect(deframer.open).toBe(true);
    expect(deframer.push(bytes('\r'))).toHaveLength(1);
    expect(deframer.open).toBe(false);
  });

  it('tells a message that is too large once and reads the next', () => {
    expect(read([bytes(`\x0b${'A'.repeat(11)}\x1cA\x1c\r\x0bB\x1c\r`)], 10)).toEqual(['TOO LARGE', 'B']);
    expect(read([bytes(`\x0b${'A'.repeat(10)}\x1c\r`)], 10)).toEqual(['A'.repeat(10)]);
    expect(read([bytes(`\x0b${'A'.repeat(10)}\x1c`), bytes('\x1c\r')], 10)).toEqual(['TOO LARGE']);
  });

  it('gives messages that later chunks do not change', () => {
    const deframer = createDeframer(limit);
    const [first] = deframer.push(bytes('\x0bAAAA\x1c\r'));
    deframer.push(bytes('\x0bBBBB\x1c\r'));
    expect(first).toEqual({ kind: 'frame', message: Uint8Array.from(bytes('AAAA')) });
  });
});

describe('a stream that arrives in pieces', () => {
  it('is the same at every split point', () => {
    const stream = bytes('x\x0bMSH|1\r\x1c\r\r\n\x0bMSH\x1c2\x1c\x1c\ryy\x0b\x1c\r');
    const whole = read([stream]);
    expect(whole).toEqual([1, 'MSH|1\r', 'MSH\x1c2\x1c', 2, '']);
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        const chunks = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)];
        expect(read(chunks)).toEqual(whole);
      }
    }
  });

  it('is the same for any bytes in any pieces', () => {
    const piece = fc.array(fc.constantFrom(0x0b, 0x1c, 0x0d, 0x0a, 0x41, 0xff), { maxLength: 9 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const chunks = pieces.map((values) => Uint8Array.from(values));
        expect(read(chunks, 12)).toEqual(read([Buffer.concat(chunks)], 12));
      }),
      { seed: 5, numRuns: 2000 },
    );
  });

  it('gives back every message that was framed, whatever is between them', () => {
    const message = fc.stringMatching(/^[A-Z|^\r\n]{0,40}$/);
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), sizes, (messages, cuts) => {
        const stream = Buffer.concat(messages.map((text) => frame(bytes(text))));
        const chunks: Buffer[] = [];
        for (let at = 0, n = 0; at < stream.length; n++) {
          const size = cuts[n % cuts.length] ?? 1;
          chunks.push(stream.subarray(at, at + size));
          at += size;
        }
        expect(read(chunks)).toEqual(messages);
      }),
      { seed: 9, numRuns: 500 },
    );
  });

  it('takes a time that grows with its length, not with its square', () => {
    const deframer = createDeframer({ messageBytes: 4_000_000 });
    const one = Uint8Array.of(0x1c);
    deframer.push(Uint8Array.of(0x0b));
    for (let count = 0; count < 1_000_000; count++) deframer.push(one);
    const [event] = deframer.push(Uint8Array.of(0x0d));
    expect(event).toMatchObject({ kind: 'frame' });
    expect(event?.kind === 'frame' && event.message.length).toBe(999_999);
  }, 10_000);
});
