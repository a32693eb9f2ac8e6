import { SwfError } from '../platform/errors.ts';
import type { OrderReply } from '../workflow/statements.ts';
import type { Confirmation, EntityIdentifier } from '../workflow/vocabulary.ts';
import { changeOrder, findPlacerOrder } from '../store/orders.ts';
import { issuerOf, scheduling } from './order-creation.ts';
import { type Cause, type HeldOrder, type Unit, send } from './unit-of-work.ts';

/** Who answered our SN, and how the answer is cited. */
export interface NumberAnswer {
  readonly cause: Cause;
  readonly confirmation: Confirmation;
  /** MSH-3 of the placer: the issuer of a number that names none. */
  readonly sendingApplication: string;
}

/** NA: the placer's number becomes the order's, and what waited for it is scheduled (RAD TF-2 4.3). */
export async function assignNumber(
  unit: Unit,
  held: HeldOrder,
  number: EntityIdentifier,
  answer: NumberAnswer,
): Promise<void> {
  const placerOrderIssuer = issuerOf(number, answer.sendingApplication);
  const { order } = held;
  if (order.placerOrderNumber === number.id && order.placerOrderIssuer === placerOrderIssuer) return;
  if (order.placerOrderNumber !== undefined) throw taken('the order has another placer order number already');
  const other = await findPlacerOrder(unit.tx, { placerOrderNumber: number.id, placerOrderIssuer });
  if (other !== undefined) throw taken('another order has this placer order number (ORC-2)');
  const details = { ...order.details, placerOrderNumber: number };
  const columns = { placerOrderNumber: number.id, placerOrderIssuer, numberPending: false };
  await changeOrder(unit.tx, order.id, { ...columns, details, alarm: null });
  held.order = { ...order, ...columns, details };
  for (const procedure of held.procedures) {
    send(procedure, { type: 'orderNumberAssigned', confirmation: answer.confirmation }, answer.cause);
    const waits = procedure.machine.value.acquisition === 'planned';
    if (waits && unit.department.config.policy.autoSchedule) send(procedure, scheduling(unit.department), answer.cause);
  }
}

function taken(sentence: string): SwfError {
  return new SwfError('duplicate-key', sentence, { location: 'ORC^1^2' });
}

/** UA, AE or AR: the order goes on without a number, and a person has to see to it. */
export async function numberRefused(unit: Unit, held: HeldOrder, why: string): Promise<void> {
  if (!held.order.numberPending) return;
  const alarm = `the order placer did not number the order (${why}); order and placer have to be brought together`;
  await changeOrder(unit.tx, held.order.id, { numberPending: false, alarm });
  held.order = { ...held.order, numberPending: false };
}

/** Carries out one ORC of a reply. Throws 'value-not-found' (HL7 103) for a reply that means nothing here. */
export async function orderReplied(
  unit: Unit,
  held: HeldOrder,
  reply: OrderReply,
  answer: NumberAnswer,
): Promise<void> {
  const { orderControl, placerOrderNumber, sequence } = reply;
  if (orderControl === 'NA' && placerOrderNumber) return assignNumber(unit, held, placerOrderNumber, answer);
  if (orderControl === 'UA') return numberRefused(unit, held, 'UA');
  throw new SwfError('value-not-found', 'a reply to SN has order control NA or UA (ORC-1)', {
    location: `ORC^${sequence}^1`,
  });
}
