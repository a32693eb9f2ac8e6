import iconv from 'iconv-lite';
import { SwfError } from '../platform/errors.ts';
import { codeExtension, isRegistration } from '../platform/iso-2022.ts';

/** What (0008,0005) Specific Character Set means for the text of a data set (PS3.3 C.12.1.1.2). */
export interface CharacterSet {
  /** The defined terms, as (0008,0005) carries them. */
  readonly terms: readonly string[];
  /** Bytes to text. Throws `data-type` when a term is not known and the bytes are not ASCII. */
  decode(bytes: Buffer, isPersonName: boolean): string;
  /** Text to bytes. Throws `data-type` when a character is not in the set. */
  encode(text: string, isPersonName: boolean): Buffer;
}

// Defined terms without code extension (PS3.3 tables C.12-2, C.12-5) and the names of the encodings.
const ENCODINGS: Readonly<Record<string, string>> = {
  'ISO_IR 100': 'iso-8859-1',
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 148': 'iso-8859-9',
  'ISO_IR 203': 'iso-8859-15',
  'ISO_IR 166': 'tis620',
  'ISO_IR 192': 'utf8',
  GB18030: 'gb18030',
  GBK: 'gbk',
};

const BEYOND_ASCII = /[\u0080-\uffff]/;
const BEYOND_LATIN_1 = /[\u0100-\uffff]/;
const BEYOND_ASCII_OR_ESCAPE = new RegExp(`[${String.fromCharCode(27)}\\u0080-\\u00ff]`);

/** True when some character is not ASCII, so that a Specific Character Set is needed. */
export const needsCharacterSet = (text: string): boolean => BEYOND_ASCII.test(text);

const unknownSet = (terms: readonly string[]): SwfError =>
  new SwfError('data-type', `Specific Character Set '${terms.join('\\').slice(0, 64)}' is not supported`, {
    tags: ['00080005'],
  });

const unmappable = (terms: readonly string[]): SwfError =>
  new SwfError(
    'data-type',
    `a text has characters outside Specific Character Set '${terms.join('\\')}'; ISO_IR 192 has all`,
    {
      tags: ['00080005'],
    },
  );

function plainSet(terms: readonly string[], encoding: string): CharacterSet {
  return {
    terms,
    decode: (bytes) => iconv.decode(bytes, encoding, { stripBOM: false }),
    encode: (text) => {
      const bytes = iconv.encode(text, encoding);
      // An unmappable character silently becomes `?`; a wrong name is worse than none.
      if (iconv.decode(bytes, encoding, { stripBOM: false }) !== text) throw unmappable(terms);
      return bytes;
    },
  };
}

// The default repertoire is ASCII. What senders put there without declaring a set keeps its bytes when read as Latin-1.
const defaultSet: CharacterSet = {
  terms: [],
  decode: (bytes) => bytes.toString('latin1'),
  encode: () => {
    throw unmappable(['ISO_IR 6']);
  },
};

/** Text that came without declaration goes back as the bytes that it was. */
export const undeclaredSet: CharacterSet = {
  ...defaultSet,
  encode: (text) => (BEYOND_LATIN_1.test(text) ? defaultSet.encode(text, false) : Buffer.from(text, 'latin1')),
};

/** The ISO registration that a term means in code extension; undefined for one that cannot take part. */
function registrationOf(term: string): string | undefined {
  const registration = term === '' ? '6' : /^ISO(?:_IR| 2022 IR) (\d+)$/.exec(term)?.[1];
  return registration !== undefined && isRegistration(registration) ? registration : undefined;
}

// PS3.5 6.1.2.5.3: the elements of the first term count again after a control character and a delimiter.
const resetsText = (byte: number): boolean => byte < 0x20 || byte === 0x5c;
const resetsName = (byte: number): boolean => resetsText(byte) || byte === 0x5e || byte === 0x3d;

function extendedSet(terms: readonly string[], registrations: readonly string[]): CharacterSet {
  // Some senders leave out the escape sequence, all or after a line break, of the one set that they have beside ASCII
  // and Japanese; otherwise bytes that nothing designates keep their value when read as Latin-1.
  const others = registrations.filter((registration) => !['6', '87', '159'].includes(registration));
  const rules = { registrations, undesignated: others.length === 1 ? others[0] : '100' };
  const text = codeExtension({ ...rules, resets: resetsText });
  const name = codeExtension({ ...rules, resets: resetsName });
  return {
    terms,
    decode: (bytes, isPersonName) => {
      const decoded = (isPersonName ? name : text).decode(bytes);
      if (decoded !== undefined) return decoded;
      throw new SwfError('data-type', 'a text designates a character set that is not supported (PS3.5 6.1.2.5)');
    },
    encode: (value, isPersonName) => {
      const bytes = (isPersonName ? name : text).encode(value);
      if (!bytes) throw unmappable(terms);
      return bytes;
    },
  };
}

function unknown(terms: readonly string[]): CharacterSet {
  const refuse = (): never => {
    throw unknownSet(terms);
  };
  return { terms, decode: refuse, encode: refuse };
}

function supportedSet(terms: readonly string[]): CharacterSet | undefined {
  const [first = ''] = terms;
  const encoding = ENCODINGS[first];
  if (terms.length <= 1 && (first === '' || first === 'ISO_IR 6')) return defaultSet;
  if (terms.length === 1 && encoding !== undefined) return plainSet(terms, encoding);
  const registrations = terms.flatMap((term) => registrationOf(term) ?? []);
  return registrations.length === terms.length ? extendedSet(terms, registrations) : undefined;
}

const trimmed = (terms: readonly string[]): string[] => terms.map((term) => term.trim());

/** True when texts beyond ASCII can be read and written by these values of (0008,0005). */
export const isSupported = (terms: readonly string[]): boolean => supportedSet(trimmed(terms)) !== undefined;

// ASCII is the same in every set, and most values are ASCII.
function withShortcut(set: CharacterSet): CharacterSet {
  return {
    terms: set.terms,
    decode: (bytes, isPersonName) => {
      const ascii = bytes.toString('latin1');
      return BEYOND_ASCII_OR_ESCAPE.test(ascii) ? set.decode(bytes, isPersonName) : ascii;
    },
    encode: (text, isPersonName) =>
      needsCharacterSet(text) ? set.encode(text, isPersonName) : Buffer.from(text, 'latin1'),
  };
}

const known = new Map<string, CharacterSet>();

/**
 * The character set of the values of (0008,0005). A set that is not supported is refused (`data-type`) only when a
 * text is not ASCII.
 */
export function characterSetOf(terms: readonly string[]): CharacterSet {
  const key = terms.join('\\');
  const cached = known.get(key);
  if (cached) return cached;
  const names = trimmed(terms);
  const set = withShortcut(supportedSet(names) ?? unknown(names));
  // Terms come from the wire: only a bounded number of combinations is remembered.
  if (known.size < 64) known.set(key, set);
  return set;
}

/** True when the set has every character of the text. */
export function canEncode(text: string, terms: readonly string[]): boolean {
  try {
    characterSetOf(terms).encode(text, false);
    return true;
  } catch {
    return false;
  }
}
