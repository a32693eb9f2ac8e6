import { secondsBetween } from '../platform/clock.ts';
import { SwfError } from '../platform/errors.ts';
import { hasOpenChildren, saveOrderStatus } from '../store/orders.ts';
import type { OrderAction } from '../workflow/order-control.ts';
import type { OrderRequest } from '../workflow/statements.ts';
import type { OrderedService, PlacerOrder, RequestedStart } from '../workflow/vocabulary.ts';
import {
  endOrder,
  firstStart,
  hasStarted,
  isDone,
  orderStatusToRepeat,
  rewriteOrder,
  shift,
  stationFor,
} from './order-changes.ts';
import {
  type Cause,
  type HeldOrder,
  type HeldProcedure,
  type Unit,
  orderStatusNow,
  send,
  stateOf,
} from './unit-of-work.ts';

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
    const status = orderStatusToRepeat(held);
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
    const orderStatus = orderStatusToRepeat(held);
    held.announcements.push({ name: 'repeatOrderStatus', orderControl: 'SR', orderStatus });
    return Promise.resolve();
  },
};

/** Carries out what a placer wants. Throws OrderNotChangeable where the order has gone too far. */
export async function carryOutChange(unit: Unit, change: ChangeRequest): Promise<void> {
  await carriers[change.action]?.(unit, change);
}

/** CA ends what has not begun; DC also what is under way. An order that was ended before stays as it is. */
async function end(unit: Unit, change: ChangeRequest, wanted: 'cancel' | 'discontinue'): Promise<void> {
  const { held, request, cause, remarks } = change;
  const status = orderStatusNow(held);
  if (status === 'CA' || status === 'DC') {
    remarks.push(`the order had ended before with order status ${status}`);
    return;
  }
  if (held.procedures.length === 0) return endParent(unit, change);
  const refused = wanted === 'cancel' ? hasStarted(held) : isDone(held);
  if (refused) throw new OrderNotChangeable(held, wanted, request.sequence);
  await endOrder(unit, held, { by: 'placer', cause });
  // Another group of the message may end its parent, which asks the database for open children.
  await saveOrderStatus(unit.tx, held.order.id, orderStatusNow(held), held.order.reportedOrderStatus);
}

/** A parent order has nothing of its own that could be ended: it ends when its children have. */
async function endParent(unit: Unit, { held, request, cause }: ChangeRequest): Promise<void> {
  if (await hasOpenChildren(unit.tx, held.order)) throw new OrderNotChangeable(held, 'cancel', request.sequence);
  await endOrder(unit, held, { by: 'placer', cause });
}

/** HD takes an order off the worklist, RL puts it back. */
function move({ held, request, cause, remarks }: ChangeRequest, event: 'hold' | 'release', from: string[]): void {
  const target = event === 'hold' ? 'held' : 'scheduled';
  // Who holds what waits after a no-show makes the hold his own: another appointment no longer takes it off.
  const noShow = ({ machine }: HeldProcedure): boolean => event === 'hold' && machine.context.noShow === true;
  const concerned = held.procedures.filter(
    (procedure) => from.includes(stateOf(procedure)) || (stateOf(procedure) === target && noShow(procedure)),
  );
  if (concerned.length === 0) {
    if (!held.procedures.some((procedure) => stateOf(procedure) === target)) {
      throw new OrderNotChangeable(held, event, request.sequence);
    }
    remarks.push(`the order was ${target} before`);
  }
  for (const procedure of concerned) send(procedure, { type: event }, cause);
}

/** What a change may not touch: who the order is, and what is examined. */
const identity: readonly (keyof PlacerOrder)[] = ['placerOrderNumber', 'service', 'furtherServices', 'steps'];

/** XO: what the message says replaces what is stored, what it leaves out stays, `""` clears. */
async function rewrite(unit: Unit, { held, request, cause, remarks }: ChangeRequest): Promise<void> {
  const { order: said, cleared, sequence } = request;
  if (['CA', 'DC'].includes(orderStatusNow(held))) throw new OrderNotChangeable(held, 'change', sequence);
  const stored = held.order.details;
  checkServices(said, stored, sequence);
  await rewriteOrder(unit, held, merged(stored, said ?? {}, cleared));
  if (said?.modality !== undefined && said.modality !== stored.modality)
    remarks.push('the modality (OBR-24) of steps that are planned stays as it is');
  const seconds = shiftOf(held, stored.requestedStart, said?.requestedStart);
  const wanted = said?.scheduledStationAeTitles;
  const station = wanted?.[0] === stored.scheduledStationAeTitles?.[0] ? undefined : stationFor(unit, held, wanted);
  if (wanted && station === undefined && wanted[0] !== stored.scheduledStationAeTitles?.[0])
    remarks.push('the station is the one that the catalogue plans');
  for (const procedure of held.procedures) {
    const moves = seconds !== 0 || station !== undefined;
    const moved = moves && (await shift(unit, procedure, { seconds, station, cause }));
    if (!moved) send(procedure, { type: 'change' }, cause);
  }
}

/** Another service, or another number of services, is another order. */
function checkServices(said: PlacerOrder | undefined, stored: PlacerOrder, sequence: number): void {
  const codes = ({ service, furtherServices = [] }: PlacerOrder): (string | undefined)[] =>
    [service, ...furtherServices.map((one) => one.service)].map(({ code }) => code);
  const before = codes(stored);
  const differs = said && codes(said).some((code, index) => code !== undefined && code !== before[index]);
  if (!differs) return;
  throw new SwfError('value-not-found', 'another service (OBR-4) is another order: cancel this one and order anew', {
    location: `OBR^${sequence}^4`,
  });
}

// OBR-15.5 of v2.3.1 and OBR-46 of v2.5.1 both say the side: the last word counts, wherever it stands.
const sides: readonly (keyof PlacerOrder)[] = ['specimenSource', 'placerSupplementalServiceInformation'];

function merged(stored: PlacerOrder, said: Partial<PlacerOrder>, cleared: readonly (keyof PlacerOrder)[]): PlacerOrder {
  const first = mergedService(stored, said, cleared);
  const { furtherServices } = stored;
  if (!furtherServices) return first;
  // A further OBR says what holds for its own service, its side above all.
  const further = furtherServices.map((one, index) => mergedService(one, said.furtherServices?.[index] ?? {}, []));
  return { ...first, furtherServices: further };
}

function mergedService<T extends OrderedService>(
  stored: T,
  said: Partial<T & PlacerOrder>,
  cleared: readonly (keyof PlacerOrder)[],
): T {
  const saysSide = sides.some((field) => said[field] !== undefined || cleared.includes(field));
  const gone = [...cleared.filter((field) => !identity.includes(field)), ...(saysSide ? sides : [])];
  const kept = Object.entries(stored).filter(([key]) => !gone.includes(key as keyof PlacerOrder));
  const changed = Object.entries(said).filter(([key]) => !identity.includes(key as keyof PlacerOrder));
  return Object.fromEntries([...kept, ...changed]) as unknown as T;
}

/**
 * By how many seconds a new start moves the steps that have not begun: the first of them begins then. A start that the
 * placer asked for before is no news: the department may have moved the steps since.
 */
function shiftOf(
  { procedures }: HeldOrder,
  stored: RequestedStart | undefined,
  said: RequestedStart | undefined,
): number {
  const first = firstStart(procedures);
  const same = said?.date === stored?.date && said?.time === stored?.time;
  if (!first || !said || same) return 0;
  // A day alone moves the day and leaves the time that was planned.
  return secondsBetween(first, { date: said.date, time: said.time ?? first.time });
}
