import { SwfError } from '../platform/errors.ts';
import type { OrderReply } from '../workflow/statements.ts';
import type { Confirmation, EntityIdentifier } from '../workflow/vocabulary.ts';
import { changeOrder, findOnlyPlacerOrder, findPlacerOrder } from '../store/orders.ts';
import type { Tx } from '../store/prisma.ts';
import { cameToNothing } from '../workflow/procedure-context.ts';
import type { Effect } from '../workflow/procedure-machine.ts';
import { lastResult } from '../store/procedures.ts';
import { issuerOf, scheduling } from './order-creation.ts';
import { type Cause, type HeldOrder, type HeldProcedure, type Unit, send } from './unit-of-work.ts';

/** Who answered our SN, and how the answer is cited. */
export interface NumberAnswer {
  readonly cause: Cause;
  readonly confirmation: Confirmation;
  /** MSH-3 of the placer: the issuer of a number that names none. */
  readonly sendingApplication: string;
}

/**
 * The order with a placer order number as a system tells it that is not its placer: without an issuer it is the sender's,
 * else the only one with that number.
 */
export async function findByPlacerNumber(
  tx: Tx,
  number: EntityIdentifier,
  sendingApplication: string,
): Promise<number | undefined> {
  const placerOrderIssuer = issuerOf(number, sendingApplication);
  const known = await findPlacerOrder(tx, { placerOrderNumber: number.id, placerOrderIssuer });
  const bare = number.namespace === undefined && number.universalId === undefined;
  return known ?? (bare ? findOnlyPlacerOrder(tx, number.id) : undefined);
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
  for (const procedure of held.procedures) await numbered(unit, procedure, answer);
}

/** What waited for the number is scheduled; what was announced or reported without it is told again with it. */
async function numbered(unit: Unit, procedure: HeldProcedure, { confirmation, cause }: NumberAnswer): Promise<void> {
  send(procedure, { type: 'orderNumberAssigned', confirmation }, cause);
  const { acquisition, announcement } = procedure.machine.value;
  if (cameToNothing(procedure.machine.context)) return;
  if (announcement === 'due' && acquisition !== 'scheduled') {
    // Also behind planned: a modality can begin before the number comes, and its study has to be announced.
    if (unit.department.config.policy.autoSchedule) send(procedure, scheduling(unit.department), cause);
  } else {
    send(procedure, { type: 'change' }, cause);
    if (['scheduled', 'held'].includes(acquisition))
      procedure.effects.push({ name: 'notifyAppointment', triggerEvent: 'S12' });
  }
  await resendResult(unit, procedure);
}

/** A report that came before the number, or before there was an order, could not be sent on. */
export async function resendResult(unit: Unit, procedure: HeldProcedure): Promise<void> {
  const { report } = procedure.machine.value;
  if (report === 'none' || report === 'cancelled') return;
  const content = await lastResult(unit.tx, procedure.stored.id);
  if (!content) return;
  const effect: Effect = { name: 'sendResult', report };
  procedure.effects.push(effect);
  procedure.reports.set(effect, content);
}

function taken(sentence: string): SwfError {
  return new SwfError('duplicate-key', sentence, { location: 'ORC^1^2' });
}

/** UA, AE or AR: the order goes on without a number, and a person has to see to it. */
export async function numberRefused(unit: Unit, held: HeldOrder, why: string): Promise<void> {
  if (!held.order.numberPending) return;
  const sentence = `the order placer did not number the order (${why}); order and placer have to be brought together`;
  const alarm = { sentence, at: unit.department.clock.now() };
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
