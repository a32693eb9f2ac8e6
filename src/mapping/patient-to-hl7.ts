import { formatTimestamp } from '../hl7/datatypes.ts';
import type { SegmentValues } from '../hl7/encode.ts';
import type { Patient, PatientIdentifier, PersonName, Visit } from '../workflow/vocabulary.ts';
import { type RenderedMessage, rendered } from './rendered.ts';
import { type Envelope, type Hl7Version, identifierField, nameField, pid, pv1, segment } from './segments-to-hl7.ts';

/** MSH-9.3 of each event that RAD-12 passes on (HL7 v2.5.1 table 0354); but for the merge all are laid out alike. */
const structures = {
  A02: 'ADT_A02',
  A03: 'ADT_A03',
  A06: 'ADT_A06',
  A07: 'ADT_A06',
  A08: 'ADT_A01',
  A12: 'ADT_A12',
  A13: 'ADT_A01',
  A40: 'ADT_A39',
} as const;

/** A patient who was removed: his identifiers, and the name he had where it is known. */
export interface MergedPatient {
  readonly identifiers: readonly PatientIdentifier[];
  readonly name?: PersonName | undefined;
}

/** What happened to a patient that image and report managers know. */
export interface PatientNews {
  readonly triggerEvent: keyof typeof structures;
  /** The patient as he stands now; of a merge, the one who stays. */
  readonly patient: Patient;
  readonly visit: Visit | undefined;
  /** Of A40, and of no other event. */
  readonly merged?: MergedPatient | undefined;
  /** EVN-2 */
  readonly recordedAt: Date;
  /** EVN-6, as it came */
  readonly occurredAt?: string | undefined;
}

function evn(envelope: Envelope, { triggerEvent, recordedAt, occurredAt }: PatientNews): SegmentValues {
  return segment('EVN', {
    // ITI TF-2 3.30: v2.5 has the event in MSH-9 alone.
    1: envelope.version === '2.5.1' ? undefined : triggerEvent,
    2: formatTimestamp(recordedAt, envelope.timeZone),
    6: occurredAt,
  });
}

/** MRG; MRG-4 repeats the first identifier for receivers of v2.3.1 that read it there. */
function mrg({ identifiers, name }: MergedPatient, version: Hl7Version): SegmentValues {
  const [first] = identifiers;
  return segment('MRG', {
    1: { repetitions: identifiers.map((identifier) => identifierField(identifier, version)) },
    4: first && version !== '2.5.1' ? identifierField(first, version) : undefined,
    7: name && nameField(name),
  });
}

/**
 * RAD-12 Patient Update (RAD TF-2 4.12): the patient and the visit as they stand with us, under our own MSH; never the
 * message that told us.
 * @throws SwfError 'internal' when A40 does not say who was merged, or another event does
 */
export function patientToHl7(envelope: Envelope, news: PatientNews): RenderedMessage {
  const { triggerEvent, merged } = news;
  const form = { messageType: `ADT^${triggerEvent}`, structure: `${structures[triggerEvent]} RAD-12` };
  const removed = merged && merged.identifiers.length > 0 ? [mrg(merged, envelope.version)] : [];
  const segments = [
    evn(envelope, news),
    pid(news.patient, envelope.version),
    ...(triggerEvent === 'A40' ? [] : [pv1(news.visit)]),
    ...removed,
  ];
  return rendered(envelope, form, segments);
}
