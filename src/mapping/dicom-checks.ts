import { encodeDataset, EXPLICIT_VR_LITTLE_ENDIAN } from '../dicom/codec.ts';
import { type Dataset, items, tagOf, text, vrOf } from '../dicom/dataset.ts';
import { SwfError } from '../platform/errors.ts';
import { isUid } from '../platform/ids.ts';
import type { MppsRefusal } from '../workflow/mpps-rules.ts';
import type { SenderRules } from './reader.ts';

/** `policy.validation`: refuse only what cannot be done without, or all that the standard does not allow. */
export type Validation = SenderRules['validation'];

/** A check refuses, or passes with remarks for the journal, which name attributes and quote no value. */
export type Checked = MppsRefusal | readonly string[];

export function isRefusal(result: object): result is MppsRefusal {
  return 'comment' in result;
}

/** An attribute and where it stands: `in` names the sequence whose every item must have it. */
export interface RequiredAttribute {
  readonly keyword: string;
  readonly in?: readonly string[];
  /** It must be there and may have no value. */
  readonly mayBeEmpty?: boolean;
}

/** What a data set has to have. */
export interface RequiredAttributes {
  /** Type 1: present with a value. */
  readonly one: readonly RequiredAttribute[];
  /** Type 2: present; lenient validation takes one that is left out like one without value. */
  readonly two: readonly RequiredAttribute[];
}

function scopes(dataset: Dataset, path: readonly string[]): readonly Dataset[] {
  return path.reduce<readonly Dataset[]>((level, sequence) => level.flatMap((one) => items(one, sequence)), [dataset]);
}

/** Tags of the attributes that fail a test anywhere, in the order of the table. */
function failing<T extends RequiredAttribute>(
  dataset: Dataset,
  table: readonly T[],
  fails: (scope: Dataset, attribute: T) => boolean,
): string[] {
  const found = table.filter((attribute) => scopes(dataset, attribute.in ?? []).some((one) => fails(one, attribute)));
  return [...new Set(found.map(({ keyword }) => tagOf(keyword)))];
}

const isAbsent = (scope: Dataset, { keyword }: RequiredAttribute): boolean => scope[keyword] === undefined;

// A sequence without items lacks all that its items would say: it is missing, not only without value.
function isMissing(scope: Dataset, attribute: RequiredAttribute): boolean {
  const { keyword, mayBeEmpty = false } = attribute;
  return isAbsent(scope, attribute) || (!mayBeEmpty && vrOf(keyword) === 'SQ' && items(scope, keyword).length === 0);
}

function isEmpty(scope: Dataset, { keyword, mayBeEmpty = false }: RequiredAttribute): boolean {
  return !mayBeEmpty && vrOf(keyword) !== 'SQ' && (scope[keyword] ?? []).every((value) => value === '');
}

/** `(0008,0005), (0010,0020)` */
function shown(tags: readonly string[]): string {
  return tags.map((tag) => `(${tag.slice(0, 4)},${tag.slice(4)})`).join(', ');
}

/** Attributes that are missing (0120) or have no value (0121), in the order of the table (PS3.7 C.5.12, C.5.13). */
export function checkPresence(dataset: Dataset, { one, two }: RequiredAttributes, validation: Validation): Checked {
  const leftOut = failing(dataset, two, isAbsent);
  const missing = [...failing(dataset, one, isMissing), ...(validation === 'strict' ? leftOut : [])];
  if (missing.length > 0) return { status: 0x0120, comment: 'missing attribute', attributeIdentifierList: missing };
  const empty = failing(dataset, one, isEmpty);
  if (empty.length > 0) return { status: 0x0121, comment: 'missing attribute value', attributeIdentifierList: empty };
  return leftOut.length === 0 ? [] : [`left out, though of type 2: ${shown(leftOut)}`];
}

/** `YYYYMMDD`, a day that the calendar has. */
function isDate(value: string): boolean {
  const day = /^\d{8}$/.test(value) ? value.replace(/^(....)(..)(..)$/, '$1-$2-$3') : '';
  const milliseconds = Date.parse(`${day}T00:00:00Z`);
  return Number.isFinite(milliseconds) && new Date(milliseconds).toISOString().startsWith(day);
}

const isTime = (value: string): boolean => /^([01]\d|2[0-3])([0-5]\d([0-5]\d|60)?(\.\d{1,6})?)?$/.test(value);

const allows =
  (format: (value: string) => boolean) =>
  (scope: Dataset, keyword: string): boolean => {
    const value = text(scope, keyword);
    return value === undefined || format(value);
  };

const isBlank = (code: Dataset): boolean => Object.values(code).every((values) => values.length === 0);

/** A code with the scheme that it is from (PS3.3 table 8.8-1); one that is a URN is from none. */
function isCode(code: Dataset): boolean {
  if (text(code, 'URNCodeValue') !== undefined) return true;
  const value = text(code, 'CodeValue') ?? text(code, 'LongCodeValue');
  return value !== undefined && text(code, 'CodingSchemeDesignator') !== undefined;
}

const formats = {
  uid: allows(isUid),
  date: allows(isDate),
  time: allows(isTime),
  // Some modalities send an item with nothing in it where they have no code.
  code: (scope: Dataset, keyword: string) => items(scope, keyword).every((code) => isBlank(code) || isCode(code)),
} as const;

/** An attribute whose value, when there is one, has a format. */
export interface FormattedAttribute extends RequiredAttribute {
  readonly format: keyof typeof formats;
}

/** Code items without meaning, or with nothing at all: what they mean can be done without. */
function hasOddCode(scope: Dataset, { keyword, format }: FormattedAttribute): boolean {
  return format === 'code' && items(scope, keyword).some((code) => text(code, 'CodeMeaning') === undefined);
}

/** The first attribute with a value that its VR does not allow: too long, or with characters that it has not (PS3.5 6.2). */
function outsideItsVr(dataset: Dataset): readonly string[] {
  try {
    encodeDataset(dataset, EXPLICIT_VR_LITTLE_ENDIAN, { characterSet: ['ISO_IR 192'] });
    return [];
  } catch (error) {
    if (error instanceof SwfError && error.code === 'data-type') return error.place.tags ?? [];
    throw error;
  }
}

/** Values that are not what they have to be (0106, PS3.7 C.5.11). What is odd and can be kept is a remark in lenient validation. */
export function checkValues(dataset: Dataset, table: readonly FormattedAttribute[], validation: Validation): Checked {
  const odd = [...new Set([...failing(dataset, table, hasOddCode), ...outsideItsVr(dataset)])];
  const wrong = failing(dataset, table, (scope, { keyword, format }) => !formats[format](scope, keyword));
  const refused = validation === 'strict' ? [...new Set([...wrong, ...odd])] : wrong;
  if (refused.length > 0) {
    return { status: 0x0106, comment: 'invalid attribute value', attributeIdentifierList: refused };
  }
  return odd.length === 0 ? [] : [`kept, though not as the standard has it: ${shown(odd)}`];
}
