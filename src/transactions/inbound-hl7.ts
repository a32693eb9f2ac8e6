import { createHash } from 'node:crypto';
import { buildAck } from '../hl7/ack.ts';
import { type Hl7Header, parseMessage, readHeader } from '../hl7/message.ts';
import { type Reading, type SenderRules, expected, startReading } from '../mapping/reader.ts';
import { SwfError, describeError, toSwfError } from '../platform/errors.ts';
import { type InboundMessage, admit } from '../store/messages.ts';
import type { Department } from './department.ts';
import { journalRefused } from './refusals.ts';
import { type Unit, runUnit } from './unit-of-work.ts';

/** An HL7 message that is being carried out. */
export interface InboundHl7 {
  readonly reading: Reading;
  readonly messageId: number;
  readonly at: Date;
  /** MSH-3.1 and MSH-4.1 */
  readonly sendingApplication: string;
  readonly sendingFacility: string;
}

/** An IHE transaction that comes in by HL7. */
export interface InboundHl7Transaction {
  readonly id: string;
  readonly name: string;
  /** MSH-9 as `TYPE^EVENT`. */
  readonly accepts: readonly string[];
  handle(unit: Unit, inbound: InboundHl7): Promise<void>;
}

/** Versions whose structure and content a department can read: those of SWF and SWF.b and everything newer. */
const versions = new Set(['2.3.1', '2.4', '2.5', '2.5.1', '2.6', '2.7', '2.7.1', '2.8', '2.8.1', '2.8.2', '2.9']);
const processingIds = new Set(['', 'P', 'T', 'D']);

type Sender = Department['config']['senders'][number];

function senderOf(department: Department, header: Hl7Header): Sender | undefined {
  return department.config.senders.find(
    ({ match }) =>
      (match.application === undefined || match.application === header.sendingApplication) &&
      (match.facility === undefined || match.facility === header.sendingFacility),
  );
}

function rulesOf(department: Department, header: Hl7Header, sender: Sender | undefined): SenderRules {
  return {
    assigningAuthority: sender?.assigningAuthority ?? (header.sendingFacility || header.sendingApplication),
    station: sender?.station,
    serviceCode: sender?.serviceCode ?? 'OBR-4.1',
    timeZone: department.config.organisation.timeZone,
    validation: department.config.policy.validation,
  };
}

function requireHeader(value: string, location: string, what: string): void {
  if (value === '') throw new SwfError('required-field-missing', `${what} is empty`, { location });
}

/** MSH before anything else is read: type, event, control id, processing id, version, receiver (ITI TF-2 Appendix C). */
function checkHeader(department: Department, header: Hl7Header): void {
  requireHeader(header.messageType, 'MSH^1^9^1^1', 'the message type (MSH-9.1)');
  requireHeader(header.controlId, 'MSH^1^10', 'the message control id (MSH-10)');
  requireHeader(header.version, 'MSH^1^12', 'the version (MSH-12)');
  if (!processingIds.has(header.processingId)) {
    throw new SwfError('unsupported-processing-id', 'the processing id (MSH-11) is P, T or D', {
      location: 'MSH^1^11',
    });
  }
  if (!versions.has(header.version)) {
    throw new SwfError('unsupported-version', 'the version (MSH-12) is not supported; supported is 2.3.1 and later', {
      location: 'MSH^1^12',
    });
  }
  if (department.config.policy.receiver === 'ours') checkReceiver(department, header);
}

function checkReceiver(department: Department, header: Hl7Header): void {
  const { application, facility } = department.config.organisation;
  requireHeader(header.receivingApplication, 'MSH^1^5', 'the receiving application (MSH-5)');
  requireHeader(header.receivingFacility, 'MSH^1^6', 'the receiving facility (MSH-6)');
  if (header.receivingApplication !== application)
    throw new SwfError('value-not-found', 'the message is for another application (MSH-5)', { location: 'MSH^1^5' });
  if (header.receivingFacility !== facility)
    throw new SwfError('value-not-found', 'the message is for another facility (MSH-6)', { location: 'MSH^1^6' });
}

function transactionFor(transactions: readonly InboundHl7Transaction[], header: Hl7Header): InboundHl7Transaction {
  const found = transactions.find(({ accepts }) => accepts.includes(`${header.messageType}^${header.triggerEvent}`));
  if (found) return found;
  const typeKnown = transactions.some(({ accepts }) =>
    accepts.some((type) => type.startsWith(`${header.messageType}^`)),
  );
  if (typeKnown)
    throw new SwfError('unsupported-event', 'this event (MSH-9.2) is not supported', { location: 'MSH^1^9^1^2' });
  throw new SwfError('unsupported-message-type', 'this message type (MSH-9.1) is not supported', {
    location: 'MSH^1^9^1^1',
  });
}

// Tab, line feed, form feed and carriage return may stand in a message.
const isControl = (byte: number): boolean =>
  byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0c && byte !== 0x0d;
const MSH7 = 6;

/** The content with MSH-7 left out: a sender that sends a message again may stamp it anew. */
function contentKeyOf(header: Hl7Header, bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  const content = text.slice(text.indexOf('MSH'));
  const end = content.search(/[\r\n]/);
  const separator = header.delimiters.field;
  const msh = (end < 0 ? content : content.slice(0, end)).split(separator);
  if (msh.length > MSH7) msh[MSH7] = '';
  const hash = createHash('sha256');
  const { sendingApplication, sendingFacility, controlId } = header;
  for (const part of [sendingApplication, sendingFacility, controlId, msh.join(separator)]) hash.update(`${part}\0`);
  return hash.update(end < 0 ? '' : content.slice(end), 'latin1').digest('hex');
}

