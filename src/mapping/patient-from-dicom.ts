import { type Dataset, text } from '../dicom/dataset.ts';
import { dayOf } from '../dicom/matching-values.ts';
import type { NameParts, Patient, PersonName } from '../workflow/vocabulary.ts';
import { defined } from './reader.ts';

// Prefix and suffix stand in the other order than in HL7 (PS3.5 6.2.1).
function partsOf(group: string | undefined): NameParts | undefined {
  const [family, given, middle, prefix, suffix] = (group ?? '').split('^').map((part) => part.trim() || undefined);
  const parts = defined<NameParts>({ family, given, middle, suffix, prefix });
  return Object.keys(parts).length > 0 ? parts : undefined;
}

function nameOf(dataset: Dataset): PersonName {
  const [alphabetic, ideographic, phonetic] = (text(dataset, 'PatientName') ?? '').split('=').map(partsOf);
  return defined<PersonName>({ ...alphabetic, ideographic, phonetic });
}

/** A DA value as `YYYY-MM-DD`; undefined when it is no day of the calendar. */
export function isoDayOf(value: string | undefined): string | undefined {
  const day = dayOf(value ?? '');
  return day && `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
}

/** Whom a modality names: (0010,0020) and (0010,0021); undefined without a Patient ID. */
export interface PatientNumber {
  readonly value: string;
  /** Undefined where the modality does not say who gave the number. */
  readonly issuer: string | undefined;
}

export function patientNumberFromDicom(dataset: Dataset): PatientNumber | undefined {
  const value = text(dataset, 'PatientID');
  return value === undefined ? undefined : { value, issuer: text(dataset, 'IssuerOfPatientID') };
}

/** A patient as a modality was told of him, who is known to nobody else; his number is of this authority. */
export function patientFromDicom(dataset: Dataset, assigningAuthority: string): Patient {
  const number = patientNumberFromDicom(dataset);
  const sex = text(dataset, 'PatientSex');
  return {
    identifiers: number ? [{ value: number.value, assigningAuthority: number.issuer ?? assigningAuthority }] : [],
    name: nameOf(dataset),
    birthDate: isoDayOf(text(dataset, 'PatientBirthDate')),
    sex: sex !== undefined && ['F', 'M', 'O'].includes(sex) ? sex : undefined,
    demographics: {},
  };
}
