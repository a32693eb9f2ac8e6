import { formatTimestamp } from '../hl7/datatypes.ts';
import type { Component, Field, SegmentValues } from '../hl7/encode.ts';
import type { Person, PlannedProcedure } from '../workflow/vocabulary.ts';
import { type MessageForm, type RenderedMessage, rendered } from './rendered.ts';
import { type Envelope, type OrderSubject, obrOfOrder, orc, pid, plainCode, pv1, segment } from './segments-to-hl7.ts';

/** A report as a report manager gave it. */
export interface ReportNews {
  /** OBR-25 and OBX-11: preliminary, final, corrected (HL7 table 0123). */
  readonly resultStatus: 'P' | 'F' | 'C';
  /** The text, line by line. */
  readonly lines: readonly string[];
  /** OBR-22, as it came; undefined: the time of the message. */
  readonly reportedAt?: string | undefined;
  /** OBR-32.1 */
  readonly interpreter?: Person | undefined;
}

type ReportedProcedure = Pick<PlannedProcedure, 'requestedProcedureId' | 'studyInstanceUid' | 'code'>;

// OBX-3: PS3.16 annex D, LOINC.
const studyInstanceUid: readonly Component[] = ['110180', 'Study Instance UID', 'DCM'];
const reportText: readonly Component[] = ['18748-4', 'Diagnostic imaging report', 'LN'];

/** OBR-32 is a name with date and place; its first component is the person, in subcomponents (NDL, HL7 v2.5.1 chapter 2A). */
function interpreterField(person: Person): Field {
  const { namespace, universalId, universalIdType } = person.assigningAuthority ?? {};
  const { id, family, given, middle, suffix, prefix, degree } = person;
  return [[id, family, given, middle, suffix, prefix, degree, undefined, namespace, universalId, universalIdType]];
}

function obr(
  envelope: Envelope,
  subject: OrderSubject,
  procedure: ReportedProcedure,
  report: ReportNews,
): SegmentValues {
  const earlier = envelope.version !== '2.5.1';
  return segment('OBR', {
    ...obrOfOrder(subject, envelope.version),
    1: '1',
    4: plainCode(procedure.code),
    18: earlier ? subject.accessionNumber : undefined,
    19: earlier ? procedure.requestedProcedureId : undefined,
    22: report.reportedAt ?? formatTimestamp(envelope.at, envelope.timeZone),
    25: report.resultStatus,
    32: report.interpreter && interpreterField(report.interpreter),
  });
}

/** The study that was read, then the text. OBX-4 is the same in all: they are the parts of one report. */
function observations(procedure: ReportedProcedure, { lines, resultStatus }: ReportNews): SegmentValues[] {
  const values: Record<number, Field>[] = [
    { 2: 'ST', 3: studyInstanceUid, 5: procedure.studyInstanceUid },
    ...lines.map((line) => ({ 2: 'TX', 3: reportText, 5: line })),
  ];
  return values.map((value, index) => segment('OBX', { ...value, 1: String(index + 1), 4: '1', 11: resultStatus }));
}

const form: MessageForm = { messageType: 'ORU^R01', structure: 'ORU_R01' };

/** A report for the order placer: ORU^R01 in the placer's version (HL7 v2.5.1 7.3.1). */
export function resultToHl7(
  envelope: Envelope,
  subject: OrderSubject,
  procedure: ReportedProcedure,
  report: ReportNews,
): RenderedMessage {
  const { version } = envelope;
  return rendered(envelope, form, [
    pid(subject.patient, version),
    pv1(subject.visit),
    orc(subject, { orderControl: 'RE' }, version),
    obr(envelope, subject, procedure, report),
    ...observations(procedure, report),
  ]);
}
