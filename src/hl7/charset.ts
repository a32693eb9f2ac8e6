import { isAscii, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { SwfError } from '../platform/errors.ts';

/** A character set that can be read and written: the name of HL7 table 0211 (MSH-18) and the codec behind it. */
export interface CharacterSet {
  /** As MSH-18 writes it; '' is ASCII. */
  readonly name: string;
  readonly codec: string;
}

/** MSH-18 empty: ASCII. Text that is not ASCII nevertheless is taken for UTF-8 when it is valid, else for 8859/1. */
const ascii: CharacterSet = { name: '', codec: 'ascii' };
const latin1: CharacterSet = { name: '8859/1', codec: 'iso-8859-1' };

/** UTF-8 carries every text: what another set cannot carry is sent in it. */
export const utf8: CharacterSet = { name: 'UNICODE UTF-8', codec: 'utf8' };

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

// Sets that are switched by escape sequences (HL7 v2.5.1 2.14.9.18, ISO 2022).
const switchedSets = new Set(['ISOIR14', 'ISOIR87', 'ISOIR159', 'KSX1001', 'CNS116431992', 'JIS', 'BIG5', 'ISOIR149']);

const sets = new Map<string, CharacterSet>();
const know = (set: CharacterSet, ...names: string[]): void => names.forEach((name) => sets.set(keyOf(name), set));
know(ascii, '', 'ASCII', 'US-ASCII', 'ISO IR6', '7-bit ASCII');
know(utf8, utf8.name, 'UTF-8', 'UNICODE', 'ISO_IR 192');
know({ name: 'GB 18030-2000', codec: 'gb18030' }, 'GB 18030-2000', 'GB18030');
for (const [part, registration] of Object.entries(singleByteSets)) {
  const set = { name: `8859/${part}`, codec: `iso-8859-${part}` };
  know(set, set.name, set.codec, `ISO IR${registration}`);
}

/** Senders spell the names in many ways (`UTF-8`, `ISO_8859-1`, `ISO8859/1`): only letters and digits count. */
function keyOf(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '');
}

/** The character set of one MSH-18 name; undefined when it is unknown or one that is switched by escape sequences. */
export function findCharacterSet(name: string): CharacterSet | undefined {
  return sets.get(keyOf(name));
}

/**
 * The character set of one MSH-18 name.
 * @throws SwfError 'value-not-found' at MSH-18 when it is unknown or not supported
 */
export function characterSetOf(name: string): CharacterSet {
  const set = findCharacterSet(name);
  if (set) return set;
  const what = switchedSets.has(keyOf(name))
    ? 'MSH-18 names a character set that is switched by ISO 2022 escape sequences, which is not supported'
    : 'MSH-18 names an unknown character set';
  throw new SwfError('value-not-found', `${what}; send the message in UNICODE UTF-8`, locationOfMsh18);
}

/**
 * The one set of all repetitions of MSH-18: the first that is not ASCII (HL7 v2.5.1 2.14.9.18).
 * @throws SwfError 'value-not-found' when one of them is unknown or not supported
 */
export function characterSetOfMessage(names: readonly string[]): CharacterSet {
  return names.map(characterSetOf).find((set) => set !== ascii) ?? ascii;
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
  if (isAscii(buffer)) return buffer.toString('latin1');
  if (set === utf8) return isUtf8(buffer) ? buffer.toString('utf8') : undefined;
  const text = iconv.decode(buffer, set.codec);
  return text.includes('\uFFFD') ? undefined : text;
}

/** Text as bytes; undefined when the set cannot carry one of its characters. */
export function encodeText(text: string, set: CharacterSet): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'utf8');
  if (set === utf8 || bytes.length === text.length) return bytes;
  if (set === ascii) return undefined;
  const converted = iconv.encode(text, set.codec);
  return iconv.decode(converted, set.codec) === text ? converted : undefined;
}

/**
 * Encodes what `write` makes of a value for MSH-18, so that label and bytes always agree: no label for ASCII, the
 * wanted set when it can carry the text, UNICODE UTF-8 otherwise.
 */
export function encodeLabelled(write: (label: string) => string, wanted: CharacterSet): Uint8Array {
  return (
    encodeText(write(''), ascii) ?? encodeText(write(wanted.name), wanted) ?? Buffer.from(write(utf8.name), 'utf8')
  );
}
