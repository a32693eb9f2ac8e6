import { isUid } from '../platform/ids.ts';
import { canEncode, isSupported as isSupportedSet, needsCharacterSet } from './charset.ts';
import { items, tagOf, texts, vrOf } from './dataset.ts';
import type { Dataset, Value } from './dataset.ts';
import {
  dayOf,
  hasWildcard,
  isRange,
  isUniversal,
  matchesDate,
  matchesInterval,
  matchesName,
  matchesTime,
  matchesWildcard,
  meansAnyNameGroup,
  momentsOf,
  rangeOf,
} from './matching-values.ts';
import { vrRules } from './vr.ts';

/** What a worklist query asks of a database: never more than the query itself, so that every match is found. */
export interface WorklistConditions {
  readonly stationAeTitles?: string[];
  /** `YYYY-MM-DD` */
  readonly startDateFrom?: string;
  /** `YYYY-MM-DD` */
  readonly startDateTo?: string;
  readonly modalities?: string[];
  readonly patientId?: string;
  /** The ASCII beginning, in lower case, of the family name of the alphabetic group. No pattern. */
  readonly patientNamePrefix?: string;
  readonly accessionNumber?: string;
  readonly requestedProcedureId?: string;
  readonly scheduledProcedureStepId?: string;
  readonly studyInstanceUids?: string[];
}

/** Why an identifier is refused: final status A900 with its comment and Offending Elements. */
export interface IdentifierRefusal {
  readonly status: 0xa900;
  readonly comment: string;
  readonly offendingElements: string[];
}

const STEP = 'ScheduledProcedureStepSequence';
const START_DATE = 'ScheduledProcedureStepStartDate';
const START_TIME = 'ScheduledProcedureStepStartTime';

// Explain the identifier, or are given with the answer; never matched (PS3.4 K.6.1.2.2).
const NOT_KEYS = new Set(['SpecificCharacterSet', 'TimezoneOffsetFromUTC']);

// Keys with a value that are matched (PS3.4 table K.6-1); any other is answered with FF01.
const SUPPORTED_KEYS = new Set([
  ...['ScheduledStationAETitle', START_DATE, START_TIME, 'Modality', 'ScheduledPerformingPhysicianName'],
  ...['ScheduledProcedureStepDescription', 'ScheduledProcedureStepID', 'ScheduledStationName'],
  ...['ScheduledProcedureStepLocation', 'ScheduledProcedureStepStatus', 'PreMedication', 'RequestedContrastAgent'],
  ...['RequestedProcedureID', 'RequestedProcedureDescription', 'StudyInstanceUID', 'StudyDate', 'StudyTime'],
  ...['RequestedProcedurePriority', 'PatientTransportArrangements', 'AccessionNumber', 'RequestingPhysician'],
  ...['ReferringPhysicianName', 'AdmissionID', 'CurrentPatientLocation', 'PatientName', 'PatientID'],
  ...['IssuerOfPatientID', 'PatientBirthDate', 'PatientSex', 'PatientWeight', 'PatientSize', 'PatientState'],
  ...['ConfidentialityConstraintOnPatientDataDescription', 'PregnancyStatus', 'MedicalAlerts', 'Allergies'],
  ...['SpecialNeeds', 'PlacerOrderNumberImagingServiceRequest', 'FillerOrderNumberImagingServiceRequest'],
  ...['CodeValue', 'CodingSchemeDesignator', 'CodingSchemeVersion', 'CodeMeaning'],
  ...['ReferencedSOPClassUID', 'ReferencedSOPInstanceUID', 'TypeOfPatientID'],
  ...['LocalNamespaceEntityID', 'UniversalEntityID', 'UniversalEntityIDType'],
]);

const isSupported = (keyword: string): boolean => SUPPORTED_KEYS.has(keyword);

const isSequence = (keyword: string, values: readonly Value[]): boolean =>
  vrOf(keyword) === 'SQ' || (typeof values[0] === 'object' && !(values[0] instanceof Uint8Array));

// A key without value, or `*`, matches everything. Padding alone is no value.
function isUniversalKey(keyword: string, values: readonly Value[]): boolean {
  if (isSequence(keyword, values)) return items({ [keyword]: values }, keyword).every(isUniversalItem);
  return values.every((value) => typeof value === 'string' && (value.trim() === '' || isUniversal(value.trim())));
}

const isUniversalItem = (item: Dataset): boolean =>
  Object.entries(item).every(([keyword, values]) => NOT_KEYS.has(keyword) || isUniversalKey(keyword, values));

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

