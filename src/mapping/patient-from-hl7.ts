import { type Xpn, cwe, cx, pl, readTimestamp, xcn, xpn } from '../hl7/datatypes.ts';
import type { Segment } from '../hl7/message.ts';
import { SwfError } from '../platform/errors.ts';
import type { NameParts, PatientStatement, PersonName, VisitStatement } from '../workflow/vocabulary.ts';
import { authorityOf, identifiersFromHl7 } from './identifiers-from-hl7.ts';
import { type Reading, bounded, componentsOf, defined, expected, locationOf, required, textOf } from './reader.ts';

// Legal, display and unmarked names are one name, each in its representation; maiden name or alias are another.
const ownNameTypes: readonly (string | undefined)[] = [undefined, 'L', 'D'];
// More than anybody writes; each is read part by part.
const MOST_NAMES = 32;

function namesIn(segment: Segment, field: number): Xpn[] {
  const count = Math.min(segment.repetitions(field), MOST_NAMES);
  const names = Array.from({ length: count }, (_, index) => xpn(segment, field, index + 1));
  const given = names.flatMap((name) => ((name?.family ?? name?.given) === undefined ? [] : (name ?? [])));
  const kindOf = ({ nameType }: Xpn): string => (ownNameTypes.includes(nameType) ? 'L' : (nameType ?? ''));
  return given.filter((name) => given[0] && kindOf(name) === kindOf(given[0]));
}

/**
 * A name with its representations, each a repetition by XPN-8 (table 4000): alphabetic or unmarked, ideographic,
 * phonetic. Undefined when no repetition has a family or given name.
 */
function personName(segment: Segment, field: number): PersonName | undefined {
  const names = namesIn(segment, field);
  const partsOf = (isMeant: (representation: string | undefined) => boolean): NameParts | undefined => {
    const name = names.find(({ representation }) => isMeant(representation?.trim().toUpperCase()));
    const { family, given, middle, suffix, prefix, degree } = name ?? {};
    return name && defined<NameParts>({ family, given, middle, suffix, prefix, degree });
  };
  const alphabetic = partsOf((representation) => representation !== 'I' && representation !== 'P');
  const ideographic = partsOf((representation) => representation === 'I');
  const phonetic = partsOf((representation) => representation === 'P');
  return names.length > 0 ? defined<PersonName>({ ...alphabetic, ideographic, phonetic }) : undefined;
}

function nameOf(pid: Segment): PersonName {
  const name = personName(pid, 5);
  if (name) return name;
  throw new SwfError('required-field-missing', 'the patient name (PID-5) is empty', { location: locationOf(pid, 5) });
}

function birthDateOf(pid: Segment, reading: Reading): string | null | undefined {
  const value = pid.get(7);
  if (typeof value !== 'string') return value;
  try {
    return readTimestamp(value).date;
  } catch {
    // A birth date may be known to the year only; the identity does not rest on it.
    reading.remarks.push('the birth date (PID-7) names no whole day and is not used');
    return undefined;
  }
}

/** A segment that may come once: a second one would be a second patient or visit, and is never passed over. */
function theOnly(segments: readonly Segment[], name: 'PID' | 'PV1'): Segment | undefined {
  const [segment, second] = segments.filter((candidate) => candidate.name === name);
  if (!second) return segment;
  const location = `${name}^${second.sequence}`;
  throw new SwfError('segment-sequence', `there is one ${name} segment for each patient`, { location });
}

/** NTE that stand directly behind PID (and PD1): they are about the patient (HL7 v2.5.1 4.4.1). */
function commentsBehind(pid: Segment, segments: readonly Segment[]): string[] | null | undefined {
  const behind = segments.slice(segments.indexOf(pid) + 1).filter(({ name }) => name !== 'PD1');
  const end = behind.findIndex(({ name }) => name !== 'NTE');
  const values = behind.slice(0, end === -1 ? behind.length : end).map((nte) => nte.whole(3));
  const comments = values.flatMap((value) => value ?? []);
  if (comments.length > 0) return comments;
  return values.includes(null) ? null : undefined;
}

/**
 * PID (with NTE behind it, and AL1) as a statement about a patient: of the message, or of the segments of one group of it.
 * Throws 'required-field-missing' (101) for PID-3.1 and PID-5, 'segment-sequence' (100) where there is not one PID.
 */
