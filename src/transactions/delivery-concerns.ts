import { proceduresOfPerformedStep } from '../store/performed-steps.ts';
import { RELAY } from './rad-06-07-relay.ts';
import { type HeldOrder, type HeldProcedure, type Unit, holdFound, holdOrders } from './unit-of-work.ts';

/** The orders that a delivery concerns, held, and which of their procedures. */
interface Concerned {
  readonly orders: readonly HeldOrder[];
  readonly concerns: (procedure: HeldProcedure) => boolean;
}

/** As much of a message in a lane as says what it is about. */
interface About {
  readonly effect: string;
  readonly controlId: string;
  readonly orderId?: number | undefined;
  readonly procedureId?: number | undefined;
}

/** Holds the orders that a message in a lane is about: its own, or those whose steps its MPPS performs. */
export async function concernedBy(unit: Unit, { effect, controlId, orderId, procedureId }: About): Promise<Concerned> {
  if (effect !== RELAY) {
    const orders = await holdOrders(unit, orderId === undefined ? [] : [orderId]);
    return { orders, concerns: ({ stored }) => procedureId === undefined || stored.id === procedureId };
  }
  const performed = new Set<number>();
  const orders = await holdFound(unit, async () => {
    const procedures = await proceduresOfPerformedStep(unit.tx, controlId);
    for (const { id } of procedures) performed.add(id);
    return [...new Set(procedures.map((procedure) => procedure.orderId))].sort((a, b) => a - b);
  });
  return { orders, concerns: ({ stored }) => performed.has(stored.id) };
}
