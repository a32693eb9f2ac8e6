import { SwfError, describeError } from '../platform/errors.ts';
import type { ProcedureEvent } from '../workflow/procedure-context.ts';
import { type Confirmation, acknowledgedBy } from '../workflow/vocabulary.ts';
import { type PendingDelivery, type Settlement, settle } from '../store/outbox.ts';
import type { Department } from './department.ts';
import { type Cause, type HeldProcedure, finish, holdOrders, runUnit, send } from './unit-of-work.ts';

/** What a lane heard from its peer. */
export interface Heard {
  readonly kind: 'delivered' | 'refused';
  /** MSA-1 or a DIMSE status in four hexadecimal digits. */
  readonly code: string;
  readonly answer: Uint8Array | undefined;
  /** Why it was refused: table 0357 codes, no content. */
  readonly error?: string;
}

function eventFor(delivery: PendingDelivery, heard: Heard, confirmation: Confirmation): ProcedureEvent {
  const delivered = heard.kind === 'delivered';
  if (delivery.transaction === 'RAD-4') {
    return delivered
      ? { type: 'procedureScheduledConfirmed', confirmation }
      : { type: 'procedureScheduledRefused', peer: delivery.destination };
  }
  return { type: delivered ? 'orderStatusConfirmed' : 'orderStatusRefused' };
}

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
  const { destination, messageId, orderId, procedureId } = delivery;
  await runUnit(department, async (unit) => {
    const orders = await holdOrders(unit, orderId === undefined ? [] : [orderId]);
    if (!(await settle(unit.tx, delivery.id, settlementOf(heard, at)))) return;
    const cause: Cause = { messageId, causedBy: destination, at };
    const confirmation = acknowledgedBy(destination, { messageId, code: heard.code, at });
    const concerned = (procedure: HeldProcedure): boolean =>
      procedureId === undefined || procedure.stored.id === procedureId;
    for (const procedure of orders.flatMap((held) => held.procedures).filter(concerned)) {
      send(procedure, eventFor(delivery, heard, confirmation), cause);
    }
    await finish(unit, orders, at);
  });
}
