import { readHeader } from '../hl7/message.ts';
import { SwfError } from '../platform/errors.ts';
import { storedMessage } from '../store/messages.ts';
import type { Department } from './department.ts';
import { received } from './inbound-answers.ts';
import { handleMessage } from './inbound-hl7.ts';
import { inboundHl7Transactions } from './index.ts';

/**
 * Carries out a stored message once more, as a new entry of the journal: for a message that was refused for a reason
 * that is gone. Throws 'unknown-key' for an entry that is not there, 'state-forbids' for one that was not received by HL7.
 */
export async function replay(
  department: Department,
  messageId: number,
): Promise<{ readonly messageId: number; readonly answerCode: string }> {
  const stored = await storedMessage(department.store, messageId);
  if (!stored) throw new SwfError('unknown-key', 'the journal has no message with this id');
  if (stored.direction !== 'IN' || stored.protocol !== 'HL7') {
    throw new SwfError('state-forbids', 'only a message that was received by HL7 can be carried out again');
  }
  const header = readHeader(stored.raw);
  if (!header) throw new SwfError('state-forbids', 'the message has no readable MSH');
  const message = received(department, inboundHl7Transactions, header, stored.raw);
  const done = await handleMessage(department, inboundHl7Transactions, message, { replayOf: messageId });
  if (done.messageId === undefined) throw new SwfError('database-unavailable', 'the journal cannot be written');
  return { messageId: done.messageId, answerCode: done.code };
}
