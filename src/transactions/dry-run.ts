import { readHeader, readText } from '../hl7/message.ts';
import { SwfError, toSwfError } from '../platform/errors.ts';
import { acceptedBefore, admitAgain } from '../store/messages.ts';
import { type ProcedureShown, proceduresOfMessage } from '../store/read-dry-run.ts';
import type { DryRun } from './actions.ts';
import type { Department } from './department.ts';
import { type Received, acknowledge, received } from './inbound-answers.ts';
import { contentKeyOf, execute, prepare } from './inbound-hl7.ts';
import { inboundHl7Transactions } from './index.ts';
import { type Unit, runUnit } from './unit-of-work.ts';

/** Ends a unit whose effects nobody wants; its transaction is rolled back. */
class OnlyLooked extends Error {
  readonly seen: Seen;
  constructor(seen: Seen) {
    super('a dry run stores nothing');
    this.seen = seen;
  }
}

interface Seen extends ProcedureShown {
  readonly rules: readonly string[];
  readonly messages: DryRun['messages'];
}

const nothing: Seen = { rules: [], messages: [], procedures: [], history: [] };

const lines = (bytes: Uint8Array): string => (readText(bytes) ?? '').replaceAll('\r', '\n').trimEnd();

/**
 * What a message would do, had it come by MLLP: carried out in a transaction that is rolled back. Numbers that it takes
 * from the sequences stay taken, which is the only trace. Throws 'segment-sequence' for a text without MSH.
 */
export async function dryRun(department: Department, bytes: Uint8Array): Promise<DryRun> {
  const header = readHeader(bytes);
  if (!header) throw new SwfError('segment-sequence', 'the text does not begin with MSH', { location: 'MSH^1' });
  const message = received(department, inboundHl7Transactions, header, bytes);
  try {
    const prepared = prepare(department, inboundHl7Transactions, message);
    const { id, name } = prepared.transaction;
    const rules = [`MSH-9 ${message.inbound.messageType}: ${id} ${name}`, senderRule(department, prepared.sender)];
    const seen = await runUnit(department, (unit) => look(unit, message, prepared)).catch((error: unknown) => {
      if (error instanceof OnlyLooked) return error.seen;
      throw error;
    });
    const { answer } = acknowledge(department, message, { code: 'AA', sender: prepared.sender });
    return shown(message, answer, { code: 'AA', seen: { ...seen, rules: [...rules, ...seen.rules] } });
  } catch (error) {
    const failure = toSwfError(error);
    const { ack: code, hl7 } = failure.failure;
    const { answer } = acknowledge(department, message, { code, failure, sender: undefined });
    const place = failure.place.location === undefined ? '' : ` (${failure.place.location})`;
    return shown(message, answer, {
      code,
      seen: { ...nothing, rules: [`refused, ${hl7}: ${failure.message}${place}`] },
    });
  }
}

function senderRule(department: Department, sender: Department['config']['senders'][number] | undefined): string {
  const index = sender ? department.config.senders.indexOf(sender) : -1;
  return index < 0 ? 'no rule of senders matches: the usual ones' : `senders[${index}] matches MSH-3 and MSH-4`;
}

async function look(unit: Unit, message: Received, prepared: ReturnType<typeof prepare>): Promise<never> {
  const before = await acceptedBefore(unit.tx, contentKeyOf(message.header, message.bytes));
  if (before !== undefined) {
    const rules = [`a copy of message ${before}: its answer would be sent again and nothing else done`];
    throw new OnlyLooked({ ...nothing, rules });
  }
  const messageId = await admitAgain(unit.tx, message.inbound, { code: 'AA' });
  const reading = await execute(unit, prepared, { messageId, remarks: [] });
  const made = await proceduresOfMessage(unit.tx, messageId);
  const messages = unit.messages.map(({ destination, transaction, messageType, raw }) => {
    return { destination, transaction, messageType, text: lines(raw) };
  });
  throw new OnlyLooked({ ...made, messages, rules: [...unit.rules, ...reading.remarks] });
}

function shown(
  message: Received,
  answer: Uint8Array,
  { code, seen }: { readonly code: string; readonly seen: Seen },
): DryRun {
  return { answer: lines(answer), answerCode: code, transaction: message.inbound.transaction, ...seen };
}
