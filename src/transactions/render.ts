import type { OutgoingMessage } from '../store/outbox.ts';
import type { Department } from './department.ts';
import type { Subject } from './outgoing-hl7.ts';
import { type OrderAnnouncement, tellPlacer } from './rad-03-filler-order.ts';
import { type ProcedureAnnouncement, tellManagers } from './rad-04-13-procedure.ts';
import { type AppointmentAnnouncement, notifyAppointment } from './rad-48-appointment.ts';
import { type ResultAnnouncement, sendResult } from './rad-28-result.ts';

/** What is to be told to somebody: the effects of machines, and what is an order's own. */
export type Announcement = ProcedureAnnouncement | AppointmentAnnouncement | ResultAnnouncement | OrderAnnouncement;

/** Finished messages for an announcement, one for each destination; each effect has its transaction's file. */
export function render(
  department: Department,
  subject: Subject,
  announcement: Announcement,
  at: Date,
): OutgoingMessage[] {
  switch (announcement.name) {
    case 'announceProcedure':
    case 'updateProcedure':
      return tellManagers(department, subject, announcement, at);
    case 'notifyAppointment':
      return notifyAppointment(department, subject, announcement, at);
    case 'sendResult':
      return sendResult(department, subject, announcement, at);
    default:
      return tellPlacer(department, subject, announcement, at);
  }
}
