import type { ProcedureEvent } from '../workflow/procedure-context.ts';
import type { Confirmation } from '../workflow/vocabulary.ts';
import { type PendingDelivery, settle } from '../store/outbox.ts';
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

/** A peer's answer settles its delivery and moves the machines that waited for it, in one unit under the usual locks. */
export async function confirmDelivery(department: Department, delivery: PendingDelivery, heard: Heard): Promise<void> {
  const at = department.clock.now();
  const { destination, messageId } = delivery;
  await runUnit(department, async (unit) => {
    const orders = await holdOrders(unit, delivery.orderId === undefined ? [] : [delivery.orderId]);
    const settlement = {
      status: heard.kind === 'delivered' ? ('DELIVERED' as const) : ('REFUSED' as const),
      at,
      answerCode: heard.code,
      answer: heard.answer,
      error: heard.error,
    };
    if (!(await settle(unit.tx, delivery.id, settlement))) return;
    const cause: Cause = { messageId, causedBy: destination, at };
    const confirmation: Confirmation = {
      kind: 'ack',
      peer: destination,
      messageId,
      code: heard.code,
      at: at.toISOString(),
    };
    const concerned = (procedure: HeldProcedure): boolean =>
      delivery.procedureId === undefined || procedure.stored.id === delivery.procedureId;
    for (const procedure of orders.flatMap((held) => held.procedures).filter(concerned)) {
      send(procedure, eventFor(delivery, heard, confirmation), cause);
    }
    await finish(unit, orders, at);
  });
}
