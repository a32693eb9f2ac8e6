import type { Group } from '../hl7/grammar.ts';
import type { Hl7Message } from '../hl7/message.ts';
import type { OrderReply } from '../workflow/statements.ts';
import { numberFromHl7 } from './identifiers-from-hl7.ts';
import { locationOf, required } from './reader.ts';
import { structureOf } from './structure-from-hl7.ts';

/** What a placer answers to orders that we placed. */
export interface OrderReplies {
  /** MSA-2: the MSH-10 of our message. */
  readonly acknowledgedControlId: string;
  /** MSA-1, HL7 table 0008. */
  readonly acknowledgementCode: string;
  /** None where the placer refuses the whole message. */
  readonly orders: readonly OrderReply[];
}

function replyOf(group: Group): OrderReply[] {
  const orc = group.first('ORC');
  if (!orc) return [];
  const orderControl = required(orc.get(1), locationOf(orc, 1), 'the order control code (ORC-1)');
  const placerOrderNumber = numberFromHl7(orc, 2, 'the placer order number');
  if (orderControl === 'NA')
    required(placerOrderNumber?.id, locationOf(orc, 2), 'the assigned placer order number (ORC-2)');
  const filler = 'the filler order number';
  const fillerOrderNumber = numberFromHl7(orc, 3, filler) ?? numberFromHl7(group.first('OBR'), 3, filler);
  return [{ orderControl, placerOrderNumber, fillerOrderNumber, sequence: orc.sequence }];
}

/**
 * The placer's answer to our SN: ORR^O02 or ORG^O20 (RAD TF-2 4.3), whether it came as an answer on our connection or
 * as a message of its own. Throws 'required-field-missing' (101) for MSA-1, MSA-2, ORC-1 and, in an NA, ORC-2;
 * 'segment-sequence' (100) where the structure does not hold.
 */
export function orderRepliesFromHl7(message: Hl7Message): OrderReplies {
  const { root } = structureOf(message);
  const msa = root.first('MSA');
  return {
    acknowledgementCode: required(msa?.get(1), 'MSA^1^1', 'the acknowledgement code (MSA-1)'),
    acknowledgedControlId: required(msa?.get(2), 'MSA^1^2', 'the acknowledged control id (MSA-2)'),
    orders: root.groupsOf('ORDER').flatMap(replyOf),
  };
}
