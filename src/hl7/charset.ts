import { isAscii, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { SwfError } from '../platform/errors.ts';
import { codeExtension } from '../platform/iso-2022.ts';

/** A character set that can be read and written: what MSH-18 names (HL7 table 0211) and the codec behind it. */
export interface CharacterSet {
  /** As MSH-18 writes it, repetitions with `~` between them; '' is ASCII. */
  readonly name: string;
  /** True when escape sequences (ISO 2022) switch between sets: ESC, SO and SI are part of its text. */
  readonly isSwitched: boolean;
  /** Bytes as text, U+FFFD where they are invalid; undefined for an unknown escape sequence. */
  readonly decode: (bytes: Buffer) => string | undefined;
  /** Text as bytes; undefined when a character is not in the set. */
  readonly encode: (text: string) => Uint8Array | undefined;
}

/** One name of table 0211. */
interface Member {
  readonly name: string;
  /** Reads and writes the set alone; without it the set is known by escape sequences only. */
  readonly codec?: string;
  /** ISO registration, for a set that others can be switched to and from. */
  readonly registration?: string;
}

const locationOfMsh18 = { location: 'MSH^1^18' };

// HL7 table 0211. Parts 1-9 and 15 of ISO 8859; the DICOM defined term beside it is seen in MSH-18 as well.
const singleByteSets = {
  1: '100',
  2: '101',
  3: '109',
  4: '110',
  5: '144',
  6: '127',
  7: '126',
  8: '138',
  9: '148',
  15: '203',
} as const;

const members = new Map<string, Member>();
const know = (member: Member, ...names: string[]): void => names.forEach((name) => members.set(keyOf(name), member));
const asciiCodec = { codec: 'ascii', registration: '6' };
know({ name: '', ...asciiCodec }, '');
know({ name: 'ASCII', ...asciiCodec }, 'ASCII', 'US-ASCII', '7-bit ASCII');
know({ name: 'ISO IR6', ...asciiCodec }, 'ISO IR6', 'ISO 2022 IR 6');
know({ name: 'UNICODE UTF-8', codec: 'utf8' }, 'UNICODE UTF-8', 'UTF-8', 'UNICODE', 'ISO_IR 192');
know({ name: 'GB 18030-2000', codec: 'gb18030' }, 'GB 18030-2000', 'GB18030');
for (const [part, registration] of Object.entries(singleByteSets)) {
  const set = { name: `8859/${part}`, codec: `iso-8859-${part}`, registration };
  know(set, set.name, set.codec, `ISO IR${registration}`, `ISO 2022 IR ${registration}`);
}
// JIS X 0201 is registration 14 (Romaji) with 13 (Katakana), which names the pair in DICOM.
know({ name: 'ISO IR14', registration: '13' }, 'ISO IR14', 'ISO IR13', 'ISO 2022 IR 13');
know({ name: 'ISO IR87', registration: '87' }, 'ISO IR87', 'ISO 2022 IR 87', 'ISO-2022-JP');
know({ name: 'ISO IR159', registration: '159' }, 'ISO IR159', 'ISO 2022 IR 159');
know({ name: 'KS X 1001', registration: '149' }, 'KS X 1001', 'ISO IR149', 'ISO 2022 IR 149', 'ISO-2022-KR', 'EUC-KR');

// Known to HL7 and to no DICOM defined term: what came in could not be shown on a worklist as what it is.
const withoutDicomTerm = new Set(['CNS116431992', 'BIG5'].map(keyOf));

/** Senders spell the names in many ways (`UTF-8`, `ISO_8859-1`, `ISO8859/1`): only letters and digits count. */
function keyOf(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '');
}

function plainSet(name: string, codec: string): CharacterSet {
  return {
    name,
    isSwitched: false,
    decode: (bytes) => iconv.decode(bytes, codec, { stripBOM: false }),
    encode: (text) => {
      const bytes = iconv.encode(text, codec);
      return iconv.decode(bytes, codec, { stripBOM: false }) === text ? bytes : undefined;
    },
  };
}

const isLineEnd = (byte: number): boolean => byte === 0x0d || byte === 0x0a;
/** What may be a delimiter: everything but letters, digits and the blank. */
const mayDelimit = (byte: number): boolean => !/[0-9A-Za-z ]/.test(String.fromCharCode(byte));

/**
 * Sets that are switched by escape sequences. HL7 table 0356: around a delimiter the set of the first repetition
 * counts, and so we write it; whoever forgets to switch back is read until the end of the segment.
 */
function switchedSet(parts: readonly Member[]): CharacterSet {
  const registrations = parts.flatMap(({ registration }) => registration ?? []);
  const extension = codeExtension({
    registrations,
    resets: isLineEnd,
    restores: mayDelimit,
    // Some senders leave out the escape sequence of the only set that they have beside ASCII.
    undesignated: registrations.find((registration) => !['6', '87', '159'].includes(registration)),
    shifts: true,
  });
  return {
    name: parts.map(({ name }) => name).join('~'),
    isSwitched: true,
    decode: extension.decode,
    encode: (text) => {
      const bytes = extension.encode(text);
      return bytes && extension.decode(bytes) === text ? bytes : undefined;
    },
  };
}

