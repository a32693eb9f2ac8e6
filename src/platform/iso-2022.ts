import iconv from 'iconv-lite';

/**
 * Code extension by ISO 2022 (ECMA-35), as DICOM (PS3.5 6.1.2.5) and HL7 (table 0356) use it: escape sequences
 * designate a code element to G0 (bytes below 0x80) or G1 (bytes above).
 */
export interface CodeExtension {
  /** Bytes as text, U+FFFD where they are invalid; undefined when an escape sequence is not known. */
  readonly decode: (bytes: Buffer) => string | undefined;
  /** Text as bytes; undefined when no registration has one of its characters. */
  readonly encode: (text: string) => Buffer | undefined;
}

/** How a text of one kind is switched. */
export interface CodeExtensionRules {
  /** Numbers of the ISO registry; the elements of the first are designated at the start. */
  readonly registrations: readonly string[];
  /** True for a byte after which, without being told, the elements of the start count again. */
  readonly resets: (byte: number) => boolean;
  /** True for a byte before which a writer goes back to the elements of the start by escape sequences. */
  readonly restores?: (byte: number) => boolean;
  /** The registration of bytes above 0x7F while none is designated for them; without it they are invalid. */
  readonly undesignated?: string | undefined;
  /** SO (0x0E) and SI (0x0F) call G1 and G0 to the bytes below 0x80. */
  readonly shifts?: boolean;
}

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
const SO = 0x0e;
const SI = 0x0f;
const FIRST_KATAKANA = 0xff61;
const escapeOf = (final: string): string => String.fromCharCode(ESC) + final;
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

type Rows = (row: number) => boolean;

/** A set of 94 rows and cells. `rows` are those that the standard has: tables of vendors, which are read, fill the others. */
const wide = (slot: 'g0' | 'g1', final: string, encoding: string, rows: Rows): CodeElement => ({
  slot,
  escape: escapeOf(final),
  width: 2,
  decode: (bytes) => iconv.decode(masked(bytes, 0x80, 0), encoding),
  encode: (character) => {
    const bytes = roundTrip(character, encoding);
    if (bytes?.length !== 2 || bytes.some((byte) => byte < 0xa1)) return undefined;
    if (!rows((bytes[0] ?? 0) - 0xa0)) return undefined;
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
// JIS X 0201 Romaji differs from ASCII in the yen sign and the overline; `\` and `~` keep their meaning as delimiters.
const romaji = singleByteG0('J');
// Blanks and control characters beside any other element.
const blank: CodeElement = { ...ascii };
const isText = (element: CodeElement | undefined): boolean => element === ascii || element === romaji;

function kana(byte: number): string {
  const code = byte | 0x80;
  return code >= 0xa1 && code <= 0xdf ? String.fromCharCode(code - 0xa1 + FIRST_KATAKANA) : '\ufffd';
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
    for (let i = 0; i < bytes.length; i += 2) prefixed.push(0x8f, (bytes[i] ?? 0) | 0x80, (bytes[i + 1] ?? 0) | 0x80);
    return iconv.decode(Buffer.from(prefixed), 'eucjp');
  },
  encode: (character) => {
    const bytes = roundTrip(character, 'eucjp');
    return bytes?.length === 3 && bytes[0] === 0x8f ? masked(bytes.subarray(1), 0, 0x80) : undefined;
  },
};

const jisX0208 = wide('g0', '$B', 'eucjp', (row) => row <= 8 || (row >= 16 && row <= 84));
const ksX1001 = wide('g1', '$)C', 'euckr', (row) => row <= 12 || (row >= 16 && row <= 93 && row !== 41));
const gb2312 = wide('g1', '$)A', 'gb2312', (row) => row <= 9 || (row >= 16 && row <= 87));

// PS3.3 tables C.12-3 and C.12-4, HL7 table 0211; the key is the number of the ISO registration.
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
  '87': [jisX0208],
  '159': [jisX0212],
  '149': [ksX1001],
  '58': [gb2312],
};

// Read and never written: the edition of 1978, the long form of its escape, and 7-bit katakana and Korean.
const READ_ONLY: readonly CodeElement[] = [
  ...['$@', '$(@', '$(B'].map((final) => ({ ...jisX0208, escape: escapeOf(final) })),
  { ...katakana, slot: 'g0', escape: escapeOf('(I') },
  { ...ksX1001, slot: 'g0', escape: escapeOf('$(C') },
];

const ALL_ELEMENTS: readonly CodeElement[] = [...new Set(Object.values(ELEMENTS).flat()), ...READ_ONLY];

const elementsOf = (registration: string | undefined): readonly CodeElement[] => ELEMENTS[registration ?? ''] ?? [];

/** True for the number of a registration that can take part in code extension. */
export const isRegistration = (registration: string): boolean => Object.hasOwn(ELEMENTS, registration);

interface State {
  g0: CodeElement;
  g1: CodeElement | undefined;
}

function initialState(registrations: readonly string[]): State {
  const first = elementsOf(registrations[0]);
  return {
    g0: first.find((element) => element.slot === 'g0' && element.width === 1) ?? ascii,
    g1: first.find((element) => element.slot === 'g1'),
  };
}

function designated(bytes: Buffer, at: number): CodeElement | undefined {
  const ahead = bytes.toString('latin1', at, at + 4);
  return ALL_ELEMENTS.find(({ escape }) => ahead.startsWith(escape));
}

function decode(bytes: Buffer, rules: CodeExtensionRules): string | undefined {
  const undesignated = elementsOf(rules.undesignated).find(({ slot }) => slot === 'g1');
  let state = initialState(rules.registrations);
  let isShifted = false;
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (byte === ESC) {
      const element = designated(bytes, at);
      if (!element) return undefined;
      state = { ...state, [element.slot]: element };
      at += element.escape.length;
      continue;
    }
    if (rules.shifts && (byte === SO || byte === SI)) {
      isShifted = byte === SO;
      at += 1;
      continue;
    }
    const low = isShifted ? (state.g1 ?? undesignated) : state.g0;
    const element = byte >= 0x80 ? (state.g1 ?? undesignated) : byte > 0x20 || isText(low) ? low : blank;
    if (element?.width !== 2 && rules.resets(byte)) {
      state = initialState(rules.registrations);
      isShifted = false;
    }
    const end = runEnd(bytes, at, element, rules);
    text += decodeRun(bytes.subarray(at, end), element);
    at = end;
  }
  return text;
}

