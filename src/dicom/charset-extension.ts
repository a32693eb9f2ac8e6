import iconv from 'iconv-lite';
import { SwfError } from '../platform/errors.ts';

// ISO 2022 code extension (PS3.5 6.1.2.5): escape sequences designate a code element to G0 (bytes below 0x80) or G1.
interface CodeElement {
  readonly slot: 'g0' | 'g1';
  readonly escape: string;
  /** Bytes of one character. */
  readonly width: 1 | 2;
  readonly decode: (bytes: Buffer) => string;
  /** The bytes of one character, or undefined when the element does not have it. */
  readonly encode: (character: string) => Buffer | undefined;
}

const ESC = 0x1b;
const escapeOf = (final: string): string => String.fromCharCode(ESC) + final;
const FIRST_KATAKANA = 0xff61;
const masked = (bytes: Buffer, set: number, clear: number): Buffer => Buffer.from(bytes.map((b) => (b | set) & ~clear));

function roundTrip(character: string, encoding: string): Buffer | undefined {
  const bytes = iconv.encode(character, encoding);
  return iconv.decode(bytes, encoding) === character ? bytes : undefined;
}

const latin = (final: string, encoding: string): CodeElement => ({
  slot: 'g1',
  escape: escapeOf(`-${final}`),
  width: 1,
  decode: (bytes) => iconv.decode(bytes, encoding),
  encode: (character) => {
    const bytes = roundTrip(character, encoding);
    return bytes?.length === 1 && (bytes[0] ?? 0) >= 0xa0 ? bytes : undefined;
  },
});

const wide = (slot: 'g0' | 'g1', final: string, encoding: string): CodeElement => ({
  slot,
  escape: escapeOf(final),
  width: 2,
  decode: (bytes) => iconv.decode(masked(bytes, 0x80, 0), encoding),
  encode: (character) => {
    const bytes = roundTrip(character, encoding);
    if (bytes?.length !== 2 || bytes.some((byte) => byte < 0xa1)) return undefined;
    return slot === 'g0' ? masked(bytes, 0, 0x80) : bytes;
  },
});

const singleByteG0 = (final: string): CodeElement => ({
  slot: 'g0',
  escape: escapeOf(`(${final}`),
  width: 1,
  decode: (bytes) => bytes.toString('latin1'),
  encode: (character) => (character < '\u0080' ? Buffer.from(character, 'latin1') : undefined),
});

const ascii = singleByteG0('B');
// JIS X 0201 Romaji differs from ASCII in the yen sign and the overline; `\` and `~` keep their DICOM meaning here.
const romaji = singleByteG0('J');

function kana(byte: number): string {
  return byte >= 0xa1 && byte <= 0xdf ? String.fromCharCode(byte - 0xa1 + FIRST_KATAKANA) : '\ufffd';
}

const katakana: CodeElement = {
  slot: 'g1',
  escape: escapeOf(')I'),
  width: 1,
  decode: (bytes) => [...bytes].map(kana).join(''),
  encode: (character) => {
    const code = character.charCodeAt(0) - FIRST_KATAKANA + 0xa1;
    return code >= 0xa1 && code <= 0xdf ? Buffer.from([code]) : undefined;
  },
};

// JIS X 0212 is the third plane of EUC-JP: each character has the prefix 0x8F there.
const jisX0212: CodeElement = {
  slot: 'g0',
  escape: escapeOf('$(D'),
  width: 2,
  decode: (bytes) => {
    const prefixed: number[] = [];
    for (let i = 0; i + 1 < bytes.length; i += 2)
      prefixed.push(0x8f, (bytes[i] ?? 0) | 0x80, (bytes[i + 1] ?? 0) | 0x80);
    return iconv.decode(Buffer.from(prefixed), 'eucjp');
  },
  encode: (character) => {
    const bytes = roundTrip(character, 'eucjp');
    return bytes?.length === 3 && bytes[0] === 0x8f ? masked(bytes.subarray(1), 0, 0x80) : undefined;
  },
};

// PS3.3 tables C.12-3 and C.12-4; the key is the number of the ISO registration.
const ELEMENTS: Readonly<Record<string, readonly CodeElement[]>> = {
  '6': [ascii],
  '13': [romaji, katakana],
  '100': [ascii, latin('A', 'iso-8859-1')],
  '101': [ascii, latin('B', 'iso-8859-2')],
  '109': [ascii, latin('C', 'iso-8859-3')],
  '110': [ascii, latin('D', 'iso-8859-4')],
  '144': [ascii, latin('L', 'iso-8859-5')],
  '127': [ascii, latin('G', 'iso-8859-6')],
  '126': [ascii, latin('F', 'iso-8859-7')],
  '138': [ascii, latin('H', 'iso-8859-8')],
  '148': [ascii, latin('M', 'iso-8859-9')],
  '203': [ascii, latin('b', 'iso-8859-15')],
  '166': [ascii, latin('T', 'tis620')],
  '87': [wide('g0', '$B', 'eucjp')],
  '159': [jisX0212],
  '149': [wide('g1', '$)C', 'euckr')],
  '58': [wide('g1', '$)A', 'gb2312')],
};

