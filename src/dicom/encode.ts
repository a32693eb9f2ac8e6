import { SwfError } from '../platform/errors.ts';
import { characterSetOf, needsCharacterSet, undeclaredSet } from './charset.ts';
import type { CharacterSet } from './charset.ts';
import { attributeOf } from './dictionary.ts';
import type { Dataset, Value } from './dataset.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, vrRules } from './vr.ts';
import type { VrRule } from './vr.ts';

export interface EncodeOptions {
  /** Values of (0008,0005) to use in place of those in the data set. */
  readonly characterSet?: readonly string[];
  /** The values came from the wire and go back as they came, also those that their VR does not allow. */
  readonly asReceived?: boolean;
}

const MAX_NESTING = 16;
const MAX_SHORT_LENGTH = 0xfffe;
const UTF_8 = ['ISO_IR 192'] as const;

// CR, LF, FF and TAB are the only control characters of text (PS3.5 6.1.3); ESC is the codec's own business.
const CONTROL = /\p{Cc}/u;
const LINE_CONTROL = /[\t\n\f\r]/g;
// Printable ASCII without the backslash: every text may have it, in every character set.
const PLAIN = /^[ -[\]-~]*$/;

interface Writer {
  bytes: Buffer;
  position: number;
  readonly explicit: boolean;
}

interface Scope {
  readonly characterSet: CharacterSet;
  readonly depth: number;
  readonly asReceived: boolean;
}

interface Element {
  readonly tag: number;
  readonly shownTag: string;
  readonly vr: string;
  readonly values: readonly Value[];
}

/**
 * A data set to bytes (PS3.5 7), elements ascending, values of even length, sequences of defined length. Text is
 * written in the set that (0008,0005) names; without one, text beyond ASCII adds ISO_IR 192. Throws `data-type` for a
 * value that its VR does not allow and for characters outside the set: nothing is cut or replaced.
 */
export function encodeDataset(ds: Dataset, transferSyntaxUid: string, options: EncodeOptions = {}): Buffer {
  const explicit = transferSyntaxUid === EXPLICIT_VR_LITTLE_ENDIAN;
  if (!explicit && transferSyntaxUid !== IMPLICIT_VR_LITTLE_ENDIAN) {
    throw new SwfError('data-type', `transfer syntax ${transferSyntaxUid.slice(0, 64)} is not supported`);
  }
  const { asReceived = false } = options;
  const terms = termsFor(ds, options);
  const complete = terms.length > 0 ? { ...ds, SpecificCharacterSet: terms } : ds;
  const characterSet = asReceived && terms.length === 0 ? undeclaredSet : characterSetOf(terms);
  const writer: Writer = { bytes: Buffer.allocUnsafe(1_024), position: 0, explicit };
  writeElements(writer, complete, { characterSet, depth: 0, asReceived });
  return writer.bytes.subarray(0, writer.position);
}

/**
 * A data set that came from the wire to bytes again: nothing is checked and its text is in its own set, or in ISO_IR 192
 * where that cannot carry it (parts of it came with another set).
 */
export function encodeReceived(ds: Dataset, transferSyntaxUid: string): Buffer {
  try {
    return encodeDataset(ds, transferSyntaxUid, { asReceived: true });
  } catch (error) {
    if (!(error instanceof SwfError)) throw error;
    return encodeDataset(ds, transferSyntaxUid, { asReceived: true, characterSet: UTF_8 });
  }
}

function termsFor(ds: Dataset, options: EncodeOptions): readonly string[] {
  const given = options.characterSet ?? (ds['SpecificCharacterSet'] ?? []).map(String);
  if (given.length > 0 || options.asReceived) return given;
  return hasTextBeyondAscii(ds) ? UTF_8 : [];
}

/** True when the data set has text that needs a Specific Character Set. */
export function hasTextBeyondAscii(ds: Dataset): boolean {
  return Object.values(ds).some((values) =>
    values.some((value) => {
      if (typeof value === 'string') return needsCharacterSet(value);
      return typeof value === 'object' && !(value instanceof Uint8Array) && hasTextBeyondAscii(value);
    }),
  );
}

// From the VR to the numbers that it holds; the last one holds all.
const NUMBER_RANGES: readonly (readonly [vr: string, least: number, most: number])[] = [
  ['US', 0, 0xffff],
  ['SS', -0x8000, 0x7fff],
  ['UL', 0, 0xffffffff],
  ['SL', -0x80000000, 0x7fffffff],
];

