import { createHash } from 'node:crypto';
import { splitBatch, batchAnswer } from '../hl7/batch.ts';
import { type Hl7Header, type Hl7Message, parseMessage, readHeader, usesEscapes } from '../hl7/message.ts';
import { type Reading, expected, startReading } from '../mapping/reader.ts';
import { SwfError, describeError, toSwfError } from '../platform/errors.ts';
import { admit, admitAgain } from '../store/messages.ts';
import type { Department } from './department.ts';
import {
  type Acknowledgement,
  type Received,
  acknowledge,
  applicationAcknowledgement,
  received,
} from './inbound-answers.ts';
import { type Sender, checkHeader, rulesOf, senderOf, transactionFor } from './inbound-header.ts';
import { refuse } from './inbound-refusal.ts';
import { type Unit, deliver, runUnit } from './unit-of-work.ts';

/** An HL7 message that is being carried out. */
export interface InboundHl7 {
  readonly reading: Reading;
  readonly messageId: number;
  readonly at: Date;
  /** MSH-3.1 and MSH-4.1 */
  readonly sendingApplication: string;
  readonly sendingFacility: string;
  /** What the site allows this sender beyond the usual. */
  readonly sender: Pick<Sender, 'orderControls'>;
}

/** An IHE transaction that comes in by HL7. */
export interface InboundHl7Transaction {
  readonly id: string;
  readonly name: string;
  /** MSH-9 as `TYPE^EVENT`. */
  readonly accepts: readonly string[];
  handle(unit: Unit, inbound: InboundHl7): Promise<void>;
}

// Tab, line feed, form feed and carriage return may stand in a message.
const usual = new Set([0x09, 0x0a, 0x0c, 0x0d]);
// ESC, SO and SI switch between character sets, where MSH-18 names such.
const switching = new Set([0x1b, 0x0e, 0x0f]);
const MSH7 = 6;

function checkBytes(header: Hl7Header, bytes: Uint8Array): void {
  const switched = usesEscapes(header);
  const allowed = (byte: number): boolean => byte >= 0x20 || usual.has(byte) || (switched && switching.has(byte));
  if (bytes.every(allowed)) return;
  const sentence = 'the message holds control characters, perhaps of a character set that MSH-18 does not name';
  throw new SwfError('data-type', sentence, { location: 'MSH^1^18' });
}

const isLineEnd = (byte: number | undefined): boolean => byte === 0x0d || byte === 0x0a;

/** The content with MSH-7 and the end of its last line left out: a sender may stamp and end a copy anew. */
export function contentKeyOf(header: Hl7Header, bytes: Uint8Array): string {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = Math.max(0, content.indexOf('MSH'));
  let stop = content.length;
  while (stop > start && isLineEnd(content[stop - 1])) stop--;
  const line = content.subarray(start, stop).findIndex(isLineEnd);
  const end = line < 0 ? stop : start + line;
  const separator = header.delimiters.field;
  const msh = content.toString('latin1', start, end).split(separator);
  if (msh.length > MSH7) msh[MSH7] = '';
  const hash = createHash('sha256');
  const { sendingApplication, sendingFacility, controlId } = header;
  for (const part of [sendingApplication, sendingFacility, controlId, msh.join(separator)]) hash.update(`${part}\0`);
  // A message as it should end: so is what senders that end it well have always been known by.
  return hash.update(content.subarray(end, stop)).update('\r').digest('hex');
}

/** A message that can be carried out: its header holds, its text is read. */
export interface Prepared {
  readonly received: Received;
  readonly transaction: InboundHl7Transaction;
  readonly message: Hl7Message;
  readonly sender: Sender | undefined;
}

/** Checks and reads a message; nothing is stored. Throws SwfError with the place of what is wrong. */
export function prepare(
  department: Department,
  transactions: readonly InboundHl7Transaction[],
  message: Received,
): Prepared {
  const { header, bytes } = message;
  checkHeader(department, header);
  const transaction = transactionFor(transactions, header);
  const sender = senderOf(department, header);
  const parsed = parseMessage(bytes, sender?.characterSet === undefined ? {} : { characterSet: sender.characterSet });
  checkBytes(parsed.header, bytes);
  return { received: message, transaction, message: parsed, sender };
}

