import { SwfError } from '../platform/errors.ts';
import { characterSetOf } from './charset.ts';
import type { CharacterSet } from './charset.ts';
import { attributeOfTag, hexTag } from './dictionary.ts';
import type { Attribute } from './dictionary.ts';
import type { Dataset, Value } from './dataset.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, vrRules } from './vr.ts';
import type { VrRule } from './vr.ts';

const MAX_NESTING = 16;
const UNDEFINED_LENGTH = 0xffffffff;
const ITEM = 0xfffee000;
const ITEM_DELIMITATION = 0xfffee00d;
const SEQUENCE_DELIMITATION = 0xfffee0dd;
const SPECIFIC_CHARACTER_SET = 0x00080005;

interface Reader {
  readonly bytes: Buffer;
  position: number;
  explicit: boolean;
}

interface Header {
  readonly tag: number;
  /** Undefined in Implicit VR and for items. */
  readonly vr: string | undefined;
  readonly length: number;
}

// Where elements are read: up to `end`, or up to the delimitation item when the length is undefined.
interface Extent {
  readonly end: number;
  readonly delimited: boolean;
  readonly depth: number;
  readonly characterSet: CharacterSet;
}

function malformed(tag: number, text: string): SwfError {
  const shown = hexTag(tag);
  const place = `(${shown.slice(0, 4)},${shown.slice(4)})`;
  return new SwfError('data-type', `${place} ${text}`, { tags: [shown] });
}

/**
 * Bytes of a data set to its elements (PS3.5 7). Text follows (0008,0005), which items inherit (PS3.5 7.5.3); group
 * lengths are left out. Refuses with `data-type` whatever is not complete and well-formed: half a query asks for
 * something else.
 */
