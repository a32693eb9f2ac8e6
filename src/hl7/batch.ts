import { SwfError } from '../platform/errors.ts';
import { encodingCharacters, guessDelimiters, standardDelimiters } from './delimiters.ts';
import type { Delimiters } from './delimiters.ts';
import { joinTrimmed } from './encode.ts';
import { fromMsh, mshFields } from './header.ts';
import { formatTimestamp } from './timestamp.ts';

/** FHS or BHS: the same fields (HL7 v2.5.1 2.14.6, 2.14.2), as they were sent, FHS-1 and BHS-1 at index 1. */
export interface BatchHeader {
  readonly delimiters: Delimiters;
  readonly rawFields: readonly string[];
}

/** Several messages in one content (HL7 v2.5.1 2.10.3): `[FHS] { [BHS] { MSH ... } [BTS] } [FTS]`. */
export interface Batch {
  readonly kind: 'batch';
  /** FHS, where the content is a file. */
  readonly file?: BatchHeader;
  /** In their order, each with its BHS where it has one and the number of its messages. */
  readonly batches: readonly { readonly header?: BatchHeader; readonly messages: number }[];
  /** The messages of all batches, byte for byte: each has its own MSH with delimiters and character set. */
  readonly messages: readonly Uint8Array[];
  /** What is odd and does no harm, as sentences without content. */
  readonly remarks: readonly string[];
}

/** What an answer to a batch says of itself. */
export interface BatchAnswer {
  /** Our own FHS-11 and BHS-11. */
  readonly controlId: string;
  readonly now: Date;
  /** IANA name, for the offset in FHS-7 and BHS-7. */
  readonly timeZone: string;
}

// A message of a few bytes would otherwise take many times its size in memory.
const mostMessages = 10_000;

// BHS-11
const longestControlId = 20;

const frameNames = ['FHS', 'BHS', 'MSH', 'BTS', 'FTS'] as const;
type FrameName = (typeof frameNames)[number];

interface Line {
  readonly name: FrameName | undefined;
  /** One byte a character. */
  readonly text: string;
  readonly start: number;
}

/** The lines one by one, named where they open or close something; CR, LF or both end a line. */
function* linesOf(content: Buffer): Generator<Line> {
  for (const { 0: text, index } of content.toString('latin1').matchAll(/[^\r\n]+/g)) {
    const name = frameNames.find((candidate) => text.startsWith(candidate) && !/[0-9A-Za-z]/.test(text.charAt(3)));
    yield { name, text, start: index };
  }
}

function misplaced(sentence: string, location: string): SwfError {
  return new SwfError('segment-sequence', `${sentence}; a batch is FHS, BHS, messages, BTS, FTS in this order`, {
    location,
  });
}

function headerOf({ text }: Line): BatchHeader {
  const delimiters = guessDelimiters(text) ?? standardDelimiters;
  return { delimiters, rawFields: mshFields(text, delimiters.field) };
}

/** What is known while the lines are read. */
interface Progress {
  file: BatchHeader | undefined;
  readonly batches: { header?: BatchHeader; messages: number }[];
  readonly starts: { readonly start: number; end: number }[];
  readonly remarks: string[];
  /** outside: no batch is open; ended: FTS was read. */
  place: 'outside' | 'batch' | 'message' | 'ended';
}

function openBatch(progress: Progress, header?: BatchHeader): void {
  progress.batches.push({ messages: 0, ...(header ? { header } : {}) });
  progress.place = 'batch';
}

function closeMessage({ starts }: Progress, end: number): void {
  const last = starts.at(-1);
  if (last) last.end = Math.min(last.end, end);
}

/** BTS-1 and FTS-1 are optional; where they are there, they should agree. */
function checkCount(progress: Progress, line: Line, { expected, header }: { expected: number; header?: BatchHeader }) {
  const { field } = (header ?? progress.file)?.delimiters ?? standardDelimiters;
  const told = (line.text.split(field)[1] ?? '').trim();
  if (told !== '' && Number(told) !== expected) {
    progress.remarks.push(`${line.name}-1 does not give the number that there are, which is ${expected}`);
  }
}

type Step = (progress: Progress, line: Line) => void;