/** Carries out a message that was admitted to the journal, within its unit; gives what was odd about it. */
export async function execute(
  unit: Unit,
  { received: { header, at }, transaction, message, sender }: Prepared,
  admission: { readonly messageId: number; readonly remarks: readonly string[] },
): Promise<Reading> {
  const reading = startReading(message, rulesOf(unit.department, header, sender));
  expected(reading, header.dateTime !== '', 'MSH^1^7', 'the message time (MSH-7)');
  reading.remarks.push(...admission.remarks);
  const { messageId } = admission;
  const { sendingApplication, sendingFacility } = header;
  const settings = { orderControls: sender?.orderControls ?? [] };
  await transaction.handle(unit, { reading, messageId, at, sendingApplication, sendingFacility, sender: settings });
  return reading;
}

const reused = 'this control id (MSH-10) came before with other content';

interface Outcome {
  readonly acknowledgement: Acknowledgement;
  readonly messageId: number;
  readonly outcome: 'AA' | 'duplicate';
  readonly controlIdReused: boolean;
}

async function carryOut(department: Department, prepared: Prepared, odd: readonly string[]): Promise<Outcome> {
  const { received: message, sender } = prepared;
  const { header, bytes, inbound, at } = message;
  const acknowledgement = acknowledge(department, message, { code: 'AA', sender });
  const { answer } = acknowledgement;
  return runUnit(department, async (unit): Promise<Outcome> => {
    const admission = await admit(unit.tx, inbound, contentKeyOf(header, bytes), { code: 'AA', bytes: answer });
    const { messageId } = admission;
    if (admission.kind === 'duplicate') {
      const stored = { ...acknowledgement, answer: admission.answer };
      return { acknowledgement: stored, messageId, outcome: 'duplicate', controlIdReused: false };
    }
    const { controlIdReused } = admission;
    await execute(unit, prepared, { messageId, remarks: controlIdReused ? [...odd, reused] : odd });
    await deliver(unit, applicationAcknowledgement(department, message, { code: 'AA', sender }), at);
    return { acknowledgement, messageId, outcome: 'AA', controlIdReused };
  });
}

/**
 * Carries out once more what a stored message says, as a new entry of the journal. Where it was refused before, the
 * entry is the one that a copy from its sender is answered from now on.
 */
async function carryOutAgain(department: Department, prepared: Prepared, replayOf: number): Promise<Outcome> {
  const { received: message } = prepared;
  const acknowledgement = acknowledge(department, message, { code: 'AA', sender: undefined });
  const answer = { code: 'AA', bytes: acknowledgement.answer };
  return runUnit(department, async (unit): Promise<Outcome> => {
    const remarks = [`message ${replayOf} was carried out again`];
    const admission = await admit(unit.tx, message.inbound, contentKeyOf(message.header, message.bytes), answer);
    const known = admission.kind === 'duplicate';
    const messageId = known ? await admitAgain(unit.tx, message.inbound, answer) : admission.messageId;
    await execute(unit, prepared, { messageId, remarks });
    return { acknowledgement, messageId, outcome: 'AA', controlIdReused: false };
  });
}

/** What of an unchecked header may stand in a log: names that look like names, nothing that could be content. */
function loggable({ header, inbound }: Received): { peer: string; transaction: string } {
  const peer = /^[A-Za-z0-9_.-]{1,40}$/.test(header.sendingApplication) ? header.sendingApplication : '';
  const type = /^[A-Z]{3}\^[A-Z][0-9]{2}$/.test(inbound.messageType) ? inbound.messageType : '';
  return { peer, transaction: inbound.transaction ?? type };
}

/** What became of a message. */
export interface Handled {
  /** What the sender is answered, if it wants to be. */
  readonly acknowledgement: Acknowledgement;
  /** MSA-1 as the original mode has it. */
  readonly code: 'AA' | 'AE' | 'AR';
  /** Undefined where not even the journal could be written. */
  readonly messageId: number | undefined;
}

