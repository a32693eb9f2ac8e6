import { isUid } from '../platform/ids.ts';
import { items, tagOf, texts, vrOf } from './dataset.ts';
import type { Dataset, Value } from './dataset.ts';
import { dayOf, isUniversal, momentsOf, rangeOf } from './matching-values.ts';
import { vrRules } from './vr.ts';

/** Why an identifier is refused: final status A900 with its comment and Offending Elements. */
export interface IdentifierRefusal {
  readonly status: 0xa900;
  readonly comment: string;
  readonly offendingElements: string[];
}

/** The one sequence of a worklist query that its step keys stand in. */
export const STEP = 'ScheduledProcedureStepSequence';
export const START_DATE = 'ScheduledProcedureStepStartDate';
export const START_TIME = 'ScheduledProcedureStepStartTime';

// Explain the identifier, or are given with the answer; never matched (PS3.4 K.6.1.2.2).
export const NOT_KEYS = new Set(['SpecificCharacterSet', 'TimezoneOffsetFromUTC']);

const codeKeys = ['CodeValue', 'CodingSchemeDesignator', 'CodingSchemeVersion', 'CodeMeaning'];
const authorityKeys = ['LocalNamespaceEntityID', 'UniversalEntityID', 'UniversalEntityIDType'];
const instanceKeys = ['ReferencedSOPClassUID', 'ReferencedSOPInstanceUID'];

/** The identifier itself, as the place of a key; any other place is the sequence whose item has the key. */
export const ROOT = '';

// Keys with a value that are matched, by their place (PS3.4 table K.6-1); any other is answered with FF01.
const SUPPORTED_KEYS: Readonly<Record<string, ReadonlySet<string>>> = {
  [ROOT]: new Set([
    ...['RequestedProcedureID', 'RequestedProcedureDescription', 'StudyInstanceUID', 'StudyDate', 'StudyTime'],
    ...['RequestedProcedurePriority', 'PatientTransportArrangements', 'AccessionNumber', 'RequestingPhysician'],
    ...['ReferringPhysicianName', 'AdmissionID', 'CurrentPatientLocation', 'PatientName', 'PatientID'],
    ...['IssuerOfPatientID', 'PatientBirthDate', 'PatientSex', 'PatientWeight', 'PatientSize', 'PatientState'],
    ...['ConfidentialityConstraintOnPatientDataDescription', 'PregnancyStatus', 'MedicalAlerts', 'Allergies'],
    ...['SpecialNeeds', 'InstitutionName', 'InstitutionalDepartmentName'],
    ...['PlacerOrderNumberImagingServiceRequest', 'FillerOrderNumberImagingServiceRequest'],
  ]),
  [STEP]: new Set([
    ...['ScheduledStationAETitle', START_DATE, START_TIME, 'Modality', 'ScheduledPerformingPhysicianName'],
    ...['ScheduledProcedureStepDescription', 'ScheduledProcedureStepID', 'ScheduledStationName'],
    ...['ScheduledProcedureStepLocation', 'ScheduledProcedureStepStatus', 'PreMedication', 'RequestedContrastAgent'],
  ]),
  ScheduledProtocolCodeSequence: new Set(codeKeys),
  RequestedProcedureCodeSequence: new Set(codeKeys),
  ReasonForRequestedProcedureCodeSequence: new Set(codeKeys),
  InstitutionCodeSequence: new Set(codeKeys),
  PatientPrimaryLanguageCodeSequence: new Set(codeKeys),
  ReferencedStudySequence: new Set(instanceKeys),
  ReferencedPatientSequence: new Set(instanceKeys),
  OtherPatientIDsSequence: new Set(['PatientID', 'IssuerOfPatientID', 'TypeOfPatientID']),
  IssuerOfPatientIDQualifiersSequence: new Set(authorityKeys),
  IssuerOfAccessionNumberSequence: new Set(authorityKeys),
  IssuerOfAdmissionIDSequence: new Set(authorityKeys),
  OrderPlacerIdentifierSequence: new Set(authorityKeys),
  OrderFillerIdentifierSequence: new Set(authorityKeys),
};

