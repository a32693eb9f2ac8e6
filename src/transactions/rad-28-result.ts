import { resultToHl7 } from '../mapping/result-to-hl7.ts';
import type { Effect } from '../workflow/procedure-machine.ts';
import type { ResultStatus } from '../workflow/statements.ts';
import type { Person } from '../workflow/vocabulary.ts';
import type { OutgoingMessage } from '../store/outbox.ts';
import type { StoredProcedure } from '../store/procedures.ts';
import { type Department, placerOf } from './department.ts';
import { type Subject, envelopeFor, outgoing, subjectOf } from './outgoing-hl7.ts';

/** What a report says, as it is passed on. */
export interface ReportContent {
  readonly resultStatus: ResultStatus;
  readonly lines: readonly string[];
  readonly reportedAt?: string | undefined;
  readonly interpreter?: Person | undefined;
  /** MSH-3 and MSH-4 of who sent it: it is not sent back. */
  readonly sendingApplication: string;
  readonly sendingFacility: string;
}

/** A report that the order placer is to have. */
export type ResultAnnouncement = Extract<Effect, { name: 'sendResult' }> & {
  readonly procedure: StoredProcedure;
  readonly content: ReportContent | undefined;
};

/** The report for the order placer of the order: ORU^R01 in its version (HL7 v2.5.1 7.3.1). */
export function sendResult(
  department: Department,
  subject: Subject,
  { name, procedure, content: report }: ResultAnnouncement,
  at: Date,
): OutgoingMessage[] {
  const placer = placerOf(department.config, subject.order);
  if (!placer?.sends.results || !report || report.resultStatus === 'X') return [];
  // Without its number the placer would not know of what; the result goes out when the number has come.
  if (subject.order.placerOrderNumber === undefined) return [];
  const { application, facility } = placer.hl7;
  if (report.sendingApplication === application && report.sendingFacility === facility) return [];
  const envelope = envelopeFor(department, placer, at);
  const { resultStatus, lines, reportedAt, interpreter } = report;
  const news = { resultStatus, lines, reportedAt, interpreter };
  const rendered = resultToHl7(envelope, subjectOf(subject, envelope, procedure), procedure, news);
  const about = { transaction: 'RAD-28', effect: name, orderId: subject.order.id, procedureId: procedure.id };
  return [outgoing(placer, envelope, rendered, about)];
}
