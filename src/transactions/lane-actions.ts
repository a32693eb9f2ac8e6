import { SwfError } from '../platform/errors.ts';
import {
  type Handling,
  type LaneMessage,
  closeMessage,
  findLaneMessage,
  hasDeliveries,
  lockLaneMessage,
  oldestMessage,
  pauseLane as pause,
  resumeLane as resume,
  sendAgain,
} from '../store/lanes.ts';
import { changeOrder } from '../store/orders.ts';
import type { Actor } from './actions.ts';
import { causeOf } from './actor-cause.ts';
import { concernedBy } from './delivery-concerns.ts';
import { type Department, lanesOf } from './department.ts';
import { numberRefused } from './order-number.ts';
import { type Cause, type HeldOrder, type Unit, finish, runUnit, takeDown } from './unit-of-work.ts';

/** What a person does with a delivery lane and the messages in it. It holds for every process on the database. */

const isOurs = ({ config }: Department, lane: string): boolean => lanesOf(config).some(({ name }) => name === lane);

/** Throws 'unknown-key' for a lane that neither the site file has nor any message is for. */
async function checkLane({ tx, department }: Unit, lane: string): Promise<void> {
  if (isOurs(department, lane) || (await hasDeliveries(tx, lane))) return;
  throw new SwfError('unknown-key', 'there is no lane of this name: GET /api/destinations lists them');
}

function handlingOf({ at, causedBy, remark }: Cause): Handling {
  return { by: causedBy, at, reason: remark };
}

/** Stops a lane. The message in flight is finished; what comes then waits. Throws 'state-forbids' where it is stopped. */
export async function pauseLane(department: Department, lane: string, actor: Actor): Promise<void> {
  const handling = handlingOf(causeOf(department, actor));
  await runUnit(department, async (unit) => {
    await checkLane(unit, lane);
    unit.destinations.add(lane);
    if (await pause(unit.tx, lane, handling)) return;
    throw new SwfError('state-forbids', 'the lane is stopped: resume lets it go on');
  });
}

/** Lets a stopped lane go on, at once. Throws 'state-forbids' where it runs. */
export async function resumeLane(department: Department, lane: string, actor: Actor): Promise<void> {
  const handling = handlingOf(causeOf(department, actor));
  await runUnit(department, async (unit) => {
    await checkLane(unit, lane);
    unit.hurried.add(lane);
    if (await resume(unit.tx, lane, handling)) return;
    throw new SwfError('state-forbids', 'the lane is not stopped: it sends what waits in it');
  });
}

/** A message that was handled, as it stands now. */
export interface HandledMessage {
  readonly messageId: number;
  readonly transaction: string;
  readonly deliveryStatus: string;
}

interface Handled {
  readonly lane: string;
  /** Undefined: the oldest that was refused; to be closed, else the oldest that waits. */
  readonly messageId: number | undefined;
}

/** Throws 'unknown-key' for a message that the lane has not, 'state-forbids' where none is meant. */
async function messageMeant(
  unit: Unit,
  { lane, messageId }: Handled,
  statuses: readonly ('REFUSED' | 'PENDING')[],
): Promise<LaneMessage> {
  await checkLane(unit, lane);
  if (messageId !== undefined) {
    const named = await findLaneMessage(unit.tx, lane, messageId);
    if (named) return named;
    throw new SwfError('unknown-key', 'the lane has no message with this id (messageId)');
  }
  for (const status of statuses) {
    const oldest = await oldestMessage(unit.tx, lane, status);
    if (oldest) return oldest;
  }
  const what = statuses.includes('PENDING') ? 'holds no message that waits or was refused' : 'holds no refused message';
  throw new SwfError('state-forbids', `the lane ${what}`);
}

type Handle = (unit: Unit, message: LaneMessage, held: readonly HeldOrder[], cause: Cause) => Promise<void>;

