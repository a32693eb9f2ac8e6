import { type Dataset, items, tagOf, text } from '../dicom/dataset.ts';
import { isUid } from '../platform/ids.ts';
import type { MppsRefusal } from '../workflow/mpps-rules.ts';

/** One type 1 attribute: where it must be present with a value. `in` names the sequence whose every item must have it. */
export interface RequiredAttribute {
  readonly keyword: string;
  readonly in?: readonly string[];
  /** It must be there and may have no value. */
  readonly mayBeEmpty?: boolean;
}

function scopes(dataset: Dataset, path: readonly string[]): readonly Dataset[] {
  return path.reduce<readonly Dataset[]>((level, sequence) => level.flatMap((one) => items(one, sequence)), [dataset]);
}

/** Type 1 attributes that are absent (0120) or empty (0121), in the order of the table (PS3.7 C.5.12, C.5.13). */
export function missingAttributes(dataset: Dataset, table: readonly RequiredAttribute[]): MppsRefusal | undefined {
  const absent: string[] = [];
  const empty: string[] = [];
  for (const { keyword, in: path = [], mayBeEmpty = false } of table) {
    for (const scope of scopes(dataset, path)) {
      const values = scope[keyword];
      if (values === undefined) absent.push(tagOf(keyword));
      else if (values.length === 0 && !mayBeEmpty) empty.push(tagOf(keyword));
    }
  }
  const unique = (tags: string[]): string[] => [...new Set(tags)];
  if (absent.length > 0)
    return { status: 0x0120, comment: 'missing attribute', attributeIdentifierList: unique(absent) };
  if (empty.length > 0)
    return { status: 0x0121, comment: 'missing attribute value', attributeIdentifierList: unique(empty) };
  return undefined;
}

/** `YYYYMMDD`, a day that the calendar has. */
function isDate(value: string): boolean {
  const day = /^\d{8}$/.test(value) ? value.replace(/^(....)(..)(..)$/, '$1-$2-$3') : '';
  const milliseconds = Date.parse(`${day}T00:00:00Z`);
  return Number.isFinite(milliseconds) && new Date(milliseconds).toISOString().startsWith(day);
}

const formats = {
  uid: isUid,
  date: isDate,
  time: (value: string) => /^([01]\d|2[0-3])([0-5]\d([0-5]\d|60)?(\.\d{1,6})?)?$/.test(value),
} as const;

/** An attribute whose value, when there is one, has a format. */
export interface FormattedAttribute extends RequiredAttribute {
  readonly format: keyof typeof formats;
}

/** Values that are not what they have to be (0106, PS3.7 C.5.11). */
export function invalidValues(dataset: Dataset, table: readonly FormattedAttribute[]): MppsRefusal | undefined {
  const wrong = table.filter(({ keyword, in: path = [], format }) =>
    scopes(dataset, path).some((scope) => {
      const value = text(scope, keyword);
      return value !== undefined && !formats[format](value);
    }),
  );
  if (wrong.length === 0) return undefined;
  const tags = [...new Set(wrong.map(({ keyword }) => tagOf(keyword)))];
  return { status: 0x0106, comment: 'invalid attribute value', attributeIdentifierList: tags };
}

/** A data set as JSON keeps it: bytes as base64, the rest as it is; what was stored before stays as it was stored. */
export function storable(dataset: Dataset): Record<string, unknown[]> {
  const value = (one: Dataset[string][number]): unknown => {
    if (one instanceof Uint8Array) return { InlineBinary: base64(one) };
    if (isStoredBinary(one)) return one;
    if (typeof one === 'object') return storable(one);
    // JSON knows neither NaN nor infinity, and the database no NUL in a text; some modalities pad with it.
    if (typeof one === 'number') return Number.isFinite(one) ? one : String(one);
    return one.replaceAll('\0', '');
  };
  return Object.fromEntries(Object.entries(dataset).map(([keyword, values]) => [keyword, values.map(value)]));
}

function isStoredBinary(one: unknown): boolean {
  return (
    typeof one === 'object' && one !== null && typeof (one as { InlineBinary?: unknown }).InlineBinary === 'string'
  );
}

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