function decodeRun(bytes: Buffer, element: CodeElement | undefined): string {
  if (!element) return '\ufffd';
  if (element.width === 2 && bytes.length % 2 === 1) return `${element.decode(bytes.subarray(0, -1))}\ufffd`;
  return element.decode(element.slot === 'g1' ? masked(bytes, 0x80, 0) : bytes);
}

// The end of the bytes that one code element explains; a byte that resets the state is a run of its own.
function runEnd(bytes: Buffer, start: number, element: CodeElement | undefined, rules: CodeExtensionRules): number {
  const first = bytes[start] ?? 0;
  const isNarrow = element?.width !== 2;
  const lowest = isText(element) ? 0x20 : 0x21;
  if (first < lowest || (isNarrow && rules.resets(first))) return start + 1;
  let end = start + 1;
  for (; end < bytes.length; end++) {
    const byte = bytes[end] ?? 0;
    if (byte < lowest || byte >= 0x80 !== first >= 0x80) break;
    if (isNarrow && rules.resets(byte)) break;
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

function encode(text: string, { registrations, resets, restores }: CodeExtensionRules): Buffer | undefined {
  const initial = initialState(registrations);
  const candidates = registrations.flatMap(elementsOf).filter((element) => element !== ascii);
  const encoder: Encoder = { ...initial, chunks: [] };
  const writeAscii = (character: string): void => {
    const byte = character.charCodeAt(0);
    const isRestored = restores?.(byte) ?? false;
    designate(encoder, initial.g0);
    if (isRestored && initial.g1) designate(encoder, initial.g1);
    encoder.chunks.push(Buffer.from(character, 'latin1'));
    // What the start does not designate is designated anew.
    if (isRestored || resets(byte)) encoder.g1 = initial.g1;
  };
  for (const character of text) {
    if (character < '\u0080') writeAscii(character);
    else if (!encodeCharacter(encoder, character, candidates)) return undefined;
  }
  designate(encoder, initial.g0);
  return Buffer.concat(encoder.chunks);
}

/** The code extension of some registrations, each of which must be one (isRegistration). */
export function codeExtension(rules: CodeExtensionRules): CodeExtension {
  return { decode: (bytes) => decode(bytes, rules), encode: (text) => encode(text, rules) };
}
