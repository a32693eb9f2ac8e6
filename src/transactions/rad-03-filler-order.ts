import { statusToHl7 } from '../mapping/status-to-hl7.ts';
import type { OutgoingMessage } from '../store/outbox.ts';
import type { StoredProcedure } from '../store/procedures.ts';
import { type Department, placerOf } from './department.ts';
import { type Subject, envelopeFor, outgoing, subjectOf } from './outgoing-hl7.ts';

/** An order whose status is news to its placer. */
export interface OrderStatusReport {
  readonly name: 'reportOrderStatus';
  readonly orderStatus: 'IP' | 'CM' | 'DC';
  readonly procedures: readonly StoredProcedure[];
}

/** RAD-3 Filler Order Management (RAD TF-2 4.3): the status update, to the order placer of the order. */
export function reportOrderStatus(
  department: Department,
  subject: Subject,
  report: OrderStatusReport,
  at: Date,
): OutgoingMessage[] {
  const placer = placerOf(department.config, subject.order);
  if (!placer) return [];
  const envelope = envelopeFor(department, placer, at);
  const start = report.procedures[0]?.steps[0]?.start;
  const rendered = statusToHl7(envelope, subjectOf(subject, envelope), { orderStatus: report.orderStatus, start });
  return [
    outgoing(placer, envelope, rendered, { transaction: 'RAD-3', effect: report.name, orderId: subject.order.id }),
  ];
}
