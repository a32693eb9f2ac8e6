import { describeError } from '../platform/errors.ts';
import { type Answer, type InboundMessage, journalRefusal } from '../store/messages.ts';
import type { Department } from './department.ts';

/** Journals a refusal with its answer; where not even that can be written, the answer is still given. */
export async function journalRefused(
  department: Department,
  message: InboundMessage,
  answer: Answer,
  reason: string,
): Promise<number | undefined> {
  try {
    return await journalRefusal(department.store.prisma, message, answer, reason);
  } catch (error) {
    department.log.error(describeError(error), 'a refusal could not be journalled');
    return undefined;
  }
}
