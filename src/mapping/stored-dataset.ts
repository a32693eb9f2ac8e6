import { type Dataset, type Value, vrOf } from '../dicom/dataset.ts';
import { vrRules } from '../dicom/vr.ts';

/** A data set by keyword, as JSON keeps it: bytes as `{ InlineBinary }` in base64, numbers that JSON lacks as text. */
type Stored = Readonly<Record<string, readonly unknown[]>>;

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

function toStored(value: Value): unknown {
  if (value instanceof Uint8Array) return { InlineBinary: base64(value) };
  if (typeof value === 'object') return storable(value);
  // JSON knows neither NaN nor infinity nor a negative zero.
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? value : shownNumber(value);
  // The database keeps no NUL in a text; some modalities pad with it.
  return value.replaceAll('\0', '');
}

const shownNumber = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/** A data set as the database keeps it. */
export function storable(dataset: Dataset): Record<string, unknown[]> {
  return Object.fromEntries(Object.entries(dataset).map(([keyword, values]) => [keyword, values.map(toStored)]));
}

function fromStored(keyword: string, value: unknown): Value {
  if (typeof value === 'object' && value !== null) {
    const { InlineBinary: bytes } = value as { InlineBinary?: unknown };
    return typeof bytes === 'string' ? bytesOf(bytes) : datasetFromStored(value as Stored);
  }
  if (typeof value === 'number') return value;
  const text = String(value);
  return vrRules[vrOf(keyword)]?.kind === 'number' ? Number(text) : text;
}

/** The data set that was stored, as it came from the wire. */
export function datasetFromStored(stored: Stored): Dataset {
  return Object.fromEntries(
    Object.entries(stored).map(([keyword, values]) => [keyword, values.map((value) => fromStored(keyword, value))]),
  );
}