/** MSH-18 empty: ASCII. Text that is not ASCII nevertheless is taken for UTF-8 when it is valid, else for 8859/1. */
const ascii = plainSet('', 'ascii');
const latin1 = plainSet('8859/1', 'iso-8859-1');

/** UTF-8 carries every text: what another set cannot carry is sent in it. */
export const utf8 = plainSet('UNICODE UTF-8', 'utf8');

const plainSets = new Map<string, CharacterSet>([ascii, latin1, utf8].map((set) => [set.name, set]));

function setOfOne(member: Member): CharacterSet {
  const { name, codec, registration } = member;
  if (registration === '6') return ascii;
  if (codec === undefined) return switchedSet([member]);
  const known = plainSets.get(name) ?? plainSet(name, codec);
  plainSets.set(name, known);
  return known;
}

/** The set of all repetitions together: the first is the default, the others are switched to (HL7 v2.5.1 2.14.9.18). */
function setOfAll(all: readonly Member[]): CharacterSet {
  const codes = all.map(({ codec, registration }) => registration ?? codec);
  const parts = all.filter((_, index) => codes.indexOf(codes[index]) === index);
  const [first, ...others] = parts;
  if (!first) return ascii;
  if (others.length === 0) return setOfOne(first);
  if (parts.every(({ registration }) => registration !== undefined)) return switchedSet(parts);
  // UTF-8 and GB 18030 are never switched to or from: the first set that says more than ASCII is the one in use.
  return setOfOne(parts.find(({ registration }) => registration !== '6') ?? first);
}

/** The character set of an MSH-18, its repetitions with `~` between them; undefined when one of them is not supported. */
export function findCharacterSet(names: string): CharacterSet | undefined {
  const all = names.split('~').flatMap((name) => members.get(keyOf(name)) ?? []);
  return all.length === names.split('~').length ? setOfAll(all) : undefined;
}

function memberOf(name: string): Member {
  const key = keyOf(name);
  const member = members.get(key);
  if (member) return member;
  const what = withoutDicomTerm.has(key)
    ? 'MSH-18 names a character set that DICOM has no term for, so that no worklist can carry it'
    : 'MSH-18 names an unknown character set';
  throw new SwfError('value-not-found', `${what}; send the message in UNICODE UTF-8`, locationOfMsh18);
}

/**
 * The character set of an MSH-18, its repetitions with `~` between them.
 * @throws SwfError 'value-not-found' at MSH-18 when one of them is unknown or not supported
 */
export function characterSetOf(names: string): CharacterSet {
  return characterSetOfMessage(names.split('~'));
}

/**
 * The one set of all repetitions of MSH-18.
 * @throws SwfError 'value-not-found' when one of them is unknown or not supported
 */
export function characterSetOfMessage(names: readonly string[]): CharacterSet {
  return setOfAll(names.map(memberOf));
}

/** The set the bytes are really in: a message without MSH-18 may hold more than ASCII. */
export function detectCharacterSet(bytes: Uint8Array, declared: CharacterSet = ascii): CharacterSet {
  if (declared !== ascii) return declared;
  if (isAscii(bytes)) return ascii;
  return isUtf8(bytes) ? utf8 : latin1;
}

/** Bytes as text; undefined when they are not valid in the set. */
export function decodeText(bytes: Uint8Array, declared: CharacterSet): string | undefined {
  const set = detectCharacterSet(bytes, declared);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isAscii(buffer) && !set.isSwitched) return buffer.toString('latin1');
  if (set === utf8) return isUtf8(buffer) ? buffer.toString('utf8') : undefined;
  const text = set.decode(buffer);
  return text?.includes('\uFFFD') ? undefined : text;
}

/** Text as bytes; undefined when the set cannot carry one of its characters. */
export function encodeText(text: string, set: CharacterSet): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'utf8');
  if (set === utf8 || bytes.length === text.length) return bytes;
  return set === ascii ? undefined : set.encode(text);
}

/** A text that was written, and the set that its MSH-18 names. */
export interface Encoded {
  readonly bytes: Uint8Array;
  /** The name of table 0211; '' is ASCII. */
  readonly characterSet: string;
  /** False when the wanted set could not carry the text and UNICODE UTF-8 stands in for it. */
  readonly fits: boolean;
}

/**
 * Encodes what `write` makes of a value for MSH-18, so that label and bytes always agree: no label for ASCII, the
 * wanted set when it can carry the text, UNICODE UTF-8 otherwise.
 */
export function encodeLabelled(write: (label: string) => string, wanted: CharacterSet): Encoded {
  const plain = encodeText(write(''), ascii);
  if (plain) return { bytes: plain, characterSet: '', fits: true };
  const bytes = encodeText(write(wanted.name), wanted);
  if (bytes) return { bytes, characterSet: wanted.name, fits: true };
  return { bytes: Buffer.from(write(utf8.name), 'utf8'), characterSet: utf8.name, fits: false };
}
