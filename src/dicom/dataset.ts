import { attributeOf } from './dictionary.ts';
import { vrRules } from './vr.ts';

export { keywordOf, tagOf, vrOf } from './dictionary.ts';

/** One value: text as sent without padding, a number, bytes, or a sequence item. AT is eight hexadecimal digits. */
export type Value = string | number | Uint8Array | Dataset;

/** A data set by keyword; attributes without keyword by eight hexadecimal digits. No values: a zero-length element. */
export interface Dataset {
  [keywordOrTag: string]: readonly Value[];
}

type InputValue = Value | DatasetInput;

/** A data set as it is convenient to write down: scalars, `null` for zero length, `undefined` for absent. */
export interface DatasetInput {
  [keywordOrTag: string]: InputValue | null | undefined | readonly InputValue[];
}

const isItem = (value: InputValue): value is Dataset | DatasetInput =>
  typeof value === 'object' && !(value instanceof Uint8Array);

const oneValue = (value: InputValue): Value => (isItem(value) ? dataset(value) : value);

const isEmpty = (value: InputValue): boolean => value === '' || (value instanceof Uint8Array && value.length === 0);

function valuesOf(value: InputValue | null | readonly InputValue[]): readonly Value[] {
  if (value === null) return [];
  const values: readonly InputValue[] = Array.isArray(value) ? value : [value as InputValue];
  return values.length === 1 && values[0] !== undefined && isEmpty(values[0]) ? [] : values.map(oneValue);
}

/** A data set from convenient input. Throws `data-type` for a keyword that DICOM does not know. */
export function dataset(input: DatasetInput): Dataset {
  const result: Record<string, readonly Value[]> = {};
  for (const [key, value] of Object.entries(input)) {
    if (value !== undefined) result[attributeOf(key).keyword] = valuesOf(value);
  }
  return result;
}

/** The first value as text without surrounding blanks; undefined when absent or empty. */
export function text(ds: Dataset, keyword: string): string | undefined {
  const value = ds[keyword]?.[0];
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  return String(value).trim() || undefined;
}

/** All values as text without surrounding blanks, empty ones left out. */
export function texts(ds: Dataset, keyword: string): string[] {
  const values = (ds[keyword] ?? []).filter((value) => typeof value === 'string' || typeof value === 'number');
  return values.map((value) => String(value).trim()).filter((value) => value !== '');
}

/** The items of a sequence; none when absent. */
export function items(ds: Dataset, keyword: string): readonly Dataset[] {
  return (ds[keyword] ?? []).filter((value): value is Dataset => isItem(value));
}

const PN_GROUPS = ['Alphabetic', 'Ideographic', 'Phonetic'] as const;

function jsonName(name: string): object {
  const groups = name.split('=');
  return Object.fromEntries(PN_GROUPS.flatMap((group, index) => (groups[index] ? [[group, groups[index]]] : [])));
}

function jsonValue(vr: string, value: Value): unknown {
  if (isItem(value)) return toDicomJson(value);
  if (value === '') return null;
  if (vr === 'PN') return jsonName(String(value));
  if (vr !== 'DS' && vr !== 'IS') return value;
  const number = Number(value);
  return Number.isFinite(number) ? number : value;
}

function jsonElement(vr: string, values: readonly Value[]): object {
  if (values.length === 0) return { vr };
  const first = values[0];
  if (first instanceof Uint8Array) return { vr, InlineBinary: Buffer.from(first).toString('base64') };
  return { vr, Value: values.map((value) => jsonValue(vr, value)) };
}

const holdsItems = (values: readonly Value[]): boolean => values[0] !== undefined && isItem(values[0]);

/** A data set in the DICOM JSON model (PS3.18 Annex F), elements in the order of their tags. */
export function toDicomJson(ds: Dataset): object {
  const elements = Object.entries(ds).map(([keyword, values]) => {
    const { tag, vr } = attributeOf(keyword);
    const shown = vrRules[vr]?.kind === 'bytes' && holdsItems(values) ? 'SQ' : vr;
    return [tag, jsonElement(shown, values)] as const;
  });
  return Object.fromEntries(elements.sort(([a], [b]) => (a < b ? -1 : 1)));
}