function checkKey(keyword: string, values: readonly Value[]): IdentifierRefusal | undefined {
  // A key that no stored value can reach only costs time, on every row.
  if (values.some((value) => typeof value === 'string' && value.length > LONGEST_KEY))
    return refusal(keyword, 'is too long');
  const rule = KEY_CHECKS[vrOf(keyword)];
  if (!rule || !isSupported(keyword)) return undefined;
  const given = texts({ [keyword]: values }, keyword);
  const isValid = given.every(rule.check) && (rule.many || given.length <= 1);
  return isValid ? undefined : refusal(keyword, rule.text);
}

/** Refuses an identifier that a worklist query cannot have: two step items, impossible dates, times, UIDs (PS3.4 K.4). */
export function checkWorklistIdentifier(identifier: Dataset): IdentifierRefusal | undefined {
  if (items(identifier, STEP).length > 1) return refusal(STEP, 'has more than one item');
  return checkItem(identifier);
}

function checkItem(item: Dataset): IdentifierRefusal | undefined {
  for (const [keyword, values] of Object.entries(item)) {
    const nested = items(item, keyword).map(checkItem).find(Boolean);
    const found = nested ?? checkKey(keyword, values);
    if (found) return found;
  }
  return undefined;
}

function plainValues(ds: Dataset, keyword: string): string[] | undefined {
  const values = texts(ds, keyword);
  return values.length > 0 && !values.some(hasWildcard) ? values : undefined;
}

function plainValue(ds: Dataset, keyword: string): string | undefined {
  const values = plainValues(ds, keyword);
  return values?.length === 1 ? values[0] : undefined;
}

function namePrefix(identifier: Dataset): string | undefined {
  const keys = texts(identifier, 'PatientName');
  const [key = ''] = keys;
  if (keys.length !== 1 || meansAnyNameGroup(key)) return undefined;
  const family = key.normalize('NFC').split('=')[0]?.split('^')[0]?.trim() ?? '';
  // Beyond ASCII, case and composition depend on who compares.
  return /^[ -)+->@-~]+/.exec(family)?.[0].toLowerCase();
}

