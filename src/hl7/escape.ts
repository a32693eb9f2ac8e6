import { isAscii } from 'node:buffer';
import { decodeText } from './charset.ts';
import type { CharacterSet } from './charset.ts';
import type { Delimiters } from './delimiters.ts';

/** What it takes to read the text of one message. */
export interface Encoding {
  readonly delimiters: Delimiters;
  readonly characterSet: CharacterSet;
}

/** The escape sequences that stand for one text (HL7 v2.5.1 2.7.1); highlighting has no place in a value. */
function meaningOf(code: string, delimiters: Delimiters): string | undefined {
  switch (code) {
    case 'F':
      return delimiters.field;
    case 'S':
      return delimiters.component;
    case 'T':
      return delimiters.subcomponent;
    case 'R':
      return delimiters.repetition;
    case 'E':
      return delimiters.escape;
    case 'P':
      return delimiters.truncation;
    case '.br':
      return '\n';
    case 'H':
    case 'N':
      return '';
    default:
      return undefined;
  }
}

const ESC = 0x1b;

// `\Cxxyy\` and `\Mxxyyzz\` without their escape characters: in hexadecimal what follows ESC (HL7 v2.5.1 2.7.3).
const designation = 'C[0-9A-F]{4}|M[0-9A-F]{4}(?:[0-9A-F]{2})?';
const isDesignation = new RegExp(`^(?:${designation})$`, 'i');

/**
 * The bytes of a message with the switches of character sets that are written with HL7's escape character as the
 * ISO 2022 escape sequences they stand for, as far as the set knows them: bytes after one may look like delimiters.
 */
export function withEscapeSequences(bytes: Buffer, { delimiters, characterSet }: Encoding): Buffer {
  const { escape } = delimiters;
  if (!characterSet.isSwitched || !(bytes.includes(`${escape}C`) || bytes.includes(`${escape}M`))) return bytes;
  const quoted = `[${escape === '^' || escape === '\\' || escape === ']' ? '\\' : ''}${escape}]`;
  const pattern = new RegExp(`${quoted}(${designation})${quoted}`, 'gi');
  const text = bytes.toString('latin1').replace(pattern, (written, code: string) => {
    const sequence = Buffer.from(ESC.toString(16) + code.slice(1), 'hex');
    return characterSet.decode(sequence) === '' ? sequence.toString('latin1') : written;
  });
  return Buffer.from(text, 'latin1');
}

interface Run {
  readonly text: string;
  /** Position of the closing escape character. */
  readonly end: number;
}

function isHexadecimal(digits: string): boolean {
  return digits.length > 0 && digits.length % 2 === 0 && !/[^0-9A-Fa-f]/.test(digits);
}

/**
 * Hexadecimal sequences that follow each other are read together: a character may be spread over them. What is no text
 * in the character set is kept as it stands.
 */
function readHexadecimal(text: string, start: number, { delimiters, characterSet }: Encoding): Run | undefined {
  const parts: string[] = [];
  let end = start - 1;
  while (text.startsWith(`${delimiters.escape}X`, end + 1)) {
    const close = text.indexOf(delimiters.escape, end + 2);
    const digits = text.slice(end + 3, close);
    if (close < 0 || !isHexadecimal(digits)) break;
    parts.push(digits);
    end = close;
  }
  if (parts.length === 0) return undefined;
  const bytes = Buffer.from(parts.join(''), 'hex');
  return { text: decodeHexadecimal(bytes, characterSet) ?? text.slice(start, end + 1), end };
}

/** A control character that switches nothing is one: only with ESC or beyond ASCII is a byte more than itself. */
function decodeHexadecimal(bytes: Buffer, characterSet: CharacterSet): string | undefined {
  const isSwitching = characterSet.isSwitched && bytes.includes(ESC);
  const decoded = isAscii(bytes) && !isSwitching ? undefined : decodeText(bytes, characterSet);
  return decoded ?? (isAscii(bytes) ? bytes.toString('latin1') : undefined);
}

/** One escape sequence that begins at `start`; what is unknown is kept as it stands. */
function readSequence(text: string, start: number, encoding: Encoding): Run | undefined {
  const end = text.indexOf(encoding.delimiters.escape, start + 1);
  if (end < 0) return undefined;
  const meaning = meaningOf(text.slice(start + 1, end), encoding.delimiters);
  if (meaning !== undefined) return { text: meaning, end };
  const code = text.slice(start + 1, end);
  if (isDesignation.test(code)) return { text: `\\${code}\\`, end };
  return readHexadecimal(text, start, encoding) ?? { text: text.slice(start, end + 1), end };
}

/** The value that a piece of a message stands for (HL7 v2.5.1 2.7). */
export function unescapeText(text: string, encoding: Encoding): string {
  const { escape } = encoding.delimiters;
  let value = '';
  let done = 0;
  for (let start = text.indexOf(escape); start >= 0; start = text.indexOf(escape, done)) {
    const run = readSequence(text, start, encoding);
    if (!run) break;
    value += text.slice(done, start) + run.text;
    done = run.end + 1;
  }
  // NUL is no character of a text, and no database takes it.
  return (value + text.slice(done)).replaceAll('\0', '');
}

function isControl(character: string): boolean {
  return character < ' ' || character === '\x7F';
}

/** A switch of character sets, or anything that might need an escape: delimiters are neither letters nor digits. */
const suspicious = new RegExp(`\\\\(${designation})\\\\|[^0-9A-Za-z ]`, 'gi');

/**
 * The text of a message that stands for a value: no delimiter and no control character survives (HL7 v2.5.1 2.7).
 * A switch of character sets that nobody could follow goes on as the switch it is.
 */
export function escapeText(value: string, delimiters: Delimiters): string {
  if (value.search(suspicious) < 0) return value;
  const { field, component, subcomponent, repetition, escape, truncation } = delimiters;
  const letters: Readonly<Record<string, string>> = {
    [field]: 'F',
    [component]: 'S',
    [subcomponent]: 'T',
    [repetition]: 'R',
    [escape]: 'E',
    ...(truncation ? { [truncation]: 'P' } : {}),
  };
  // With a dot among the delimiters `.br` would be cut in two.
  const newline = '.' in letters ? 'X0A' : '.br';
  return value.replace(suspicious, (character, designation: string | undefined) => {
    if (designation !== undefined) return escape + designation + escape;
    const code = letters[character] ?? (character === '\n' ? newline : undefined);
    if (code !== undefined) return escape + code + escape;
    if (!isControl(character)) return character;
    return `${escape}X${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}${escape}`;
  });
}
