import type { OutgoingMessage } from '../store/outbox.ts';
import type { Department } from './department.ts';
import type { Subject } from './outgoing-hl7.ts';
import { type OrderStatusReport, reportOrderStatus } from './rad-03-filler-order.ts';
import { type ProcedureAnnouncement, announceProcedure } from './rad-04-13-procedure.ts';

/** What is to be told to somebody: the effects of machines, and an order's status. */
export type Announcement = ProcedureAnnouncement | OrderStatusReport;

/** Finished messages for an announcement, one for each destination; each effect has its transaction's file. */
export function render(
  department: Department,
  subject: Subject,
  announcement: Announcement,
  at: Date,
): OutgoingMessage[] {
  switch (announcement.name) {
    case 'announceProcedure':
      return announceProcedure(department, subject, announcement, at);
    case 'reportOrderStatus':
      return reportOrderStatus(department, subject, announcement, at);
  }
}