const isoDay = (day: string | undefined): string | undefined =>
  day && `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;

function dateBounds(step: Dataset): { startDateFrom?: string; startDateTo?: string } {
  const keys = texts(step, START_DATE);
  const [from, to] = (keys.length === 1 && keys[0] !== undefined && rangeOf(keys[0])) || [];
  return defined({ startDateFrom: isoDay(dayOf(from ?? '')), startDateTo: isoDay(dayOf(to ?? '')) });
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

const defined = <T extends object>(values: T): Defined<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;

/** The part of an identifier that a database can search by; `matchesWorklist` decides on what it finds. */
export function worklistConditions(identifier: Dataset): WorklistConditions {
  const step = items(identifier, STEP)[0] ?? {};
  return {
    ...dateBounds(step),
    ...defined({
      stationAeTitles: plainValues(step, 'ScheduledStationAETitle'),
      modalities: plainValues(step, 'Modality'),
      patientId: plainValue(identifier, 'PatientID'),
      patientNamePrefix: namePrefix(identifier),
      accessionNumber: plainValue(identifier, 'AccessionNumber'),
      requestedProcedureId: plainValue(identifier, 'RequestedProcedureID'),
      scheduledProcedureStepId: plainValue(step, 'ScheduledProcedureStepID'),
      studyInstanceUids: plainValues(identifier, 'StudyInstanceUID'),
    }),
  };
}

/** True when a candidate, the complete worklist data set of one step, matches every supported key (PS3.4 C.2.2.2, K.6). */
export function matchesWorklist(candidate: Dataset, identifier: Dataset): boolean {
  return matchesItem(candidate, identifier);
}

function matchesItem(candidate: Dataset, keys: Dataset): boolean {
  const interval = intervalOf(keys);
  if (interval && !matchesStart(candidate, interval)) return false;
  return Object.entries(keys).every(([keyword, values]) => {
    if (interval && (keyword === START_DATE || keyword === START_TIME)) return true;
    return asksNothing(keyword, values) || matchesKey(candidate, keyword, values);
  });
}

// Keys without value, and those that are not supported: they are returned, and ignored in the matching.
function asksNothing(keyword: string, values: readonly Value[]): boolean {
  if (NOT_KEYS.has(keyword)) return true;
  if (!isSequence(keyword, values)) return !isSupported(keyword) || isUniversalKey(keyword, values);
  return items({ [keyword]: values }, keyword).every((item) =>
    Object.entries(item).every(([nested, nestedValues]) => asksNothing(nested, nestedValues)),
  );
}

// A range of dates with a range of times; a single date or time is matched alone, on every day or at every time.
function intervalOf(keys: Dataset): { date: string; time: string } | undefined {
  const [date = ''] = texts(keys, START_DATE);
  const [time = ''] = texts(keys, START_TIME);
  return isRange(date) && isRange(time) ? { date, time } : undefined;
}

function matchesStart(candidate: Dataset, interval: { date: string; time: string }): boolean {
  const [date = ''] = texts(candidate, START_DATE);
  const [time = ''] = texts(candidate, START_TIME);
  return matchesInterval({ date, time }, interval);
}

function matchesKey(candidate: Dataset, keyword: string, values: readonly Value[]): boolean {
  if (isSequence(keyword, values)) {
    const stored = items(candidate, keyword);
    return items({ [keyword]: values }, keyword).every((keys) => stored.some((item) => matchesItem(item, keys)));
  }
  const keys = texts({ [keyword]: values }, keyword);
  // An unknown value matches nothing but universal keys; any of several values may match any of several keys.
  return texts(candidate, keyword).some((value) => keys.some((key) => matchesValue(vrOf(keyword), value, key)));
}

function matchesValue(vr: string, value: string, key: string): boolean {
  switch (vr) {
    case 'PN':
      return matchesName(value, key);
    case 'DA':
      return matchesDate(value, key);
    case 'TM':
      return matchesTime(value, key);
    case 'DS':
    case 'IS':
    case 'US':
      return Number(value) === Number(key);
    case 'UI':
      return value === key;
    default:
      return matchesWildcard(value, key);
  }
}

/**
 * The answer to a query: the requested keys and nothing else; what is not known comes back with zero length.
 * `readable` are the character set terms that the asker is known to read, whatever its query declares.
 */
export function answerFor(candidate: Dataset, identifier: Dataset, readable?: readonly string[]): Dataset {
  const answer = project(candidate, identifier);
  const terms = characterSetFor(answer, identifier, readable);
  return terms === undefined ? answer : { SpecificCharacterSet: terms, ...answer };
}

function project(candidate: Dataset, keys: Dataset): Dataset {
  const answer: Record<string, readonly Value[]> = {};
  for (const [keyword, values] of Object.entries(keys)) {
    const stored = candidate[keyword] ?? [];
    const isPrivate = /^[0-9A-F]{8}$/.test(keyword);
    // A private block is ours to leave out; (0008,0201) is never of zero length (PS3.3 C.12.1).
    if (isPrivate || keyword === 'SpecificCharacterSet' || (NOT_KEYS.has(keyword) && stored.length === 0)) continue;
    answer[keyword] = isSequence(keyword, values) ? projectItems(candidate, keyword, items(keys, keyword)[0]) : stored;
  }
  return answer;
}

// A sequence key of zero length, or with an item of zero length, asks for whole items (PS3.4 C.2.2.2.6).
function projectItems(candidate: Dataset, keyword: string, keys: Dataset | undefined): readonly Dataset[] {
  const stored = items(candidate, keyword);
  const isWhole = !keys || Object.keys(keys).length === 0;
  return isWhole ? stored : stored.map((item) => project(item, keys));
}

// The asker's set when it has all characters, UTF-8 when it does not; none for ASCII unless the key was sent.
function characterSetFor(
  answer: Dataset,
  identifier: Dataset,
  readable: readonly string[] | undefined,
): readonly string[] | undefined {
  const text = textOf(answer);
  const terms = readable ?? identifierTerms(identifier);
  if (!needsCharacterSet(text)) return identifier['SpecificCharacterSet'] && isSupportedSet(terms) ? terms : undefined;
  return terms.some((term) => term !== '') && canEncode(text, terms) ? terms : ['ISO_IR 192'];
}

const identifierTerms = (identifier: Dataset): readonly string[] =>
  (identifier['SpecificCharacterSet'] ?? []).map(String);

function textOf(value: Value | readonly Value[] | Dataset): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || value instanceof Uint8Array) return '';
  return Object.values(value as Dataset)
    .map(textOf)
    .join('');
}

/** The keys that carry a value and are not matched: rows are sent with FF01 (PS3.4 K.4.1.1.4). Keywords or tags. */
export function unsupportedKeys(identifier: Dataset): string[] {
  return Object.entries(identifier).flatMap(([keyword, values]) => {
    if (NOT_KEYS.has(keyword) || isPrivateCreator(keyword) || isUniversalKey(keyword, values)) return [];
    if (isSequence(keyword, values)) return items(identifier, keyword).flatMap(unsupportedKeys);
    return isSupported(keyword) ? [] : [keyword];
  });
}

// (gggg,00xx) of an odd group names the owner of private keys; it is no key itself.
const isPrivateCreator = (keyword: string): boolean =>
  /^[0-9A-F]{3}[13579BDF]00[1-9A-F][0-9A-F]$/.test(keyword) && vrRules[vrOf(keyword)]?.kind === 'text';