/** A number may have come with another VR than the listed one, such as the other one of `US or SS` (PS3.6). */
function receivedVr(vr: string, values: readonly Value[]): string {
  const isIn = ([, least, most]: (typeof NUMBER_RANGES)[number]): boolean =>
    values.every((value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most);
  const listed = NUMBER_RANGES.find(([name]) => name === vr);
  if (!listed || isIn(listed)) return vr;
  return NUMBER_RANGES.find(isIn)?.[0] ?? 'FD';
}

function elementsOf(ds: Dataset, { asReceived }: Scope): Element[] {
  const elements: Element[] = [];
  for (const [keyword, values] of Object.entries(ds)) {
    const attribute = attributeOf(keyword);
    const first = values[0];
    // Without keyword the VR is UN; a sequence shows itself by its items.
    const isSequence = attribute.vr === 'UN' && typeof first === 'object' && !(first instanceof Uint8Array);
    const listed = asReceived ? receivedVr(attribute.vr, values) : attribute.vr;
    const vr = isSequence ? 'SQ' : listed;
    elements.push({ tag: attribute.number, shownTag: attribute.tag, vr, values });
  }
  return elements.sort((a, b) => a.tag - b.tag);
}

function writeElements(writer: Writer, ds: Dataset, scope: Scope): void {
  for (const element of elementsOf(ds, scope)) {
    if (element.vr === 'SQ') writeSequence(writer, element, scope);
    else writeValue(writer, element, valueBytes(element, scope), scope);
  }
}

function invalid(element: Element, text: string): SwfError {
  const { shownTag, vr } = element;
  return new SwfError('data-type', `(${shownTag.slice(0, 4)},${shownTag.slice(4)}) ${vr}: ${text}`, {
    tags: [shownTag],
  });
}

function reserve(writer: Writer, length: number): number {
  const start = writer.position;
  const needed = start + length;
  if (needed > writer.bytes.length) {
    const larger = Buffer.allocUnsafe(Math.max(needed, writer.bytes.length * 2));
    writer.bytes.copy(larger, 0, 0, start);
    writer.bytes = larger;
  }
  writer.position = needed;
  return start;
}

function writeTag(writer: Writer, at: number, tag: number): void {
  writer.bytes.writeUInt16LE(tag >>> 16, at);
  writer.bytes.writeUInt16LE(tag & 0xffff, at + 2);
}

// Writes tag, VR and length; returns where a length field of 32 bits stands, so that it can be filled in later.
function writeHeader(writer: Writer, element: Element, length: number): number {
  const isLong = !writer.explicit || vrRules[element.vr]?.longLength === true;
  if (!isLong && length > MAX_SHORT_LENGTH) throw invalid(element, `${length} bytes are too many for this VR`);
  const start = reserve(writer, writer.explicit && isLong ? 12 : 8);
  writeTag(writer, start, element.tag);
  if (!writer.explicit) {
    writer.bytes.writeUInt32LE(length, start + 4);
    return start + 4;
  }
  writer.bytes.write(element.vr, start + 4, 'latin1');
  if (!isLong) {
    writer.bytes.writeUInt16LE(length, start + 6);
    return start + 6;
  }
  writer.bytes.writeUInt16LE(0, start + 6);
  writer.bytes.writeUInt32LE(length, start + 8);
  return start + 8;
}

// A text is ASCII, one byte for each character.
function writeValue(writer: Writer, element: Element, value: Buffer | string, { asReceived }: Scope): void {
  const padded = value.length + (value.length & 1);
  // PS3.5 6.2.2: a value that came in Implicit VR and is too long for its VR in Explicit VR has VR UN.
  writeHeader(writer, asReceived && padded > MAX_SHORT_LENGTH ? { ...element, vr: 'UN' } : element, padded);
  const start = reserve(writer, padded);
  if (typeof value === 'string') writer.bytes.write(value, start, 'latin1');
  else value.copy(writer.bytes, start);
  // PS3.5 6.2: UI and bytes are padded with NUL, text with a blank.
  const isText = vrRules[element.vr]?.kind === 'text' && element.vr !== 'UI';
  if (padded > value.length) writer.bytes[start + value.length] = isText ? 0x20 : 0;
}

function writeSequence(writer: Writer, element: Element, scope: Scope): void {
  const depth = scope.depth + 1;
  if (depth > MAX_NESTING) throw invalid(element, `nested more than ${MAX_NESTING} sequences deep`);
  const lengthAt = writeHeader(writer, element, 0);
  const start = writer.position;
  for (const item of element.values) {
    if (typeof item !== 'object' || item instanceof Uint8Array) throw invalid(element, 'a sequence holds only items');
    writeItem(writer, item, { ...scope, depth });
  }
  writer.bytes.writeUInt32LE(writer.position - start, lengthAt);
}

function writeItem(writer: Writer, item: Dataset, scope: Scope): void {
  const at = reserve(writer, 8);
  writeTag(writer, at, 0xfffee000);
  const own = (item['SpecificCharacterSet'] ?? []).map(String);
  writeElements(writer, item, own.length > 0 ? { ...scope, characterSet: characterSetOf(own) } : scope);
  writer.bytes.writeUInt32LE(writer.position - at - 8, at + 4);
}

function valueBytes(element: Element, scope: Scope): Buffer | string {
  const { values } = element;
  const rule = vrRules[element.vr];
  if (!rule) throw invalid(element, 'this VR is not supported');
  if (values.length === 0) return '';
  if (rule.kind === 'text') return textBytes(element, rule, scope);
  if (rule.kind === 'bytes') return Buffer.concat(values.map((value) => rawBytes(element, value)));
  return numberBytes(element, rule.size ?? 2);
}

function rawBytes(element: Element, value: Value): Buffer {
  if (!(value instanceof Uint8Array)) throw invalid(element, 'the value must be bytes');
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function textBytes(element: Element, rule: VrRule, { characterSet, asReceived }: Scope): Buffer | string {
  if (element.values.length > 1 && !rule.many) throw invalid(element, 'only one value is allowed');
  const parts = element.values.map((value) =>
    asReceived ? textOf(element, value) : checkedText(element, rule, value),
  );
  // ASCII is the same in every set, and most values are ASCII.
  if (parts.every((part) => PLAIN.test(part))) return parts.join('\\');
  const isPersonName = element.vr === 'PN';
  const [first = ''] = parts;
  if (!rule.international) return Buffer.from(parts.join('\\'), 'latin1');
  if (parts.length === 1) return characterSet.encode(first, isPersonName);
  // Each value is encoded alone: code extension starts anew after a backslash (PS3.5 6.1.2.5.3).
  const separator = Buffer.from('\\');
  return Buffer.concat(
    parts.flatMap((part, i) => [...(i > 0 ? [separator] : []), characterSet.encode(part, isPersonName)]),
  );
}

function textOf(element: Element, value: Value): string {
  if (typeof value === 'object') throw invalid(element, 'the value must be text');
  return String(value);
}

function checkedText(element: Element, rule: VrRule, value: Value): string {
  const text = textOf(element, value);
  if (!PLAIN.test(text)) checkCharacters(element, rule, text);
  if (rule.pattern && !rule.pattern.test(text))
    throw invalid(element, 'the value has characters that this VR does not allow');
  checkLength(element, rule, text);
  return text;
}

function checkCharacters(element: Element, rule: VrRule, text: string): void {
  if (CONTROL.test(rule.lines ? text.replace(LINE_CONTROL, '') : text))
    throw invalid(element, 'control characters are not allowed');
  if (rule.many && text.includes('\\')) throw invalid(element, 'a backslash separates values: give several values');
  if (!rule.international && needsCharacterSet(text)) throw invalid(element, 'only ASCII is allowed');
}

function checkLength(element: Element, rule: VrRule, text: string): void {
  const { longest } = rule;
  if (longest === undefined || text.length <= longest) return;
  const parts = element.vr === 'PN' ? text.split('=') : [text];
  if (parts.length > 3) throw invalid(element, 'a name has at most three component groups');
  // Lengths count characters, not bytes and not UTF-16 units (PS3.5 6.2).
  if (parts.some((part) => [...part].length > longest)) throw invalid(element, `longer than ${longest} characters`);
}

function numberBytes(element: Element, size: number): Buffer {
  const bytes = Buffer.alloc(element.values.length * size);
  element.values.forEach((value, index) => writeNumber(bytes, index * size, element, value));
  return bytes;
}

function writeNumber(bytes: Buffer, at: number, element: Element, value: Value): void {
  if (element.vr === 'AT') return writeAttributeTag(bytes, at, element, value);
  if (typeof value !== 'number') throw invalid(element, 'the value must be a number');
  try {
    if (element.vr === 'US') bytes.writeUInt16LE(value, at);
    else if (element.vr === 'SS') bytes.writeInt16LE(value, at);
    else if (element.vr === 'UL') bytes.writeUInt32LE(value, at);
    else if (element.vr === 'SL') bytes.writeInt32LE(value, at);
    else if (element.vr === 'FL') bytes.writeFloatLE(value, at);
    else bytes.writeDoubleLE(value, at);
  } catch {
    throw invalid(element, 'the number is out of range');
  }
}

function writeAttributeTag(bytes: Buffer, at: number, element: Element, value: Value): void {
  if (typeof value !== 'string' || !/^[0-9A-F]{8}$/i.test(value))
    throw invalid(element, 'a tag is eight hexadecimal digits');
  const tag = Number.parseInt(value, 16);
  bytes.writeUInt16LE(tag >>> 16, at);
  bytes.writeUInt16LE(tag & 0xffff, at + 2);
}
