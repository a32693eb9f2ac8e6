import { plusSeconds, secondsBetween } from '../platform/clock.ts';
import { SwfError } from '../platform/errors.ts';
import type { OrderAction } from '../workflow/order-control.ts';
import type { OrderRequest } from '../workflow/statements.ts';
import type { PlacerOrder } from '../workflow/vocabulary.ts';
import { canMove, endOrder, hasEnded, hasStarted, orderStatusNow, reschedule, rewriteOrder } from './order-changes.ts';
import { type Cause, type HeldOrder, type HeldProcedure, type Unit, send } from './unit-of-work.ts';

/** What an order placer wants done with an order that is there. */
export interface ChangeRequest {
  readonly held: HeldOrder;
  readonly request: Pick<OrderRequest, 'order' | 'cleared' | 'sequence' | 'orderControl'>;
  readonly action: OrderAction;
  readonly cause: Cause;
  readonly remarks: string[];
}

/**
 * An order that has gone too far for what its placer wants. Nothing of the message is done; its refusal tells the
 * placer, and RAD-3 repeats the order's real status.
 */
export class OrderNotChangeable extends SwfError {
  readonly orderId: number;
  /** What was wanted, as the history shows it. */
  readonly wanted: 'cancel' | 'discontinue' | 'hold' | 'release' | 'change';

  constructor(held: HeldOrder, wanted: OrderNotChangeable['wanted'], sequence: number) {
    const status = orderStatusNow(held);
    super('state-forbids', `the order cannot be changed like that: its status is ${status} (ORC-5)`, {
      location: `ORC^${sequence}^1`,
    });
    this.orderId = held.order.id;
    this.wanted = wanted;
  }
}

type Carry = (unit: Unit, change: ChangeRequest) => Promise<void>;

/** Spec of each action, one paragraph each; what is not here makes orders and changes none. */
const carriers: Partial<Record<OrderAction, Carry>> = {
  cancel: (unit, change) => end(unit, change, 'cancel'),
  // The replacement comes as an order of its own (RO).
  replace: (unit, change) => end(unit, change, 'cancel'),
  discontinue: (unit, change) => end(unit, change, 'discontinue'),
  hold: (_, change) => Promise.resolve(move(change, 'hold', ['scheduled'])),
  release: (_, change) => Promise.resolve(move(change, 'release', ['held'])),
  change: rewrite,
  tellStatus: (_, { held }) => {
    const orderStatus = orderStatusNow(held);
    held.announcements.push({ name: 'repeatOrderStatus', orderControl: 'SR', orderStatus });
    return Promise.resolve();
  },
};

/** Carries out what a placer wants. Throws OrderNotChangeable where the order has gone too far. */
export async function carryOutChange(unit: Unit, change: ChangeRequest): Promise<void> {
  await carriers[change.action]?.(unit, change);
}

/** CA ends what has not begun; DC also what is under way. An order that was ended before stays as it is. */
async function end(
  unit: Unit,
  { held, request, cause, remarks }: ChangeRequest,
  wanted: 'cancel' | 'discontinue',
): Promise<void> {
  const status = orderStatusNow(held);
  if (status === 'CA' || status === 'DC') {
    remarks.push(`the order had ended before with order status ${status}`);
    return;
  }
  const refused = wanted === 'cancel' ? hasStarted(held) : hasEnded(held);
  if (refused) throw new OrderNotChangeable(held, wanted, request.sequence);
  await endOrder(unit, held, { by: 'placer', cause });
}

/** HD takes an order off the worklist, RL puts it back. */
function move({ held, request, cause, remarks }: ChangeRequest, event: 'hold' | 'release', from: string[]): void {
  const state = (procedure: HeldProcedure): string => procedure.machine.value.acquisition;
  const target = event === 'hold' ? 'held' : 'scheduled';
  const concerned = held.procedures.filter((procedure) => from.includes(state(procedure)));
  if (concerned.length === 0) {
    if (!held.procedures.some((procedure) => state(procedure) === target)) {
      throw new OrderNotChangeable(held, event, request.sequence);
    }
    remarks.push(`the order was ${target} before`);
  }
  for (const procedure of concerned) send(procedure, { type: event }, cause);
}

/** What a change may not touch: who the order is, and what is examined. */
const identity: readonly (keyof PlacerOrder)[] = ['placerOrderNumber', 'service', 'furtherServices', 'steps'];

/** XO: what the message says replaces what is stored, what it leaves out stays, `""` clears. */
async function rewrite(unit: Unit, { held, request, cause }: ChangeRequest): Promise<void> {
  const { order: said, cleared, sequence } = request;
  if (['CA', 'DC'].includes(orderStatusNow(held))) throw new OrderNotChangeable(held, 'change', sequence);
  const stored = held.order.details;
  const code = said?.service.code;
  if (code !== undefined && code !== stored.service.code) {
    throw new SwfError('value-not-found', 'another service (OBR-4) is another order: cancel this one and order anew', {
      location: `OBR^${sequence}^4`,
    });
  }
  const kept = Object.entries({ ...stored, ...without(said ?? {}, identity) });
  const gone = cleared.filter((field) => !identity.includes(field));
  const details = Object.fromEntries(kept.filter(([key]) => !gone.includes(key as keyof PlacerOrder)));
  await rewriteOrder(unit, held, details as unknown as PlacerOrder);
  const seconds = shiftOf(held, said);
  for (const procedure of held.procedures) {
    const moved = seconds !== 0 && (await shift(unit, procedure, { seconds, cause }));
    if (!moved) send(procedure, { type: 'change' }, cause);
  }
}

function without(order: Partial<PlacerOrder>, keys: readonly (keyof PlacerOrder)[]): Partial<PlacerOrder> {
  return Object.fromEntries(Object.entries(order).filter(([key]) => !keys.includes(key as keyof PlacerOrder)));
}

/** By how many seconds a new start moves the steps that have not begun: the first of them begins then. */
function shiftOf({ procedures }: HeldOrder, said: Partial<PlacerOrder> | undefined): number {
  const starts = procedures.flatMap(({ stored }) => stored.steps.filter(canMove).map(({ start }) => start));
  const [first] = starts.sort((a, b) => secondsBetween(b, a));
  const start = said?.requestedStart;
  return first && start ? secondsBetween(first, { date: start.date, time: start.time ?? '00:00:00' }) : 0;
}

async function shift(
  unit: Unit,
  procedure: HeldProcedure,
  { seconds, cause }: { readonly seconds: number; readonly cause: Cause },
): Promise<boolean> {
  const [first] = procedure.stored.steps
    .filter(canMove)
    .map(({ start }) => start)
    .sort((a, b) => secondsBetween(b, a));
  return first ? reschedule(unit, procedure, { start: plusSeconds(first, seconds) }, cause) : false;
}
