import { cx } from '../hl7/datatypes.ts';
import type { Group } from '../hl7/grammar.ts';
import { SwfError } from '../platform/errors.ts';
import type { PatientMerge } from '../workflow/statements.ts';
import type { PatientIdentifier } from '../workflow/vocabulary.ts';
import { authorityOf, identifiersFromHl7 } from './identifiers-from-hl7.ts';
import { patientFromHl7, visitFromHl7 } from './patient-from-hl7.ts';
import { type Reading, bounded, locationOf, required } from './reader.ts';
import { groupsFromHl7 } from './structure-from-hl7.ts';

/** One identifier is another where value and assigning authority are; an authority is known by its universal id too. */
function isSame(one: PatientIdentifier, other: PatientIdentifier): boolean {
  if (one.value !== other.value) return false;
  if (one.assigningAuthority === other.assigningAuthority) return true;
  return one.universalId !== undefined && one.universalId === other.universalId;
}

function mergeFromHl7(reading: Reading, group: Group, sequence: number): PatientMerge {
  const survivor = patientFromHl7(reading, group.segments);
  const visit = group.first('PV1') && visitFromHl7(reading, group.segments);
  const mrg = group.first('MRG');
  const subsumed = mrg ? identifiersFromHl7(reading, mrg, 1) : [];
  const location = `MRG^${mrg?.sequence ?? sequence}^1`;
  required(subsumed[0]?.value, location, 'the prior patient identifier (MRG-1)');
  // A number that both keep, such as a national one, names nobody who goes.
  const going = subsumed.filter((prior) => !survivor.identifiers.some((kept) => isSame(kept, prior)));
  if (going.length === 0) {
    throw new SwfError('duplicate-key', 'a patient is not merged with himself: MRG-1 names an identifier of PID-3', {
      location,
    });
  }
  return { survivor, visit, subsumed: going, sequence };
}

/**
 * Every PID/MRG group of ADT^A40 (merge) or ADT^A47 (change of identifier), in the order of the message
 * (RAD TF-2 4.12, ITI TF-2 3.30). Throws 'required-field-missing' (101) for MRG-1, 'duplicate-key' (205) where it
 * names the survivor, and what patientFromHl7 throws.
 */
export function mergesFromHl7(reading: Reading): PatientMerge[] {
  const patients = groupsFromHl7(reading).groupsOf('PATIENT');
  return patients.map((group, index) => mergeFromHl7(reading, group, index + 1));
}

/** A visit by its number before the message, and who gave it. */
export interface PriorVisit {
  readonly visitNumber: string;
  readonly assigningAuthority: string;
}

/**
 * What an A06 or A07 calls the visit that it ends: MRG-5, else the account MRG-3, as a visit number is PV1-19, else
 * PID-18 (RAD TF-2 4.12); undefined where the number stays. Throws 'data-type' (102) for one that DICOM cannot carry.
 */
export function priorVisitFromHl7(reading: Reading): PriorVisit | undefined {
  const mrg = reading.message.first('MRG');
  if (!mrg) return undefined;
  const field = [5, 3].find((candidate) => cx(mrg, candidate)?.id.trim());
  const number = field === undefined ? undefined : cx(mrg, field);
  if (field === undefined || !number) return undefined;
  const location = locationOf(mrg, field, 1);
  bounded(number.id, location, 'the prior visit or account number (MRG-5, MRG-3)');
  const assigningAuthority = authorityOf(number.assigningAuthority, reading, { location, field: `MRG-${field}` });
  return { visitNumber: number.id.trim(), assigningAuthority };
}
