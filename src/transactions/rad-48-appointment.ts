import { appointmentToHl7 } from '../mapping/appointment-to-hl7.ts';
import type { OutgoingMessage } from '../store/outbox.ts';
import type { StoredProcedure } from '../store/procedures.ts';
import type { Effect } from '../workflow/procedure-machine.ts';
import { type Department, placerOf } from './department.ts';
import { type Subject, envelopeFor, outgoing, subjectOf } from './outgoing-hl7.ts';

/** An appointment that was made, moved or called off. */
export type AppointmentAnnouncement = Extract<Effect, { name: 'notifyAppointment' }> & {
  readonly procedure: StoredProcedure;
};

/**
 * RAD-48 Appointment Notification (RAD TF-2 4.48), to the order placer of the order; v2.4 unless the site says
 * otherwise. An order that the placer has not numbered says nothing to it.
 */
export function notifyAppointment(
  department: Department,
  subject: Subject,
  { name, triggerEvent, procedure }: AppointmentAnnouncement,
  at: Date,
): OutgoingMessage[] {
  const placer = placerOf(department.config, subject.order);
  if (!placer || placer.sends.appointments === 'none' || subject.order.placerOrderNumber === undefined) return [];
  const envelope = { ...envelopeFor(department, placer, at), version: placer.sends.appointments };
  const rendered = appointmentToHl7(envelope, subjectOf(subject, envelope, procedure), procedure, { triggerEvent });
  const about = { transaction: 'RAD-48', effect: name, orderId: subject.order.id, procedureId: procedure.id };
  return [outgoing(placer, envelope, rendered, about)];
}
