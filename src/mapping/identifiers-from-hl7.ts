import { type Cx, cx, ei } from '../hl7/datatypes.ts';
import type { Segment } from '../hl7/message.ts';
import type { EntityIdentifier, PatientIdentifier } from '../workflow/vocabulary.ts';
import { type Reading, bounded, defined, expected, locationOf, required } from './reader.ts';

/**
 * The assigning authority (HD) by its name: the identifier's own, else the sender's (RAD TF-2 4.1, PID-3).
 * Throws 'required-field-missing' (101) when there is none, 'data-type' (102) for one that DICOM cannot carry.
 */
export function authorityOf(
  authority: Cx['assigningAuthority'],
  reading: Reading,
  { location, field }: { readonly location: string; readonly field: string },
): string {
  const candidates = [authority?.namespace, authority?.universalId, reading.rules.assigningAuthority];
  const name = candidates.map((text) => text?.trim()).find((text) => text);
  bounded(name ?? '', location, `the assigning authority (${field}.4)`);
  return required(name, location, `the assigning authority (${field}.4)`);
}

function identifierOf(
  value: Cx,
  reading: Reading,
  place: { readonly location: string; readonly field: string },
): PatientIdentifier {
  const authority = value.assigningAuthority;
  return defined<PatientIdentifier>({
    // DICOM drops blanks around an identifier; kept, they would make a second patient that looks the same.
    value: value.id.trim(),
    assigningAuthority: authorityOf(authority, reading, place),
    universalId: authority?.universalId?.trim() || undefined,
    universalIdType: authority?.universalIdType,
    identifierType: value.identifierType,
  });
}

/**
 * Every repetition of a list of patient identifiers (CX) that has a value: PID-3, MRG-1. None may be empty.
 * Throws SwfError with the repetition's place for an identifier or authority that cannot be used.
 */
export function identifiersFromHl7(reading: Reading, segment: Segment, field: number): PatientIdentifier[] {
  const name = `${segment.name}-${field}`;
  const identifiers: PatientIdentifier[] = [];
  for (let repetition = 1; repetition <= segment.repetitions(field); repetition++) {
    const value = cx(segment, field, repetition);
    if (!value?.id.trim()) continue;
    const place = `${segment.name}^${segment.sequence}^${field}^${repetition}`;
    bounded(value.id, `${place}^1`, `a patient identifier (${name}.1)`);
    const authority = value.assigningAuthority !== undefined;
    expected(reading, authority, `${place}^4`, `the assigning authority (${name}.4)`);
    const typed = value.identifierType !== undefined || reading.message.header.version === '2.3.1';
    expected(reading, typed, `${place}^5`, `the identifier type (${name}.5)`);
    identifiers.push(identifierOf(value, reading, { location: `${place}^4`, field: name }));
  }
  return identifiers;
}

/**
 * The number of an order or appointment (EI); undefined where it is empty or of blanks, which DICOM drops.
 * Throws 'data-type' (102) for one that DICOM cannot carry.
 */
export function numberFromHl7(segment: Segment | undefined, field: number, what: string): EntityIdentifier | undefined {
  const number = segment && ei(segment, field);
  if (!segment || !number?.id.trim()) return undefined;
  const name = `${segment.name}-${field}`;
  bounded(number.id, locationOf(segment, field, 1), `${what} (${name})`);
  bounded(number.namespace ?? '', locationOf(segment, field, 2), `the namespace of ${what} (${name}.2)`);
  return number;
}
