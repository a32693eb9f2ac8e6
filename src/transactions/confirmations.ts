import { type Hl7Message, parseMessage } from '../hl7/message.ts';
import { orderRepliesFromHl7 } from '../mapping/order-reply-from-hl7.ts';
import { SwfError, describeError } from '../platform/errors.ts';
import type { ProcedureEvent } from '../workflow/procedure-events.ts';
import { type Confirmation, acknowledgedBy } from '../workflow/vocabulary.ts';
import { type PendingDelivery, type Settlement, settle } from '../store/outbox.ts';
import { type Department, hl7Peers } from './department.ts';
import { concernedBy } from './delivery-concerns.ts';
import { numberRefused, orderReplied } from './order-number.ts';
import { RELAY, relayLines } from './rad-06-07-relay.ts';
import { type Cause, type HeldOrder, type Unit, finish, runUnit, send, takeDown } from './unit-of-work.ts';

/** What a lane heard from its peer. */
export interface Heard {
  readonly kind: 'delivered' | 'refused';
  /** MSA-1 or a DIMSE status in four hexadecimal digits. */
  readonly code: string;
  readonly answer: Uint8Array | undefined;
  /** Why it was refused: table 0357 codes, no content. */
  readonly error?: string;
}

/** What a machine hears of an answer, by the transaction that was answered. */
const answers = {
  'RAD-3': { delivered: 'orderStatusConfirmed', refused: 'orderStatusRefused' },
  'RAD-13': { delivered: 'procedureUpdateConfirmed', refused: 'procedureUpdateRefused' },
  'RAD-48': { delivered: 'appointmentConfirmed', refused: 'appointmentRefused' },
  'RAD-28': { delivered: 'resultConfirmed', refused: 'resultRefused' },
} as const;

function eventFor(delivery: PendingDelivery, heard: Heard, confirmation: Confirmation): ProcedureEvent | undefined {
  const { transaction, peer } = delivery;
  if (transaction === 'RAD-4') {
    return heard.kind === 'delivered'
      ? { type: 'procedureScheduledConfirmed', confirmation }
      : { type: 'procedureScheduledRefused', peer };
  }
  const row = Object.hasOwn(answers, transaction) ? answers[transaction as keyof typeof answers] : undefined;
  return row && { type: row[heard.kind] };
}

/** The answer to SN may bring the number at once (ORR^O02, ORG^O20), or say that there will be none. */
async function hearNumber(unit: Unit, held: HeldOrder, told: Told): Promise<void> {
  const { delivery, heard, cause, confirmation } = told;
  if (heard.kind === 'refused') return numberRefused(unit, held, heard.error ?? heard.code);
  const message = heard.answer && readAnswer(heard.answer);
  if (!message || !isOrderReply(message)) return;
  const peer = hl7Peers(unit.department.config).find(({ name }) => name === delivery.peer);
  const answer = { cause, confirmation, sendingApplication: peer?.hl7.application ?? delivery.peer };
  try {
    for (const reply of orderRepliesFromHl7(message).orders) await orderReplied(unit, held, reply, answer);
  } catch (error) {
    if (!(error instanceof SwfError) || passing.has(error.code)) throw error;
    await numberRefused(unit, held, error.message);
  }
}

interface Told {
  readonly delivery: PendingDelivery;
  readonly heard: Heard;
  readonly cause: Cause;
  readonly confirmation: Confirmation;
}

function readAnswer(bytes: Uint8Array): Hl7Message | undefined {
  try {
    return parseMessage(bytes);
  } catch {
    // It was understood as an acknowledgement, which is all that a delivery needs.
    return undefined;
  }
}

const isOrderReply = ({ header }: Hl7Message): boolean => header.messageType === 'ORR' || header.messageType === 'ORG';

// With time these go away by themselves: the lane tries again.
const passing: ReadonlySet<string> = new Set(['conflict', 'database-unavailable']);

/** A peer's answer settles its delivery and moves the machines that waited for it, in one unit under the usual locks. */
export async function confirmDelivery(department: Department, delivery: PendingDelivery, heard: Heard): Promise<void> {
  try {
    await confirm(department, delivery, heard);
  } catch (error) {
    if (error instanceof SwfError && passing.has(error.code)) throw error;
    // A machine that cannot move must not make the peer hear the same message for ever.
    department.log.error(
      { messageId: delivery.messageId, ...describeError(error) },
      'an answer was settled without its machine',
    );
    await runUnit(department, (unit) => settle(unit.tx, delivery.id, settlementOf(heard, department.clock.now())));
  }
}

function settlementOf(heard: Heard, at: Date): Settlement {
  const status = heard.kind === 'delivered' ? 'DELIVERED' : 'REFUSED';
  return { status, at, answerCode: heard.code, answer: heard.answer, error: heard.error };
}

async function confirm(department: Department, delivery: PendingDelivery, heard: Heard): Promise<void> {
  const at = department.clock.now();
  const { peer, messageId, effect } = delivery;
  await runUnit(department, async (unit) => {
    const { orders, concerns } = await concernedBy(unit, delivery);
    if (!(await settle(unit.tx, delivery.id, settlementOf(heard, at)))) return;
    const cause: Cause = { messageId, causedBy: peer, at };
    const confirmation = acknowledgedBy(peer, { messageId, code: heard.code, at });
    for (const procedure of orders.flatMap((held) => held.procedures).filter(concerns)) {
      const event = eventFor(delivery, heard, confirmation);
      if (event) send(procedure, event, cause);
      if (effect === RELAY) takeDown(procedure, relayLines[heard.kind], { ...cause, remark: heard.error });
    }
    if (effect === 'requestOrderNumber')
      for (const held of orders) await hearNumber(unit, held, { delivery, heard, cause, confirmation });
    await finish(unit, orders, at);
  });
}
