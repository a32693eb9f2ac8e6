import type { WorklistQuirk } from '../platform/worklist-quirks.ts';
import { hasWildcard, matchesWildcard } from './matching-values.ts';
import { type Dataset, type Value, items, texts } from './dataset.ts';
import { START_DATE, START_TIME, STEP } from './worklist-keys.ts';

export type Quirks = ReadonlySet<WorklistQuirk>;

/** Keys that a quirk makes universal: they are returned, and match everything. */
const ignoredKeys: Partial<Readonly<Record<WorklistQuirk, readonly string[]>>> = {
  'ignore-station': ['ScheduledStationAETitle'],
  'ignore-modality': ['Modality'],
  'ignore-date': [START_DATE, START_TIME],
  'any-step-status': ['ScheduledProcedureStepStatus'],
};

const asBeginning = (key: string): string => (key.trim() === '' || hasWildcard(key) ? key : `${key.trim()}*`);

/** `ADAMS=` means the beginning of the alphabetic group: each group is completed by itself. */
const namesAsBeginnings = (values: readonly Value[]): readonly Value[] =>
  values.map((value) => (typeof value === 'string' ? value.split('=').map(asBeginning).join('=') : value));

/** A query as it is meant by a device of these quirks. */
export function meantBy(identifier: Dataset, quirks: Quirks): Dataset {
  const ignored = [...quirks].flatMap((quirk) => ignoredKeys[quirk] ?? []);
  const withoutKeys = (item: Dataset): Dataset =>
    Object.fromEntries(Object.entries(item).map(([key, values]) => [key, ignored.includes(key) ? [] : values]));
  const steps = items(identifier, STEP);
  const name = identifier['PatientName'];
  return {
    ...identifier,
    ...(ignored.length > 0 && steps.length > 0 ? { [STEP]: steps.map(withoutKeys) } : {}),
    ...(name && quirks.has('name-prefix') ? { PatientName: namesAsBeginnings(name) } : {}),
  };
}

function withoutEmpty(ds: Dataset): Dataset {
  const kept = Object.entries(ds).map(([keyword, values]) => {
    const held = items(ds, keyword);
    return [keyword, held.length > 0 ? held.map(withoutEmpty) : values] as const;
  });
  return Object.fromEntries(kept.filter(([, values]) => values.length > 0));
}

// Who asks for a station throws away what names another one.
function withOneStation(item: Dataset, aeTitle: string, asked: readonly string[]): Dataset {
  const stations = texts(item, 'ScheduledStationAETitle');
  if (stations.length < 2) return item;
  const meant = stations.filter((one) => asked.length === 0 || asked.some((key) => matchesWildcard(one, key)));
  return { ...item, ScheduledStationAETitle: [meant.find((one) => one === aeTitle) ?? meant[0] ?? ''] };
}

/** Who asks by what keys. */
interface Asker {
  readonly aeTitle: string;
  readonly keys: Dataset;
}

/** An answer as a device of these quirks can read it. */
export function readableBy(answer: Dataset, quirks: Quirks, { aeTitle, keys }: Asker): Dataset {
  const steps = items(answer, STEP);
  const single = quirks.has('single-station') && steps.length > 0;
  const asked = texts(items(keys, STEP)[0] ?? {}, 'ScheduledStationAETitle');
  const placed = single ? { ...answer, [STEP]: steps.map((step) => withOneStation(step, aeTitle, asked)) } : answer;
  return quirks.has('drop-empty') ? withoutEmpty(placed) : placed;
}
