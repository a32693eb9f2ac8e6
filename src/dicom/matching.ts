import { items, texts, vrOf } from './dataset.ts';
import type { Dataset, Value } from './dataset.ts';
import {
  dayOf,
  hasWildcard,
  isRange,
  matchesDate,
  matchesInterval,
  matchesName,
  matchesTime,
  matchesWildcard,
  namePrefixOf,
  rangeOf,
} from './matching-values.ts';
import {
  NOT_KEYS,
  ROOT,
  START_DATE,
  START_TIME,
  STEP,
  isSequence,
  isSupported,
  isUniversalKey,
} from './worklist-keys.ts';

/** What a worklist query asks of a database: never more than the query itself, so that every match is found. */
export interface WorklistConditions {
  readonly stationAeTitles?: string[];
  /** `YYYY-MM-DD` */
  readonly startDateFrom?: string;
  /** `YYYY-MM-DD` */
  readonly startDateTo?: string;
  readonly modalities?: string[];
  readonly patientId?: string;
  readonly patientName?: {
    /** The beginning of the family name, in lower case and of characters that all compare alike. No pattern. */
    readonly prefix: string;
    /** Any of the three groups may begin so; else the alphabetic one. */
    readonly inAnyGroup: boolean;
  };
  readonly accessionNumber?: string;
  readonly requestedProcedureId?: string;
  readonly scheduledProcedureStepId?: string;
  readonly studyInstanceUids?: string[];
}

function plainValues(ds: Dataset, keyword: string): string[] | undefined {
  const values = texts(ds, keyword);
  return values.length > 0 && !values.some(hasWildcard) ? values : undefined;
}

function plainValue(ds: Dataset, keyword: string): string | undefined {
  const values = plainValues(ds, keyword);
  return values?.length === 1 ? values[0] : undefined;
}

function nameCondition(identifier: Dataset): WorklistConditions['patientName'] {
  const [key = '', another] = texts(identifier, 'PatientName');
  const prefix = another === undefined ? namePrefixOf(key) : '';
  return prefix === '' ? undefined : { prefix, inAnyGroup: !key.includes('=') };
}

// No calendar of a database has the year 0; whoever writes it means no limit.
const isoDay = (day: string | undefined): string | undefined =>
  day === undefined || day.startsWith('0000') ? undefined : `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;

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
      patientName: nameCondition(identifier),
      accessionNumber: plainValue(identifier, 'AccessionNumber'),
      requestedProcedureId: plainValue(identifier, 'RequestedProcedureID'),
      scheduledProcedureStepId: plainValue(step, 'ScheduledProcedureStepID'),
      studyInstanceUids: plainValues(identifier, 'StudyInstanceUID'),
    }),
  };
}

/** One key of a query, what the step has there, and whether that matches. */
export interface KeyVerdict {
  readonly keyword: string;
  readonly asked: readonly string[];
  readonly stored: readonly string[];
  readonly matches: boolean;
}

/**
 * Key by key how a candidate, the complete worklist data set of one step, stands to a query (PS3.4 C.2.2.2, K.6); keys
 * that ask nothing or are not supported have no verdict. A range of dates and one of times are one verdict.
 */
export function* keyVerdicts(candidate: Dataset, keys: Dataset, within = ROOT): Generator<KeyVerdict, void> {
  const interval = within === STEP ? intervalOf(keys) : undefined;
  if (interval) yield startVerdict(candidate, interval);
  for (const [keyword, values] of Object.entries(keys)) {
    if (interval && (keyword === START_DATE || keyword === START_TIME)) continue;
    if (asksNothing(keyword, values, within)) continue;
    const asked = isSequence(keyword, values) ? items(keys, keyword) : [];
    const stored = asked.length === 1 ? items(candidate, keyword) : [];
    const [askedItem, storedItem] = [asked[0], stored[0]];
    if (askedItem && storedItem && stored.length === 1) yield* keyVerdicts(storedItem, askedItem, keyword);
    else yield keyVerdict(candidate, keyword, values);
  }
}

/** True when a candidate matches every supported key of a query. */
export function matchesWorklist(candidate: Dataset, identifier: Dataset): boolean {
  return matchesItem(candidate, identifier, ROOT);
}

function matchesItem(candidate: Dataset, keys: Dataset, within: string): boolean {
  for (const { matches } of keyVerdicts(candidate, keys, within)) if (!matches) return false;
  return true;
}

// Keys without value, and those that are not supported: they are returned, and ignored in the matching.
function asksNothing(keyword: string, values: readonly Value[], within: string): boolean {
  if (NOT_KEYS.has(keyword)) return true;
  if (!isSequence(keyword, values)) return !isSupported(keyword, within) || isUniversalKey(keyword, values);
  return items({ [keyword]: values }, keyword).every((item) =>
    Object.entries(item).every(([nested, nestedValues]) => asksNothing(nested, nestedValues, keyword)),
  );
}

// A range of dates with a range of times; a single date or time is matched alone, on every day or at every time.
function intervalOf(keys: Dataset): { date: string; time: string } | undefined {
  const [date = ''] = texts(keys, START_DATE);
  const [time = ''] = texts(keys, START_TIME);
  return isRange(date) && isRange(time) ? { date, time } : undefined;
}

function startVerdict(candidate: Dataset, interval: { date: string; time: string }): KeyVerdict {
  const [date = ''] = texts(candidate, START_DATE);
  const [time = ''] = texts(candidate, START_TIME);
  return {
    keyword: START_DATE,
    asked: [`${interval.date} ${interval.time}`],
    stored: [`${date} ${time}`],
    matches: matchesInterval({ date, time }, interval),
  };
}

function keyVerdict(candidate: Dataset, keyword: string, values: readonly Value[]): KeyVerdict {
  if (isSequence(keyword, values)) {
    const stored = items(candidate, keyword);
    const asked = items({ [keyword]: values }, keyword);
    const matches = asked.every((keys) => stored.some((item) => matchesItem(item, keys, keyword)));
    return { keyword, asked: asked.map(itemText), stored: stored.map(itemText), matches };
  }
  const asked = texts({ [keyword]: values }, keyword);
  const stored = texts(candidate, keyword);
  // An unknown value matches nothing but universal keys; any of several values may match any of several keys.
  const matches = stored.some((value) => asked.some((key) => matchesValue(vrOf(keyword), value, key)));
  return { keyword, asked, stored, matches };
}

function itemText(item: Dataset): string {
  const filled = Object.keys(item).filter((keyword) => texts(item, keyword).length > 0);
  return filled.map((keyword) => `${keyword}=${texts(item, keyword).join('\\')}`).join(' ');
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
