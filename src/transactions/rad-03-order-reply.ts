import { identifiersFromHl7 } from '../mapping/identifiers-from-hl7.ts';
import { orderRepliesFromHl7 } from '../mapping/order-reply-from-hl7.ts';
import { SwfError } from '../platform/errors.ts';
import { remark } from '../store/messages.ts';
import { findFillerOrder } from '../store/orders.ts';
import { orderOfRequest } from '../store/outbox.ts';
import type { InboundHl7Transaction } from './inbound-hl7.ts';
import { numberAnswerOf } from './inbound-cause.ts';
import { numberRefused, orderReplied } from './order-number.ts';
import { checkOwner } from './order-owner.ts';
import { finish, holdOrders } from './unit-of-work.ts';

/**
 * RAD-3, the placer's reply to our SN as a message of its own: ORR^O02 or ORG^O20 (RAD TF-2 4.3). A reply is for the
 * order whose filler order number it names, else for the one whose message it acknowledges.
 */
export const orderReply: InboundHl7Transaction = {
  id: 'RAD-3',
  name: 'Filler Order Management',
  accepts: ['ORR^O02', 'ORG^O20'],
  handle: async (unit, inbound) => {
    const { reading, messageId, at } = inbound;
    const { orders, acknowledgedControlId, acknowledgementCode } = orderRepliesFromHl7(reading.message);
    const asked = await orderOfRequest(unit.tx, acknowledgedControlId);
    const ids: number[] = [];
    for (const { fillerOrderNumber, sequence } of orders) {
      const id = fillerOrderNumber ? await findFillerOrder(unit.tx, fillerOrderNumber.id) : asked;
      if (id === undefined) {
        const sentence = 'there is no order with this filler order number (ORC-3)';
        throw new SwfError('unknown-key', sentence, { location: `ORC^${sequence}^3` });
      }
      ids.push(id);
    }
    if (orders.length === 0) {
      if (asked === undefined)
        throw new SwfError('unknown-key', 'the reply names no order of ours', { location: 'MSA^1^2' });
      ids.push(asked);
    }
    const held = await holdOrders(unit, [...new Set(ids)]);
    const pid = reading.message.first('PID');
    const identifiers = pid ? identifiersFromHl7(reading, pid, 3) : [];
    for (const { patient } of identifiers.length > 0 ? held : [])
      await checkOwner(unit.tx, patient, { identifiers, remarks: reading.remarks });
    const answer = numberAnswerOf(inbound, acknowledgementCode || 'AA');
    for (const [index, reply] of orders.entries()) {
      const order = held.find((one) => one.order.id === ids[index]);
      if (order) await orderReplied(unit, order, reply, answer);
    }
    if (orders.length === 0 && acknowledgementCode !== 'AA')
      for (const order of held) await numberRefused(unit, order, acknowledgementCode);
    await remark(unit.tx, messageId, reading.remarks);
    await finish(unit, held, at);
  },
};