const steps: Readonly<Record<FrameName, Step>> = {
  FHS: (progress, line) => {
    if (line.start > 0 || progress.file) throw misplaced('FHS does not begin the content', 'FHS^2');
    progress.file = headerOf(line);
  },
  BHS: (progress, line) => {
    if (progress.place === 'batch' || progress.place === 'message') {
      progress.remarks.push('BHS follows a batch that BTS does not end');
    }
    openBatch(progress, headerOf(line));
  },
  MSH: (progress, line) => {
    if (progress.place === 'outside') {
      if (progress.batches.length > 0) progress.remarks.push('MSH follows BTS without a BHS');
      openBatch(progress);
    }
    const batch = progress.batches.at(-1);
    if (batch) batch.messages += 1;
    progress.starts.push({ start: line.start, end: Infinity });
    progress.place = 'message';
    if (progress.starts.length <= mostMessages) return;
    throw new SwfError('segment-sequence', `the batch has more than ${mostMessages} messages; send several batches`);
  },
  BTS: (progress, line) => {
    if (progress.place === 'outside') throw misplaced('BTS ends a batch that has not begun', 'BTS^1');
    const batch = progress.batches.at(-1);
    if (!batch?.header) progress.remarks.push('BTS ends a batch that has no BHS');
    checkCount(progress, line, { expected: batch?.messages ?? 0, ...batch });
    progress.place = 'outside';
  },
  FTS: (progress, line) => {
    if (!progress.file) progress.remarks.push('FTS ends a file that has no FHS');
    checkCount(progress, line, { expected: progress.batches.length });
    progress.place = 'ended';
  },
};

function readLine(progress: Progress, line: Line): void {
  if (progress.place === 'ended') throw misplaced('something follows FTS', 'FTS^1');
  if (line.name) {
    closeMessage(progress, line.start);
    return steps[line.name](progress, line);
  }
  if (progress.place !== 'message') throw misplaced('a segment of the batch belongs to no message', 'BHS^1');
}

/** What was opened by a header and is not closed may have lost its end. */
function checkEnd({ place, file, batches, remarks }: Progress): void {
  const isOpen = (place === 'batch' || place === 'message') && batches.at(-1)?.header;
  if (isOpen) remarks.push('the batch does not end with BTS');
  if (file && place !== 'ended') remarks.push('the file does not end with FTS');
}

/**
 * Takes a content that begins with FHS or BHS apart; `message` for any other, which parseMessage takes.
 * @throws SwfError 'segment-sequence' where a message could be lost: wrong order, segments outside of messages
 */
export function splitBatch(bytes: Uint8Array): { readonly kind: 'message' } | Batch {
  const content = fromMsh(bytes);
  if (!/^[FB]HS(?![0-9A-Za-z])/.test(content.toString('latin1', 0, 4))) return { kind: 'message' };
  const progress: Progress = { file: undefined, batches: [], starts: [], remarks: [], place: 'outside' };
  for (const line of linesOf(content)) readLine(progress, line);
  checkEnd(progress);
  const { file, batches, starts, remarks } = progress;
  return {
    kind: 'batch',
    ...(file ? { file } : {}),
    batches,
    messages: starts.map(({ start, end }) => content.subarray(start, Math.min(end, content.length))),
    remarks,
  };
}

/** FHS or BHS of an answer: sender and receiver change places, and field 12 refers to the control id of the request. */
function answeringHeader(name: 'FHS' | 'BHS', { delimiters, rawFields }: BatchHeader, answer: BatchAnswer): string {
  // eslint-disable-next-line no-control-regex
  const echo = (field: number): string => (rawFields[field] ?? '').replace(/[\x00-\x1F\x7F]/g, '');
  const time = formatTimestamp(answer.now, answer.timeZone);
  const parties = [echo(5), echo(6), echo(3), echo(4)];
  const fields = [name, encodingCharacters(delimiters), ...parties, time, '', '', '', answer.controlId, echo(11)];
  return `${joinTrimmed(fields, delimiters.field)}\r`;
}

function withLineEnd(message: Uint8Array): Buffer {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  return bytes.at(-1) === 0x0d ? bytes : Buffer.concat([bytes, Buffer.of(0x0d)]);
}

/**
 * The acknowledgements of a batch as a batch, with the segments around them that the request had (HL7 v2.5.1
 * 2.10.3.3). `answers` are those of batch.messages in their order, undefined for a message that wants none.
 */
export function batchAnswer(
  batch: Batch,
  answers: readonly (Uint8Array | undefined)[],
  answer: BatchAnswer,
): Uint8Array {
  const { file } = batch;
  const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
  let next = 0;
  const parts = batch.batches.flatMap(({ header, messages }, index) => {
    const own = answers.slice(next, (next += messages)).flatMap((bytes) => (bytes ? [withLineEnd(bytes)] : []));
    if (!header) return own;
    const suffix = index === 0 ? '' : `.${index + 1}`;
    const controlId = answer.controlId.slice(0, longestControlId - suffix.length) + suffix;
    const { field } = header.delimiters;
    const bhs = answeringHeader('BHS', header, { ...answer, controlId });
    return [latin1(bhs), ...own, latin1(`BTS${field}${own.length}\r`)];
  });
  const head = file ? [latin1(answeringHeader('FHS', file, answer))] : [];
  const tail = file ? [latin1(`FTS${file.delimiters.field}${batch.batches.length}\r`)] : [];
  return Buffer.concat([...head, ...parts, ...tail]);
}
