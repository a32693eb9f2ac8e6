import { type Cx, cwe, cx, pl, readTimestamp, xcn, xpn } from '../hl7/datatypes.ts';
import type { Segment } from '../hl7/message.ts';
import { SwfError } from '../platform/errors.ts';
import type { PatientIdentifier, PatientStatement, PersonName, VisitStatement } from '../workflow/vocabulary.ts';
import { type Reading, bounded, componentsOf, defined, expected, locationOf, required, textOf } from './reader.ts';

/** The authority by its name: the identifier's own, else the sender's. Throws 'required-field-missing' when there is none. */
function authorityOf(authority: Cx['assigningAuthority'], reading: Reading, location: string): string {
  const candidates = [authority?.namespace, authority?.universalId, reading.rules.assigningAuthority];
  const name = candidates.map((text) => text?.trim()).find((text) => text);
  bounded(name ?? '', location, 'the assigning authority (PID-3.4)');
  return required(name, location, 'the assigning authority (PID-3.4)');
}

function identifierOf(value: Cx, reading: Reading, location: string): PatientIdentifier {
  const authority = value.assigningAuthority;
  return defined<PatientIdentifier>({
    // DICOM drops blanks around an identifier; kept, they would make a second patient that looks the same.
    value: value.id.trim(),
    assigningAuthority: authorityOf(authority, reading, location),
    universalId: authority?.universalId?.trim() || undefined,
    universalIdType: authority?.universalIdType,
    identifierType: value.identifierType,
  });
}

function identifiersOf(pid: Segment, reading: Reading): PatientIdentifier[] {
  const identifiers: PatientIdentifier[] = [];
  for (let repetition = 1; repetition <= pid.repetitions(3); repetition++) {
    const value = cx(pid, 3, repetition);
    if (!value?.id.trim()) continue;
    bounded(value.id, locationOf(pid, 3, 1), 'a patient identifier (PID-3.1)');
    expected(
      reading,
      value.assigningAuthority !== undefined,
      `PID^1^3^${repetition}^4`,
      'the assigning authority (PID-3.4)',
    );
    const typed = value.identifierType !== undefined || reading.message.header.version === '2.3.1';
    expected(reading, typed, `PID^1^3^${repetition}^5`, 'the identifier type (PID-3.5)');
    identifiers.push(identifierOf(value, reading, `PID^1^3^${repetition}^4`));
  }
  required(identifiers[0]?.value, locationOf(pid, 3, 1), 'the patient identifier (PID-3.1)');
  return identifiers;
}

function nameOf(pid: Segment): PersonName {
  const name = xpn(pid, 5);
  if (!name || (name.family === undefined && name.given === undefined)) {
    throw new SwfError('required-field-missing', 'the patient name (PID-5) is empty', { location: locationOf(pid, 5) });
  }
  return personName(name);
}

function personName(name: PersonName): PersonName {
  const { family, given, middle, suffix, prefix, degree } = name;
  return defined<PersonName>({ family, given, middle, suffix, prefix, degree });
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
function theOnly(reading: Reading, name: 'PID' | 'PV1'): Segment | undefined {
  const [segment, second] = reading.message.all(name);
  if (second) throw new SwfError('segment-sequence', `a message has one ${name} segment`, { location: `${name}^2` });
  return segment;
}

/** PID (and AL1) as a statement about a patient. Throws 'required-field-missing' for PID-3.1 and PID-5. */
export function patientFromHl7(reading: Reading): PatientStatement {
  const pid = theOnly(reading, 'PID');
  if (!pid) throw new SwfError('segment-sequence', 'there is no PID segment', { location: 'PID^1' });
  const identifiers = identifiersOf(pid, reading);
  const sex = pid.get(8);
  expected(reading, sex !== undefined, locationOf(pid, 8), 'the sex (PID-8)');
  const account = pid.get(18) === null ? null : cx(pid, 18);
  const mother = pid.get(6) === null ? null : xpn(pid, 6);
  const allergies = reading.message.all('AL1').flatMap((al1) => textOf(al1, 3, 2) ?? textOf(al1, 3) ?? []);
  return {
    identifiers,
    name: nameOf(pid),
    birthDate: birthDateOf(pid, reading),
    sex,
    demographics: {
      motherName: mother ? personName(mother) : mother,
      race: pid.get(10),
      address: pid.get(11) === null ? null : componentsOf(pid, 11),
      primaryLanguage: pid.get(15) === null ? null : cwe(pid, 15),
      accountNumber: account ? defined({ id: account.id, assigningAuthority: account.assigningAuthority }) : account,
      allergies: allergies.length > 0 ? allergies : undefined,
    },
  };
}

/** What an ADT fills in PV1 beyond the class, by event (RAD TF-2 4.1-3). */
const requiredOfEvent = [
  { events: ['A01'], field: 3, what: 'the assigned location (PV1-3)' },
  { events: ['A04', 'A05'], field: 8, what: 'the referring doctor (PV1-8)' },
] as const satisfies readonly { events: readonly string[]; field: number; what: string }[];

/** PV1 as a statement about a visit; undefined without a PV1. The visit number is PV1-19, else PID-18. */
export function visitFromHl7(reading: Reading): VisitStatement | undefined {
  const pv1 = theOnly(reading, 'PV1');
  if (!pv1) {
    expected(reading, false, 'PV1^1', 'the PV1 segment');
    return undefined;
  }
  const pid = reading.message.first('PID');
  const visitIdentifier = cx(pv1, 19);
  const number = visitIdentifier ?? (pid ? cx(pid, 18) : undefined);
  const place = visitIdentifier || !pid ? locationOf(pv1, 19, 1) : locationOf(pid, 18, 1);
  bounded(number?.id ?? '', place, 'the visit number (PV1-19) or account number (PID-18)');
  expected(reading, textOf(pv1, 2) !== undefined, locationOf(pv1, 2), 'the patient class (PV1-2)');
  for (const { events, field, what } of requiredOfEvent) {
    const concerned = events.some((event) => event === reading.message.header.triggerEvent);
    if (concerned) expected(reading, componentsOf(pv1, field) !== undefined, locationOf(pv1, field), what);
  }
  expected(reading, number !== undefined, locationOf(pv1, 19), 'the visit number (PV1-19) or account number (PID-18)');
  return {
    visitNumber: number?.id.trim() || undefined,
    assigningAuthority: authorityOf(number?.assigningAuthority, reading, place),
    patientClass: pv1.get(2),
    details: {
      location: pv1.get(3) === null ? null : pl(pv1, 3),
      attendingDoctor: pv1.get(7) === null ? null : xcn(pv1, 7),
      referringDoctor: pv1.get(8) === null ? null : xcn(pv1, 8),
      hospitalService: pv1.get(10),
      ambulatoryStatus: pv1.get(15),
      admittingDoctor: pv1.get(17) === null ? null : xcn(pv1, 17),
      visitIdentifier: visitIdentifier
        ? defined({ id: visitIdentifier.id, assigningAuthority: visitIdentifier.assigningAuthority })
        : undefined,
      admitTime: pv1.get(44),
      visitIndicator: pv1.get(51),
    },
  };
}