const ALL_ELEMENTS: readonly CodeElement[] = [...new Set(Object.values(ELEMENTS).flat())];

function elementsOf(term: string): readonly CodeElement[] | undefined {
  const registration = term === '' ? '6' : /^ISO(?:_IR| 2022 IR) (\d+)$/.exec(term)?.[1];
  return registration === undefined ? undefined : ELEMENTS[registration];
}

/** True when every term can take part in code extension. */
export const isExtensible = (terms: readonly string[]): boolean =>
  terms.every((term) => elementsOf(term) !== undefined);

interface State {
  g0: CodeElement;
  g1: CodeElement | undefined;
}

// What is designated at the start of a value, of a line and of each component of a name: the first term's elements.
function initialState(terms: readonly string[]): State {
  const first = elementsOf(terms[0] ?? '') ?? [];
  return {
    g0: first.find((element) => element.slot === 'g0' && element.width === 1) ?? ascii,
    g1: first.find((element) => element.slot === 'g1'),
  };
}

const resets = (byte: number, isPersonName: boolean): boolean =>
  byte < 0x20 || byte === 0x5c || (isPersonName && (byte === 0x5e || byte === 0x3d));

function designated(bytes: Buffer, at: number): CodeElement {
  const ahead = bytes.toString('latin1', at, at + 4);
  const element = ALL_ELEMENTS.find(({ escape }) => ahead.startsWith(escape));
  if (element) return element;
  throw new SwfError('data-type', 'a text designates a character set that is not supported (PS3.5 6.1.2.5)');
}

/** Bytes with ISO 2022 escape sequences to text. Throws `data-type` for an unknown escape sequence. */
export function decodeExtended(bytes: Buffer, terms: readonly string[], isPersonName: boolean): string {
  let state = initialState(terms);
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (byte === ESC) {
      const element = designated(bytes, at);
      state = { ...state, [element.slot]: element };
      at += element.escape.length;
      continue;
    }
    const element = byte < 0x20 || byte === 0x20 ? ascii : byte < 0x80 ? state.g0 : state.g1;
    if (element?.width !== 2 && resets(byte, isPersonName)) state = initialState(terms);
    const end = runEnd(bytes, at, element, isPersonName);
    text += element ? element.decode(bytes.subarray(at, end)) : bytes.toString('latin1', at, end);
    at = end;
  }
  return text;
}

// The end of the bytes that one code element explains; a delimiter is a run of its own because it resets the state.
function runEnd(bytes: Buffer, start: number, element: CodeElement | undefined, isPersonName: boolean): number {
  const high = (bytes[start] ?? 0) >= 0x80;
  const narrow = element?.width !== 2;
  if (narrow && resets(bytes[start] ?? 0, isPersonName)) return start + 1;
  let end = start + 1;
  for (; end < bytes.length; end++) {
    const byte = bytes[end] ?? 0;
    if (byte === ESC || byte < 0x20 || byte >= 0x80 !== high) break;
    if (narrow ? resets(byte, isPersonName) : byte === 0x20) break;
  }
  return end;
}

interface Encoder extends State {
  readonly chunks: Buffer[];
}

function designate(encoder: Encoder, element: CodeElement): void {
  if (encoder[element.slot] === element) return;
  encoder.chunks.push(Buffer.from(element.escape, 'latin1'));
  encoder[element.slot] = element;
}

function encodeCharacter(encoder: Encoder, character: string, candidates: readonly CodeElement[]): boolean {
  const current = [encoder.g1, encoder.g0].filter((element) => element !== undefined);
  for (const element of [...current, ...candidates]) {
    const bytes = element.encode(character);
    if (!bytes) continue;
    designate(encoder, element);
    encoder.chunks.push(bytes);
    return true;
  }
  return false;
}

/** Text to bytes with escape sequences; undefined when no term has one of the characters. */
export function encodeExtended(text: string, terms: readonly string[], isPersonName: boolean): Buffer | undefined {
  const initial = initialState(terms);
  const candidates = terms.flatMap((term) => elementsOf(term) ?? []).filter((element) => element !== ascii);
  const encoder: Encoder = { ...initial, chunks: [] };
  for (const character of text) {
    const isAscii = character < '\u0080';
    // PS3.5 6.1.2.5.3: the initial state is restored before a delimiter and at the end, and taken for granted after it.
    if (isAscii) designate(encoder, initial.g0);
    if (isAscii) encoder.chunks.push(Buffer.from(character, 'latin1'));
    else if (!encodeCharacter(encoder, character, candidates)) return undefined;
    if (isAscii && resets(character.charCodeAt(0), isPersonName)) encoder.g1 = initial.g1;
  }
  designate(encoder, initial.g0);
  return Buffer.concat(encoder.chunks);
}