export function decodeDataset(bytes: Uint8Array, transferSyntaxUid: string): Dataset {
  const explicit = transferSyntaxUid === EXPLICIT_VR_LITTLE_ENDIAN;
  if (!explicit && transferSyntaxUid !== IMPLICIT_VR_LITTLE_ENDIAN) {
    throw new SwfError('data-type', `transfer syntax ${transferSyntaxUid.slice(0, 64)} is not supported`);
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader: Reader = { bytes: buffer, position: 0, explicit };
  return readElements(reader, { end: buffer.length, delimited: false, depth: 0, characterSet: characterSetOf([]) });
}

function readElements(reader: Reader, extent: Extent): Dataset {
  const result: Record<string, readonly Value[]> = {};
  let scope = extent;
  let highest = 0;
  while (reader.position < scope.end) {
    const header = readHeader(reader, scope.end);
    if (header.tag === ITEM_DELIMITATION && scope.delimited) return result;
    const attribute = attributeOfTag(header.tag);
    if (result[attribute.keyword]) throw malformed(header.tag, 'occurs twice: send each element once');
    const values = readValues(reader, header, attribute, scope);
    // PS3.5 7.2: a group length says nothing that the elements do not say.
    if ((header.tag & 0xffff) === 0 && header.tag !== 0) continue;
    if (header.tag === SPECIFIC_CHARACTER_SET) scope = withCharacterSet(scope, values, highest);
    highest = Math.max(highest, header.tag);
    result[attribute.keyword] = values;
  }
  if (scope.delimited) throw malformed(ITEM_DELIMITATION, 'is missing at the end of an item of undefined length');
  return result;
}

function withCharacterSet(scope: Extent, values: readonly Value[], highest: number): Extent {
  if (highest > SPECIFIC_CHARACTER_SET) throw malformed(SPECIFIC_CHARACTER_SET, 'comes after text that it explains');
  return { ...scope, characterSet: characterSetOf(values.map(String)) };
}

function readHeader(reader: Reader, end: number): Header {
  const { bytes, position } = reader;
  if (end - position < 8) throw malformed(0, `at byte ${position}: an element header is incomplete`);
  const tag = bytes.readUInt16LE(position) * 0x10000 + bytes.readUInt16LE(position + 2);
  if (!reader.explicit || tag >= ITEM) return finishHeader(reader, { tag, vr: undefined, at: position + 4, end });
  const vr = bytes.toString('latin1', position + 4, position + 6);
  const rule = vrRules[vr];
  if (!rule) throw malformed(tag, `has no valid VR at byte ${position + 4} (PS3.5 6.2)`);
  if (rule.longLength) return finishHeader(reader, { tag, vr, at: position + 8, end });
  reader.position = position + 8;
  return { tag, vr, length: bytes.readUInt16LE(position + 6) };
}

// The header's length field of 32 bits stands at `at`.
function finishHeader(reader: Reader, field: { tag: number; vr: string | undefined; at: number; end: number }): Header {
  if (field.end - field.at < 4) throw malformed(field.tag, 'has an incomplete length field');
  reader.position = field.at + 4;
  return { tag: field.tag, vr: field.vr, length: reader.bytes.readUInt32LE(field.at) };
}

function readValues(reader: Reader, header: Header, attribute: Attribute, scope: Extent): readonly Value[] {
  const { tag, length } = header;
  const open = length === UNDEFINED_LENGTH;
  if (!open && length > scope.end - reader.position) {
    throw malformed(tag, `claims ${length} bytes, ${scope.end - reader.position} are left`);
  }
  const vr = vrIn(header, attribute);
  if (vr === 'SQ') return readUnknownVr(reader, header.vr === 'UN', () => readSequence(reader, header, scope));
  if (open) throw malformed(tag, 'has undefined length, which only a sequence may have');
  const value = reader.bytes.subarray(reader.position, reader.position + length);
  reader.position += length;
  return valuesOf(value, { tag, vr, characterSet: scope.characterSet });
}

// A value of VR UN is encoded in Implicit VR Little Endian, whatever the transfer syntax (PS3.5 6.2.2 note 2).
function readUnknownVr<T>(reader: Reader, isUnknown: boolean, read: () => T): T {
  const { explicit } = reader;
  if (isUnknown) reader.explicit = false;
  const result = read();
  reader.explicit = explicit;
  return result;
}

function vrIn({ tag, vr, length }: Header, attribute: Attribute): string {
  const listed = attribute.vr;
  // A tag without keyword keeps its bytes: there is nowhere to keep its VR. Sequences show themselves.
  if (attribute.keyword === attribute.tag) {
    if (vr === 'SQ' || length === UNDEFINED_LENGTH) return 'SQ';
    return listed;
  }
  if (vr === undefined || vr === 'UN') return listed;
  if (vrRules[vr]?.kind !== vrRules[listed]?.kind) throw malformed(tag, `has VR ${vr}, PS3.6 says ${listed}`);
  return vr;
}

function readSequence(reader: Reader, header: Header, scope: Extent): Dataset[] {
  const delimited = header.length === UNDEFINED_LENGTH;
  const end = delimited ? scope.end : reader.position + header.length;
  const depth = scope.depth + 1;
  if (depth > MAX_NESTING) throw malformed(header.tag, `is nested more than ${MAX_NESTING} sequences deep`);
  const found: Dataset[] = [];
  while (reader.position < end) {
    const item = readHeader(reader, end);
    if (item.tag === SEQUENCE_DELIMITATION && delimited) return found;
    if (item.tag !== ITEM) throw malformed(header.tag, 'holds something that is not an item');
    found.push(readItem(reader, item, { ...scope, end, depth }));
  }
  if (delimited) throw malformed(header.tag, 'has no sequence delimitation item');
  return found;
}

function readItem(reader: Reader, header: Header, scope: Extent): Dataset {
  if (header.length === UNDEFINED_LENGTH) return readElements(reader, { ...scope, delimited: true });
  const end = reader.position + header.length;
  if (end > scope.end) throw malformed(header.tag, `claims ${header.length} bytes, more than its sequence has`);
  return readElements(reader, { ...scope, end, delimited: false });
}

interface Element {
  readonly tag: number;
  readonly vr: string;
  readonly characterSet: CharacterSet;
}

function valuesOf(bytes: Buffer, element: Element): readonly Value[] {
  const rule = vrRules[element.vr];
  if (bytes.length === 0 || !rule) return [];
  if (rule.kind === 'bytes') return [Uint8Array.from(bytes)];
  if (rule.kind === 'text') return textValues(bytes, element, rule);
  const size = rule.size ?? 1;
  if (bytes.length % size !== 0) throw malformed(element.tag, `has ${bytes.length} bytes, not a multiple of ${size}`);
  return Array.from({ length: bytes.length / size }, (_, index) => numberAt(bytes, index * size, element.vr));
}

function numberAt(bytes: Buffer, at: number, vr: string): Value {
  switch (vr) {
    case 'US':
      return bytes.readUInt16LE(at);
    case 'SS':
      return bytes.readInt16LE(at);
    case 'SL':
      return bytes.readInt32LE(at);
    case 'FL':
      return bytes.readFloatLE(at);
    case 'FD':
      return bytes.readDoubleLE(at);
    case 'AT':
      return hexTag(bytes.readUInt16LE(at) * 0x10000 + bytes.readUInt16LE(at + 2));
    default:
      return bytes.readUInt32LE(at);
  }
}

function textValues(bytes: Buffer, { vr, characterSet }: Element, rule: VrRule): string[] {
  const all = rule.international ? characterSet.decode(bytes, vr === 'PN') : bytes.toString('latin1');
  const values = rule.many ? all.split('\\').map(withoutPadding) : [withoutPadding(all)];
  return values.length === 1 && values[0] === '' ? [] : values;
}

// A loop, since a regular expression for trailing blanks looks at every run of blanks in a text.
function withoutPadding(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\0')) end -= 1;
  return end === text.length ? text : text.slice(0, end);
}