/** One message with everything needed to answer and to journal it. */
interface Received {
  readonly header: Hl7Header;
  readonly bytes: Uint8Array;
  readonly at: Date;
  readonly inbound: InboundMessage;
}

function receive(
  department: Department,
  transactions: readonly InboundHl7Transaction[],
  header: Hl7Header,
  bytes: Uint8Array,
): Received {
  const at = department.clock.now();
  const messageType = header.triggerEvent === '' ? header.messageType : `${header.messageType}^${header.triggerEvent}`;
  const inbound: InboundMessage = {
    protocol: 'HL7',
    transaction: transactions.find(({ accepts }) => accepts.includes(messageType))?.id,
    messageType,
    controlId: header.controlId,
    sendingApplication: header.sendingApplication,
    sendingFacility: header.sendingFacility,
    raw: bytes,
    at,
  };
  return { header, bytes, at, inbound };
}

function acknowledge(
  department: Department,
  received: Received,
  code: 'AA' | 'AE' | 'AR',
  failure?: SwfError,
): Uint8Array {
  const error = failure && {
    hl7: failure.failure.hl7,
    text: failure.message,
    ...(failure.place.location === undefined ? {} : { location: failure.place.location }),
  };
  return buildAck(received.header, {
    code,
    controlId: department.ids.controlId(),
    now: received.at,
    timeZone: department.config.organisation.timeZone,
    ...(error ? { error } : {}),
  });
}

interface Outcome {
  readonly answer: Uint8Array;
  readonly messageId: number;
  readonly outcome: 'AA' | 'duplicate';
}

async function carryOut(
  department: Department,
  transactions: readonly InboundHl7Transaction[],
  received: Received,
): Promise<Outcome> {
  const { header, bytes, at } = received;
  checkHeader(department, header);
  const transaction = transactionFor(transactions, header);
  const sender = senderOf(department, header);
  const message = parseMessage(bytes, sender?.characterSet === undefined ? {} : { characterSet: sender.characterSet });
  if (bytes.some(isControl)) {
    const sentence = 'the message holds control characters, perhaps of a character set that MSH-18 does not name';
    throw new SwfError('data-type', sentence, { location: 'MSH^1^18' });
  }
  const answer = acknowledge(department, received, 'AA');
  return runUnit(department, async (unit) => {
    const admission = await admit(unit.tx, received.inbound, contentKeyOf(header, bytes), {
      code: 'AA',
      bytes: answer,
    });
    if (admission.kind === 'duplicate')
      return { answer: admission.answer, messageId: admission.messageId, outcome: 'duplicate' };
    const reading = startReading(message, rulesOf(department, header, sender));
    expected(reading, header.dateTime !== '', 'MSH^1^7', 'the message time (MSH-7)');
    if (admission.controlIdReused) reading.remarks.push('this control id (MSH-10) came before with other content');
    const { messageId } = admission;
    const { sendingApplication, sendingFacility } = header;
    await transaction.handle(unit, { reading, messageId, at, sendingApplication, sendingFacility });
    return { answer, messageId, outcome: 'AA' };
  });
}

/** The answer to a message that was refused; everything it did is rolled back, and then it is journalled with the answer. */
async function refuse(department: Department, received: Received, failure: SwfError): Promise<Uint8Array> {
  const { ack } = failure.failure;
  const answer = acknowledge(department, received, ack, failure);
  await journalRefused(department, received.inbound, { code: ack, bytes: answer }, failure.message);
  return answer;
}

/** What of an unchecked header may stand in a log: names that look like names, nothing that could be content. */
function loggable({ header, inbound }: Received): { peer: string; transaction: string } {
  const peer = /^[A-Za-z0-9_.-]{1,40}$/.test(header.sendingApplication) ? header.sendingApplication : '';
  const type = /^[A-Z]{3}\^[A-Z][0-9]{2}$/.test(inbound.messageType) ? inbound.messageType : '';
  return { peer, transaction: inbound.transaction ?? type };
}

/**
 * Carries out one HL7 message and returns its acknowledgement; what the answer promises is on disk by then.
 * Undefined when there is no readable MSH, or an acknowledgement: nothing is answered and the connection is closed.
 */
export async function receiveHl7(
  department: Department,
  transactions: readonly InboundHl7Transaction[],
  bytes: Uint8Array,
): Promise<Uint8Array | undefined> {
  const header = readHeader(bytes);
  if (!header) return undefined;
  const received = receive(department, transactions, header, bytes);
  if (header.messageType === 'ACK') {
    // HL7 v2.5.1 2.9.2: an acknowledgement is never acknowledged; two systems would go on for ever.
    department.log.warn(loggable(received), 'an acknowledgement came on a connection that takes messages');
    return undefined;
  }
  const durationMs = (): number => department.clock.now().getTime() - received.at.getTime();
  const shown = loggable(received);
  try {
    const { answer, messageId, outcome } = await carryOut(department, transactions, received);
    department.log.info({ messageId, ...shown, outcome, durationMs: durationMs() }, 'hl7 message');
    return answer;
  } catch (error) {
    const failure = toSwfError(error);
    if (!(error instanceof SwfError)) department.log.error(describeError(error), 'a message could not be carried out');
    const fields = {
      ...shown,
      outcome: failure.failure.ack,
      durationMs: durationMs(),
    };
    department.log.warn({ ...fields, error: `${failure.failure.hl7} ${failure.message}` }, 'hl7 message refused');
    return refuse(department, received, failure);
  }
}
