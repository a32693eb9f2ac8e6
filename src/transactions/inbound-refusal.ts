import { type SwfError, describeError } from '../platform/errors.ts';
import { journalRefusal } from '../store/messages.ts';
import { type Department, placerOf } from './department.ts';
import { type Acknowledgement, type Received, acknowledge, applicationAcknowledgement } from './inbound-answers.ts';
import { senderOf } from './inbound-header.ts';
import { OrderNotChangeable } from './order-change-requests.ts';
import { orderStatusToRepeat } from './order-changes.ts';
import { journalRefused } from './refusals.ts';
import { type Unit, deliver, finish, holdOrders, runUnit, takeDownRefused } from './unit-of-work.ts';

/** A message that was refused: everything it did is rolled back, and it is journalled with its answer. */
export async function refuse(
  department: Department,
  message: Received,
  failure: SwfError,
  { replayed = false }: { readonly replayed?: boolean } = {},
): Promise<{ readonly acknowledgement: Acknowledgement; readonly messageId: number | undefined }> {
  const code = failure.failure.ack;
  const sender = senderOf(department, message.header);
  const acknowledgement = acknowledge(department, message, { code, failure, sender });
  const answer = { code, bytes: acknowledgement.answer };
  // Its sender heard of the message long ago; who replays it hears the rest.
  const further = replayed ? [] : applicationAcknowledgement(department, message, { code, failure, sender });
  const simple = !(failure instanceof OrderNotChangeable) && further.length === 0;
  if (!simple) {
    try {
      const messageId = await runUnit(department, async (unit) => {
        const id = await journalRefusal(unit.tx, message.inbound, answer, failure.message);
        await deliver(unit, further, message.at);
        if (failure instanceof OrderNotChangeable) await repeatStatus(unit, message, { failure, messageId: id });
        return id;
      });
      return { acknowledgement, messageId };
    } catch (error) {
      department.log.error(describeError(error), 'what follows a refusal could not be done');
    }
  }
  return { acknowledgement, messageId: await journalRefused(department, message.inbound, answer, failure.message) };
}

/** A placer whose cancel comes too late hears by RAD-3 how the order really stands; the history keeps the attempt. */
export async function repeatStatus(
  unit: Unit,
  { header, at }: Received,
  { failure, messageId }: { readonly failure: OrderNotChangeable; readonly messageId: number },
): Promise<void> {
  const orders = await holdOrders(unit, [failure.orderId]);
  const cause = { messageId, causedBy: header.sendingApplication, at };
  for (const held of orders) {
    for (const procedure of held.procedures) takeDownRefused(procedure, failure.wanted, cause);
    // Without its number the placer would not know of what.
    if (held.order.placerOrderNumber === undefined) continue;
    const unable = placerOf(unit.department.config, held.order)?.sends.orderControls.includes('UC') ?? false;
    const orderControl = unable && failure.wanted === 'cancel' ? 'UC' : 'SC';
    held.announcements.push({ name: 'repeatOrderStatus', orderControl, orderStatus: orderStatusToRepeat(held) });
  }
  await finish(unit, orders, at);
}
