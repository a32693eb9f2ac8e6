import { type Dataset, type Value, vrOf } from '../src/dicom/dataset.ts';
import type { Check } from './checks.ts';
import type { Disguise } from './disguise.ts';
import { checkedKeywords, identifierKeywords, keptKeywords, uidNames } from './export-fields.ts';
import { dicomValueAt } from './places.ts';
import type { DatasetText, DatasetValue } from './scenario.ts';

const isItem = (value: Value): value is Dataset => typeof value === 'object' && !(value instanceof Uint8Array);

/** VRs that hold numbers, codes, times or titles of devices. */
const kept = new Set(['CS', 'AE', 'TM', 'IS', 'DS', 'US', 'UL', 'SS', 'SL', 'FL', 'FD', 'AS', 'AT']);

/** A data set in disguise, as a file of a scenario has it. Bytes, and attributes without a keyword, are left out. */
export function disguisedDataset(dataset: Dataset, disguise: Disguise): DatasetText {
  const entries = Object.entries(dataset).flatMap(([keyword, values]): [string, DatasetValue][] => {
    if (/^[0-9A-F]{8}$/i.test(keyword) || values.some((value) => value instanceof Uint8Array)) return [];
    if (vrOf(keyword) === 'SQ')
      return [[keyword, values.filter(isItem).map((item) => disguisedDataset(item, disguise))]];
    const texts = values.map((value) => disguisedValue(keyword, String(value as string | number).trim(), disguise));
    if (texts.length === 0) return [[keyword, null]];
    return [[keyword, texts.length === 1 ? (texts[0] ?? null) : texts]];
  });
  return Object.fromEntries(entries);
}

/** One value in disguise. */
export function disguisedValue(keyword: string, value: string, disguise: Disguise): string {
  const identifier = identifierKeywords[keyword];
  const vr = vrOf(keyword);
  if (value === '' || keptKeywords.has(keyword) || kept.has(vr)) return value;
  if (identifier !== undefined) return disguise.identifier(identifier, value);
  if (keyword === 'PatientBirthDate') return disguise.birthDate(value);
  if (vr === 'UI') return disguise.uid(value, uidNames[keyword] ?? 'object');
  if (vr === 'PN') return nameWritten(value, disguise);
  if (vr === 'DA' || vr === 'DT')
    return value
      .split('-')
      .map((day) => day && disguise.date(day))
      .join('-');
  return disguise.text(value);
}

/** Family, given and middle name of the first group, as HL7 has them. */
function nameWritten(name: string, disguise: Disguise): string {
  const parts = (name.split('=')[0] ?? '').split('^').slice(0, 3);
  return parts.map((part) => part && (part.includes('*') ? part : disguise.name(part))).join('^');
}

/** Checks of a data set that the Order Filler passed on. */
export function checksOfDataset(dataset: Dataset, disguise: Disguise): Record<string, Check> {
  const found = checkedKeywords.flatMap((place): [string, Check][] => {
    const value = dicomValueAt(dataset, place);
    const keyword = place.split('.').at(-1) ?? place;
    return value === undefined ? [] : [[place, disguisedValue(keyword, value, disguise)]];
  });
  return Object.fromEntries(found);
}
