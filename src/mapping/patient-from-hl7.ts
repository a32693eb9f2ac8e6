import { type Cx, cwe, cx, pl, readTimestamp, xcn, xpn } from '../hl7/datatypes.ts';
import type { Segment } from '../hl7/message.ts';
import { SwfError } from '../platform/errors.ts';
import type {
  PatientIdentifier,
  PatientStatement,
  PersonName,
  VisitDetails,
  VisitStatement,
} from '../workflow/vocabulary.ts';
import { type Reading, bounded, componentsOf, defined, expected, locationOf, required, textOf } from './reader.ts';

function identifierOf(value: Cx, reading: Reading): PatientIdentifier {
  const authority = value.assigningAuthority;
  return defined<PatientIdentifier>({
    value: value.id,
    assigningAuthority: authority?.namespace ?? authority?.universalId ?? reading.rules.assigningAuthority,
    universalId: authority?.universalId,
    universalIdType: authority?.universalIdType,
    identifierType: value.identifierType,
  });
}

function identifiersOf(pid: Segment, reading: Reading): PatientIdentifier[] {
  required(pid.get(3), locationOf(pid, 3, 1), 'the patient identifier (PID-3.1)');
  const identifiers: PatientIdentifier[] = [];
  for (let repetition = 1; repetition <= pid.repetitions(3); repetition++) {
    const value = cx(pid, 3, repetition);
    if (!value) continue;
    bounded(value.id, locationOf(pid, 3, 1), 'a patient identifier (PID-3.1)');
    if (!value.assigningAuthority)
      reading.remarks.push(`PID-3 repetition ${repetition} names no assigning authority; the sender's is used`);
    identifiers.push(identifierOf(value, reading));
  }
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

/** PID (and AL1) as a statement about a patient. Throws 'required-field-missing' for PID-3.1 and PID-5. */
export function patientFromHl7(reading: Reading): PatientStatement {
  const pid = reading.message.first('PID');
  if (!pid) throw new SwfError('segment-sequence', 'there is no PID segment', { location: 'PID^1' });
  const identifiers = identifiersOf(pid, reading);
  const sex = pid.get(8);
  expected(reading, sex !== undefined, locationOf(pid, 8), 'the sex (PID-8)');
  const account = pid.get(18) === null ? null : cx(pid, 18);
  const mother = pid.get(6) === null ? null : xpn(pid, 6);
  const allergies = reading.message.all('AL1').map((al1) => textOf(al1, 3, 2) ?? textOf(al1, 3));
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
      allergies: allergies.length > 0 ? allergies.filter((text) => text !== undefined) : undefined,
    },
  };
}

/** PV1 as a statement about a visit; undefined without a PV1. The visit number is PV1-19, else PID-18. */
export function visitFromHl7(reading: Reading): VisitStatement | undefined {
  const pv1 = reading.message.first('PV1');
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
  expected(reading, number !== undefined, locationOf(pv1, 19), 'the visit number (PV1-19) or account number (PID-18)');
  return {
    visitNumber: number?.id ?? '',
    assigningAuthority:
      number?.assigningAuthority?.namespace ??
      number?.assigningAuthority?.universalId ??
      reading.rules.assigningAuthority,
    patientClass: textOf(pv1, 2),
    details: defined<VisitDetails>({
      location: pl(pv1, 3),
      attendingDoctor: xcn(pv1, 7),
      referringDoctor: xcn(pv1, 8),
      hospitalService: textOf(pv1, 10),
      ambulatoryStatus: textOf(pv1, 15),
      admittingDoctor: xcn(pv1, 17),
      visitIdentifier: visitIdentifier
        ? defined({ id: visitIdentifier.id, assigningAuthority: visitIdentifier.assigningAuthority })
        : undefined,
      admitTime: textOf(pv1, 44),
      visitIndicator: textOf(pv1, 51),
    }),
  };
}