interface Step {
  readonly statuses: readonly ('REFUSED' | 'PENDING')[];
  /** The line of the history of each procedure that the message is about. */
  readonly event: string;
  readonly becomes: string;
  readonly handle: Handle;
}

/** Handles one message in one unit, under the locks that its answer takes. */
async function handle(department: Department, handled: Handled, actor: Actor, step: Step): Promise<HandledMessage> {
  const cause = causeOf(department, actor);
  return runUnit(department, async (unit) => {
    const meant = await messageMeant(unit, handled, step.statuses);
    const { orders, concerns } = await concernedBy(unit, meant);
    const message = await lockLaneMessage(unit.tx, meant.id);
    await step.handle(unit, message, orders, cause);
    const { messageId, transaction, destination } = message;
    const remark = [`${transaction} to ${destination}`, cause.remark].filter(Boolean).join('; ');
    for (const procedure of orders.flatMap((held) => held.procedures).filter(concerns))
      takeDown(procedure, step.event, { ...cause, messageId, remark });
    unit.hurried.add(destination);
    await finish(unit, orders, cause.at);
    return { messageId, transaction, deliveryStatus: step.becomes };
  });
}

const REQUEST = 'requestOrderNumber';

/** The order placer is asked for the number once more: its order waits for it again. */
async function askForNumberAgain(unit: Unit, orders: readonly HeldOrder[]): Promise<void> {
  for (const held of orders) {
    const { id, placerOrderNumber, endedBy } = held.order;
    if (placerOrderNumber !== undefined || endedBy)
      throw new SwfError('state-forbids', 'the order has its number, or has ended: close the message (skip)');
    await changeOrder(unit.tx, id, { numberPending: true, alarm: null });
    held.order = { ...held.order, numberPending: true };
  }
}

/**
 * Sends a refused message again as the next one of its lane: the same bytes under the same control id. Throws
 * 'state-forbids' for one that was not refused.
 */
export function retryMessage(department: Department, handled: Handled, actor: Actor): Promise<HandledMessage> {
  return handle(department, handled, actor, {
    statuses: ['REFUSED'],
    event: 'deliveryRetried',
    becomes: 'PENDING',
    handle: async (unit, message, orders, cause) => {
      if (message.deliveryStatus !== 'REFUSED')
        throw new SwfError(
          'state-forbids',
          `only a refused message is sent again: this one is ${message.deliveryStatus}`,
        );
      if (message.effect === REQUEST) await askForNumberAgain(unit, orders);
      await sendAgain(unit.tx, message.id, handlingOf(cause));
      unit.messages.push(message);
    },
  });
}

/** The sentence says what to do: an attempt ends by itself. */
const IN_FLIGHT =
  'the message is being sent: ask again when its answer has come, at the latest in 30 s (pause keeps the lane from trying again)';

/**
 * Closes a message that was refused or waits, so that the lane goes on. Throws 'state-forbids' for one that was settled, and
 * for one that is being sent: what the peer makes of it is not known yet.
 */
export function skipMessage(department: Department, handled: Handled, actor: Actor): Promise<HandledMessage> {
  return handle(department, handled, actor, {
    statuses: ['REFUSED', 'PENDING'],
    event: 'deliverySkipped',
    becomes: 'SKIPPED',
    handle: async (unit, message, orders, cause) => {
      const { deliveryStatus, destination } = message;
      if (deliveryStatus !== 'REFUSED' && deliveryStatus !== 'PENDING')
        throw new SwfError('state-forbids', `the message is ${deliveryStatus}: nothing is left to be closed`);
      // Nobody sends to a peer that has left the site file, whatever an earlier process had begun.
      if (message.inFlight && isOurs(department, destination)) throw new SwfError('state-forbids', IN_FLIGHT);
      await closeMessage(unit.tx, message.id, handlingOf(cause));
      if (message.effect !== REQUEST) return;
      for (const held of orders) await numberRefused(unit, held, 'the department did not ask');
    },
  });
}
