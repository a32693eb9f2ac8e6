import { acknowledgedBy } from '../workflow/vocabulary.ts';
import type { InboundHl7 } from './inbound-hl7.ts';
import type { OrderOrigin } from './order-creation.ts';
import type { NumberAnswer } from './order-number.ts';
import type { Cause } from './unit-of-work.ts';

/** The message as the reason of what it changes. */
export function causeOf({ messageId, sendingApplication, at }: InboundHl7): Cause {
  return { messageId, causedBy: sendingApplication, at };
}

/** The message as the origin of an order that it makes. */
export function originOf(inbound: InboundHl7): OrderOrigin {
  const { sendingFacility, messageId, reading } = inbound;
  return { ...numberAnswerOf(inbound), sendingFacility, messageId, remarks: reading.remarks };
}

/** The message as the placer's answer to our SN; `code` is its MSA-1, AA where it is no reply. */
export function numberAnswerOf(inbound: InboundHl7, code = 'AA'): NumberAnswer {
  const { messageId, sendingApplication, at } = inbound;
  const confirmation = acknowledgedBy(sendingApplication, { messageId, code, at });
  return { cause: causeOf(inbound), confirmation, sendingApplication };
}
