import { type ProcedureControl, procedureControls, procedureToHl7 } from '../mapping/procedure-to-hl7.ts';
import type { OutgoingMessage } from '../store/outbox.ts';
import type { StoredProcedure } from '../store/procedures.ts';
import type { ProcedureUpdateControl } from '../workflow/procedure-effects.ts';
import type { Effect } from '../workflow/procedure-machine.ts';
import { type Department, hl7Peers } from './department.ts';
import { type Subject, envelopeFor, outgoing, subjectOf } from './outgoing-hl7.ts';

/** A procedure that its machine wants image managers and report managers to know, or to know of its change. */
export type ProcedureAnnouncement = Extract<Effect, { name: 'announceProcedure' | 'updateProcedure' }> & {
  readonly procedure: StoredProcedure;
};

const updates: Readonly<Record<ProcedureUpdateControl, ProcedureControl>> = {
  'CA/CA': procedureControls.cancelled,
  'DC/CA': procedureControls.discontinued,
  'XO/SC': procedureControls.changed,
  'XO/CM': procedureControls.changedAfterCompletion,
};

/** RAD-4 Procedure Scheduled and RAD-13 Procedure Update (RAD TF-2 4.4, 4.13): one message for each destination. */
export function tellManagers(
  department: Department,
  subject: Subject,
  announcement: ProcedureAnnouncement,
  at: Date,
): OutgoingMessage[] {
  const { name, destinations, procedure } = announcement;
  const [transaction, control] =
    name === 'announceProcedure' ? ['RAD-4', procedureControls.scheduled] : ['RAD-13', updates[announcement.control]];
  const peers = hl7Peers(department.config).filter((peer) => destinations.includes(peer.name));
  return peers.map((peer) => {
    const envelope = envelopeFor(department, peer, at);
    const rendered = procedureToHl7(envelope, subjectOf(subject, envelope, procedure), procedure, control);
    const about = { transaction, effect: name, orderId: subject.order.id, procedureId: procedure.id };
    return outgoing(peer, envelope, rendered, about);
  });
}
