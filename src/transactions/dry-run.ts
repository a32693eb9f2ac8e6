import { readHeader } from '../hl7/message.ts';
import { SwfError, toSwfError } from '../platform/errors.ts';
import { acceptedBefore, admitAgain } from '../store/messages.ts';
import { type UnitShown, shownOfMessage } from '../store/read-unit.ts';
import type { DryRun } from './actions.ts';
import type { Department } from './department.ts';
import { type Received, acknowledge, applicationAcknowledgement, received } from './inbound-answers.ts';
import { senderOf } from './inbound-header.ts';
import { contentKeyOf, execute, prepare } from './inbound-hl7.ts';
import { repeatStatus } from './inbound-refusal.ts';
import { inboundHl7Transactions } from './index.ts';
import { OrderNotChangeable } from './order-change-requests.ts';
import { createPreview, messagesShown, segmentLines } from './preview.ts';
import { type Unit, deliver, runUnit } from './unit-of-work.ts';

interface Seen extends UnitShown {
  readonly rules: readonly string[];
  readonly messages: DryRun['messages'];
}

const nothing: Seen = { rules: [], messages: [], procedures: [], history: [] };

/**
 * What a message would do, had it come by MLLP: carried out in a transaction that is rolled back. Numbers that it takes
 * from the sequences stay taken, which is the only trace. Throws 'segment-sequence' for a text without MSH.
 */
export async function dryRun(department: Department, bytes: Uint8Array): Promise<DryRun> {
  const header = readHeader(bytes);
  if (!header) throw new SwfError('segment-sequence', 'the text does not begin with MSH', { location: 'MSH^1' });
  const message = received(department, inboundHl7Transactions, header, bytes);
  const rules: string[] = [];
  try {
    const prepared = prepare(department, inboundHl7Transactions, message);
    const { id, name } = prepared.transaction;
    rules.push(`MSH-9 ${message.inbound.messageType}: ${id} ${name}`, senderRule(department, prepared.sender));
    const seen = await onlyLook(department, (unit) => look(unit, message, prepared));
    const { answer } = acknowledge(department, message, { code: 'AA', sender: prepared.sender });
    return shown(message, answer, { code: 'AA', seen: { ...seen, rules: [...rules, ...seen.rules] } });
  } catch (error) {
    const failure = toSwfError(error);
    const { ack: code, hl7 } = failure.failure;
    const { answer } = acknowledge(department, message, { code, failure, sender: senderOf(department, header) });
    const place = failure.place.location === undefined ? '' : ` (${failure.place.location})`;
    const seen = failure instanceof OrderNotChangeable ? await lookAtRefusal(department, message, failure) : nothing;
    const refused = `refused, ${hl7}: ${failure.message}${place}`;
    return shown(message, answer, { code, seen: { ...seen, rules: [...rules, refused] } });
  }
}

function onlyLook(department: Department, work: (unit: Unit) => Promise<Seen>): Promise<Seen> {
  return runUnit({ ...department, preview: createPreview() }, work);
}

/** A change that comes too late is refused, and its placer is told how the order stands. */
async function lookAtRefusal(department: Department, message: Received, failure: OrderNotChangeable): Promise<Seen> {
  return onlyLook(department, async (unit) => {
    const messageId = await admitAgain(unit.tx, message.inbound, { code: failure.failure.ack });
    await repeatStatus(unit, message, { failure, messageId });
    const made = await shownOfMessage(unit.tx, messageId);
    return { ...made, rules: [], messages: messagesShown(unit.messages) };
  });
}

function senderRule(department: Department, sender: Department['config']['senders'][number] | undefined): string {
  const index = sender ? department.config.senders.indexOf(sender) : -1;
  return index < 0 ? 'no rule of senders matches: the usual ones' : `senders[${index}] matches MSH-3 and MSH-4`;
}

async function look(unit: Unit, message: Received, prepared: ReturnType<typeof prepare>): Promise<Seen> {
  const before = await acceptedBefore(unit.tx, contentKeyOf(message.header, message.bytes));
  if (before !== undefined) {
    const rules = [`a copy of message ${before}: its answer would be sent again and nothing else done`];
    return { ...nothing, rules };
  }
  const messageId = await admitAgain(unit.tx, message.inbound, { code: 'AA' });
  const reading = await execute(unit, prepared, { messageId, remarks: [] });
  const made = await shownOfMessage(unit.tx, messageId);
  const { sender } = prepared;
  await deliver(unit, applicationAcknowledgement(unit.department, message, { code: 'AA', sender }), message.at);
  const messages = messagesShown(unit.messages);
  return { ...made, messages, rules: [...unit.rules, ...reading.remarks] };
}

function shown(
  message: Received,
  answer: Uint8Array,
  { code, seen }: { readonly code: string; readonly seen: Seen },
): DryRun {
  return { answer: segmentLines(answer), answerCode: code, transaction: message.inbound.transaction, ...seen };
}