export function patientFromHl7(
  reading: Reading,
  segments: readonly Segment[] = reading.message.segments,
): PatientStatement {
  const pid = theOnly(segments, 'PID');
  if (!pid) throw new SwfError('segment-sequence', 'there is no PID segment', { location: 'PID^1' });
  const identifiers = identifiersFromHl7(reading, pid, 3);
  required(identifiers[0]?.value, locationOf(pid, 3, 1), 'the patient identifier (PID-3.1)');
  const sex = pid.get(8);
  expected(reading, sex !== undefined, locationOf(pid, 8), 'the sex (PID-8)');
  const account = pid.get(18) === null ? null : cx(pid, 18);
  const allergies = segments
    .filter((segment) => segment.name === 'AL1')
    .flatMap((al1) => textOf(al1, 3, 2) ?? textOf(al1, 3) ?? []);
  return {
    identifiers,
    name: nameOf(pid),
    birthDate: birthDateOf(pid, reading),
    sex,
    demographics: {
      motherName: pid.get(6) === null ? null : personName(pid, 6),
      race: pid.get(10),
      address: pid.get(11) === null ? null : componentsOf(pid, 11),
      primaryLanguage: pid.get(15) === null ? null : cwe(pid, 15),
      accountNumber: account ? defined({ id: account.id, assigningAuthority: account.assigningAuthority }) : account,
      allergies: allergies.length > 0 ? allergies : undefined,
      comments: commentsBehind(pid, segments),
    },
  };
}

/** What an ADT fills in PV1 beyond the class, by event (RAD TF-2 4.1-3). */
const requiredOfEvent = [
  { events: ['A01', 'A02'], field: 3, what: 'the assigned location (PV1-3)' },
  { events: ['A01'], field: 7, what: 'the attending doctor (PV1-7)' },
  { events: ['A04', 'A05'], field: 8, what: 'the referring doctor (PV1-8)' },
  { events: ['A01'], field: 10, what: 'the hospital service (PV1-10)' },
  { events: ['A01'], field: 17, what: 'the admitting doctor (PV1-17)' },
] as const satisfies readonly { events: readonly string[]; field: number; what: string }[];

/** Events about a person, whether or not he is here (ITI TF-2 3.30): they need no visit. */
const eventsWithoutVisit: ReadonlySet<string> = new Set(['A28', 'A31', 'A40', 'A47']);

/**
 * PV1 as a statement about a visit, of the message or of the segments of one group of it; undefined without a PV1.
 * The visit number is PV1-19, else PID-18. Throws 'data-type' (102) for a number that DICOM cannot carry.
 */
export function visitFromHl7(
  reading: Reading,
  segments: readonly Segment[] = reading.message.segments,
): VisitStatement | undefined {
  const pv1 = theOnly(segments, 'PV1');
  const { triggerEvent } = reading.message.header;
  const needed = !eventsWithoutVisit.has(triggerEvent);
  if (!pv1) {
    if (needed) expected(reading, false, 'PV1^1', 'the PV1 segment');
    return undefined;
  }
  const pid = theOnly(segments, 'PID');
  const visitIdentifier = cx(pv1, 19);
  const number = visitIdentifier ?? (pid ? cx(pid, 18) : undefined);
  const [place, numberField] =
    visitIdentifier || !pid ? [locationOf(pv1, 19, 1), 'PV1-19'] : [locationOf(pid, 18, 1), 'PID-18'];
  bounded(number?.id ?? '', place, 'the visit number (PV1-19) or account number (PID-18)');
  expected(reading, textOf(pv1, 2) !== undefined, locationOf(pv1, 2), 'the patient class (PV1-2)');
  for (const { events, field, what } of requiredOfEvent) {
    const concerned = events.some((event) => event === triggerEvent);
    if (concerned) expected(reading, componentsOf(pv1, field) !== undefined, locationOf(pv1, field), what);
  }
  if (needed)
    expected(
      reading,
      number !== undefined,
      locationOf(pv1, 19),
      'the visit number (PV1-19) or account number (PID-18)',
    );
  return {
    visitNumber: number?.id.trim() || undefined,
    assigningAuthority: authorityOf(number?.assigningAuthority, reading, { location: place, field: numberField }),
    patientClass: pv1.get(2),
    details: {
      location: pv1.get(3) === null ? null : pl(pv1, 3),
      attendingDoctor: pv1.get(7) === null ? null : xcn(pv1, 7),
      referringDoctor: pv1.get(8) === null ? null : xcn(pv1, 8),
      hospitalService: pv1.get(10),
      ambulatoryStatus: pv1.get(15),
      vipIndicator: pv1.get(16),
      admittingDoctor: pv1.get(17) === null ? null : xcn(pv1, 17),
      visitIdentifier: visitIdentifier
        ? defined({ id: visitIdentifier.id, assigningAuthority: visitIdentifier.assigningAuthority })
        : undefined,
      admitTime: pv1.get(44),
      dischargeTime: pv1.get(45),
      visitIndicator: pv1.get(51),
    },
  };
}