/** Carries out one message and journals it with its answer; what the answer promises is on disk by then. */
export async function handleMessage(
  department: Department,
  transactions: readonly InboundHl7Transaction[],
  message: Received,
  { replayOf, remarks = [] }: { readonly replayOf?: number; readonly remarks?: readonly string[] } = {},
): Promise<Handled> {
  const durationMs = (): number => department.clock.now().getTime() - message.at.getTime();
  const shown = loggable(message);
  try {
    const prepared = prepare(department, transactions, message);
    const done =
      replayOf === undefined ? carryOut(department, prepared, remarks) : carryOutAgain(department, prepared, replayOf);
    const { acknowledgement, messageId, outcome, controlIdReused } = await done;
    department.log.info({ messageId, ...shown, outcome, durationMs: durationMs() }, 'hl7 message');
    if (controlIdReused)
      department.log.warn({ messageId, ...shown }, 'alarm: a control id was used again with other content');
    return { acknowledgement, code: 'AA', messageId };
  } catch (error) {
    const failure = toSwfError(error);
    if (!(error instanceof SwfError)) department.log.error(describeError(error), 'a message could not be carried out');
    const code = failure.failure.ack;
    const refused = await refuse(department, message, failure, { replayed: replayOf !== undefined });
    const place = failure.place.location === undefined ? '' : ` (${failure.place.location})`;
    const fields = { messageId: refused.messageId, ...shown, outcome: code, durationMs: durationMs() };
    department.log.warn(
      { ...fields, error: `${failure.failure.hl7} ${failure.message}${place}` },
      'hl7 message refused',
    );
    return { ...refused, code };
  }
}

async function receiveOne(
  department: Department,
  transactions: readonly InboundHl7Transaction[],
  bytes: Uint8Array,
  remarks: readonly string[] = [],
): Promise<Uint8Array | 'silent' | undefined> {
  const header = readHeader(bytes);
  if (!header) return undefined;
  const message = received(department, transactions, header, bytes);
  if (header.messageType === 'ACK') {
    // HL7 v2.5.1 2.9.2: an acknowledgement is never acknowledged; two systems would go on for ever.
    department.log.warn(loggable(message), 'an acknowledgement came on a connection that takes messages');
    return undefined;
  }
  const { acknowledgement } = await handleMessage(department, transactions, message, { remarks });
  return acknowledgement.wanted ? acknowledgement.answer : 'silent';
}

/**
 * Carries out what one frame holds, a message or a batch (HL7 v2.5.1 2.10.3), and returns its acknowledgement.
 * Undefined when there is no readable MSH, or an acknowledgement: nothing is answered and the connection is closed.
 */
export async function receiveHl7(
  department: Department,
  transactions: readonly InboundHl7Transaction[],
  bytes: Uint8Array,
): Promise<Uint8Array | 'silent' | undefined> {
  let batch: ReturnType<typeof splitBatch>;
  try {
    batch = splitBatch(bytes);
  } catch (error) {
    return refuseBatch(department, transactions, { bytes, failure: toSwfError(error) });
  }
  if (batch.kind === 'message') return receiveOne(department, transactions, bytes);
  const answers: (Uint8Array | undefined)[] = [];
  for (const [index, message] of batch.messages.entries()) {
    // What is odd about the batch stands with its first message: the journal has no entry for a batch.
    const answer = await receiveOne(department, transactions, message, index === 0 ? batch.remarks : []);
    answers.push(answer === 'silent' ? undefined : answer);
  }
  const [first] = answers;
  // Around one message a batch is an envelope and no more: many senders can read nothing but an ACK.
  if (answers.length === 1) return first ?? 'silent';
  const { clock, config, ids } = department;
  const { timeZone } = config.organisation;
  return batchAnswer(batch, answers, { controlId: ids.controlId(), now: clock.now(), timeZone });
}

/** A batch that cannot be taken apart is answered as its first message would be: nothing of it is done. */
async function refuseBatch(
  department: Department,
  transactions: readonly InboundHl7Transaction[],
  { bytes, failure }: { readonly bytes: Uint8Array; readonly failure: SwfError },
): Promise<Uint8Array | undefined> {
  const first = Buffer.from(bytes).indexOf('MSH');
  const header = first < 0 ? undefined : readHeader(bytes.subarray(first));
  if (!header) return undefined;
  const message = received(department, transactions, header, bytes);
  department.log.warn({ ...loggable(message), error: failure.message }, 'hl7 batch refused');
  return (await refuse(department, message, failure)).acknowledgement.answer;
}