/** Whether a key is matched in the items of a sequence; without one, in the identifier itself. */
export const isSupported = (keyword: string, within = ROOT): boolean => SUPPORTED_KEYS[within]?.has(keyword) ?? false;

export const isSequence = (keyword: string, values: readonly Value[]): boolean =>
  vrOf(keyword) === 'SQ' || (typeof values[0] === 'object' && !(values[0] instanceof Uint8Array));

// A key without value, or `*`, matches everything. Padding alone is no value.
export function isUniversalKey(keyword: string, values: readonly Value[]): boolean {
  if (isSequence(keyword, values)) return items({ [keyword]: values }, keyword).every(isUniversalItem);
  return values.every((value) => typeof value === 'string' && (value.trim() === '' || isUniversal(value.trim())));
}

const isUniversalItem = (item: Dataset): boolean =>
  Object.entries(item).every(([keyword, values]) => NOT_KEYS.has(keyword) || isUniversalKey(keyword, values));

/** The keys that carry a value and are not matched: rows are sent with FF01 (PS3.4 K.4.1.1.4). Keywords or tags. */
export function unsupportedKeys(identifier: Dataset, within = ROOT): string[] {
  return Object.entries(identifier).flatMap(([keyword, values]) => {
    if (NOT_KEYS.has(keyword) || isPrivateCreator(keyword) || isUniversalKey(keyword, values)) return [];
    if (isSequence(keyword, values))
      return items(identifier, keyword).flatMap((item) => unsupportedKeys(item, keyword));
    return isSupported(keyword, within) ? [] : [keyword];
  });
}

// (gggg,00xx) of an odd group names the owner of private keys; it is no key itself.
const isPrivateCreator = (keyword: string): boolean =>
  /^[0-9A-F]{3}[13579BDF]00[1-9A-F][0-9A-F]$/.test(keyword) && vrRules[vrOf(keyword)]?.kind === 'text';

type Check = (value: string) => boolean;

const isDateKey: Check = (key) => rangeOf(key)?.every((end) => end === '' || dayOf(end) !== undefined) ?? false;
const isTimeKey: Check = (key) => rangeOf(key)?.every((end) => end === '' || momentsOf(end) !== undefined) ?? false;

const KEY_CHECKS: Readonly<Record<string, { check: Check; many: boolean; text: string }>> = {
  DA: { check: isDateKey, many: false, text: 'is no date or range of dates' },
  TM: { check: isTimeKey, many: false, text: 'is no time or range of times' },
  UI: { check: isUid, many: true, text: 'is no UID' },
};

function refusal(keyword: string, text: string): IdentifierRefusal {
  return { status: 0xa900, comment: `${keyword} ${text}`.slice(0, 64), offendingElements: [tagOf(keyword)] };
}

const LONGEST_KEY = 256;

function checkKey(keyword: string, values: readonly Value[], within: string): IdentifierRefusal | undefined {
  // A key that no stored value can reach only costs time, on every row.
  if (values.some((value) => typeof value === 'string' && value.length > LONGEST_KEY))
    return refusal(keyword, 'is too long');
  const rule = KEY_CHECKS[vrOf(keyword)];
  if (!rule || !isSupported(keyword, within) || isUniversalKey(keyword, values)) return undefined;
  const given = texts({ [keyword]: values }, keyword);
  const isValid = given.every(rule.check) && (rule.many || given.length <= 1);
  return isValid ? undefined : refusal(keyword, rule.text);
}

/** Refuses an identifier that a worklist query cannot have: two step items, impossible dates, times, UIDs (PS3.4 K.4). */
export function checkWorklistIdentifier(identifier: Dataset): IdentifierRefusal | undefined {
  if (items(identifier, STEP).length > 1) return refusal(STEP, 'has more than one item');
  return checkItem(identifier);
}

function checkItem(item: Dataset, within = ROOT): IdentifierRefusal | undefined {
  for (const [keyword, values] of Object.entries(item)) {
    const nested = items(item, keyword)
      .map((one) => checkItem(one, keyword))
      .find(Boolean);
    const found = nested ?? checkKey(keyword, values, within);
    if (found) return found;
  }
  return undefined;
}
