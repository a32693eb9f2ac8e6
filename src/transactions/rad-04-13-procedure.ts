import { procedureScheduled, procedureToHl7 } from '../mapping/procedure-to-hl7.ts';
import type { OutgoingMessage } from '../store/outbox.ts';
import type { StoredProcedure } from '../store/procedures.ts';
import type { Effect } from '../workflow/procedure-machine.ts';
import { type Department, hl7Peers } from './department.ts';
import { type Subject, envelopeFor, outgoing, subjectOf } from './outgoing-hl7.ts';

/** A procedure that its machine wants announced. */
export type ProcedureAnnouncement = Effect & { readonly procedure: StoredProcedure };

/** RAD-4 Procedure Scheduled (RAD TF-2 4.4): one message for each destination, in its own version. */
export function announceProcedure(
  department: Department,
  subject: Subject,
  { destinations, procedure, name }: ProcedureAnnouncement,
  at: Date,
): OutgoingMessage[] {
  const peers = hl7Peers(department.config).filter((peer) => destinations.includes(peer.name));
  return peers.map((peer) => {
    const envelope = envelopeFor(department, peer, at);
    const rendered = procedureToHl7(envelope, subjectOf(subject, envelope), procedure, procedureScheduled);
    return outgoing(peer, envelope, rendered, {
      transaction: 'RAD-4',
      effect: name,
      orderId: subject.order.id,
      procedureId: procedure.id,
    });
  });
}
