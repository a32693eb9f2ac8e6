import { SwfError } from '../platform/errors.ts';
import { characterSetOf, encodeLabelled, utf8 } from './charset.ts';
import type { Encoded } from './charset.ts';
import { encodingCharacters, standardDelimiters } from './delimiters.ts';
import type { Delimiters } from './delimiters.ts';
import { escapeText } from './escape.ts';

/** A subcomponent as a value; `null` writes `""` (delete what is stored), '' and `undefined` write nothing. */
export type Sub = string | null | undefined;
/** A component: one value, or its subcomponents. */
export type Component = Sub | readonly Sub[];
/** One repetition of a field: its components. */
export type Repetition = readonly Component[];
/** A field: one value, the components of one repetition, or several repetitions. */
export type Field = Sub | Repetition | { readonly repetitions: readonly Repetition[] };
/** A segment: its name, then field 1 and so on. In MSH the first is MSH-3: the encoder puts in MSH-1 and MSH-2. */
export type SegmentValues = readonly [name: string, ...fields: Field[]];

const hasMembers = <T>(value: T | readonly T[]): value is readonly T[] => Array.isArray(value);

/** Joins pieces and leaves out the empty ones at the end. */
export function joinTrimmed(pieces: readonly string[], delimiter: string): string {
  let length = pieces.length;
  while (length > 0 && pieces[length - 1] === '') length--;
  return pieces.slice(0, length).join(delimiter);
}

function writeSub(value: Sub, delimiters: Delimiters): string {
  if (value === null) return '""';
  // Two quotes as a value must not be read as an order to delete.
  if (value === '""') return `${delimiters.escape}X22${delimiters.escape}"`;
  return escapeText(value ?? '', delimiters);
}

function writeComponent(value: Component, delimiters: Delimiters): string {
  const subs = hasMembers<Sub>(value) ? value : [value];
  return joinTrimmed(
    subs.map((sub) => writeSub(sub, delimiters)),
    delimiters.subcomponent,
  );
}

function writeRepetition(components: Repetition, delimiters: Delimiters): string {
  return joinTrimmed(
    components.map((component) => writeComponent(component, delimiters)),
    delimiters.component,
  );
}

/** The text of one field; values are escaped, empty pieces at the end are left out. */
export function writeField(field: Field, delimiters: Delimiters): string {
  if (field === null || field === undefined || typeof field === 'string') return writeSub(field, delimiters);
  const repetitions = 'repetitions' in field ? field.repetitions : [field];
  return joinTrimmed(
    repetitions.map((repetition) => writeRepetition(repetition, delimiters)),
    delimiters.repetition,
  );
}

function writeSegment([name, ...fields]: SegmentValues, position: number): string {
  if (!/^[A-Z][A-Z0-9]{2}$/.test(name) || (name === 'MSH') !== (position === 0)) {
    throw new SwfError('internal', 'a message is written as MSH first, then segments of three-character names');
  }
  const texts = fields.map((field) => writeField(field, standardDelimiters));
  const head = name === 'MSH' ? [name, encodingCharacters(standardDelimiters)] : [name];
  return joinTrimmed([...head, ...texts], standardDelimiters.field);
}

/** MSH-18 for the name of a character set, which has `~` between its repetitions. */
export function characterSetField(name: string): Field {
  return { repetitions: name.split('~').map((repetition) => [repetition]) };
}

/** MSH with MSH-18 put in; MSH-3 stands at index 1. */
function labelled(msh: SegmentValues, label: string): SegmentValues {
  const [name, ...fields] = msh;
  const before = Array.from({ length: 15 }, (_, index) => fields[index]);
  return [name, ...before, characterSetField(label), ...fields.slice(16)];
}

/**
 * Writes a message (HL7 v2.5.1 2.6) with the recommended delimiters and CR after every segment, and says whether the
 * wanted set could carry it. MSH-18 is put in only when the text is not ASCII: `characterSet` (names of table 0211, `~`
 * between several), or UNICODE UTF-8 when that is '' or cannot carry the text.
 * @throws SwfError 'value-not-found' for an unknown character set, 'internal' when the first segment is not MSH
 */
export function encodeReported(segments: readonly SegmentValues[], options: { characterSet: string }): Encoded {
  const [msh = ['' as const], ...others] = segments;
  const body = others.map((segment, index) => `${writeSegment(segment, index + 1)}\r`).join('');
  const wanted = options.characterSet === '' ? utf8 : characterSetOf(options.characterSet);
  return encodeLabelled((label) => `${writeSegment(labelled(msh, label), 0)}\r${body}`, wanted);
}

/** The bytes of encodeReported, for a caller to whom every set is good. */
export function encodeMessage(segments: readonly SegmentValues[], options: { characterSet: string }): Uint8Array {
  return encodeReported(segments, options).bytes;
}

/** What MSH says of a message that we send. */
export interface MshValues {
  readonly sendingApplication: Field;
  readonly sendingFacility?: Field;
  readonly receivingApplication?: Field;
  readonly receivingFacility?: Field;
  /** MSH-7, as formatTimestamp writes it. */
  readonly dateTime: string;
  readonly messageType: string;
  readonly triggerEvent: string;
  readonly messageStructure?: string;
  /** At most 20 characters. */
  readonly controlId: string;
  /** Table 0103; `P` when it is not given. */
  readonly processingId?: string;
  readonly version: string;
  /** MSH-21, such as `RAD-4^IHE` as its components. */
  readonly profile?: Field;
}

/** The MSH segment of a message (HL7 v2.5.1 2.14.9); MSH-18 is the encoder's. */
export function mshSegment(values: MshValues): SegmentValues {
  const { sendingApplication, sendingFacility, receivingApplication, receivingFacility } = values;
  const type = [values.messageType, values.triggerEvent, values.messageStructure];
  const unused = Array<undefined>(8).fill(undefined);
  return [
    'MSH',
    sendingApplication,
    sendingFacility,
    receivingApplication,
    receivingFacility,
    values.dateTime,
    undefined,
    type,
    values.controlId,
    values.processingId ?? 'P',
    values.version,
    ...unused,
    values.profile,
  ];
}
