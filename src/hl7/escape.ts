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
  const decoded = decodeText(Buffer.from(parts.join(''), 'hex'), characterSet);
  return { text: decoded ?? text.slice(start, end + 1), end };
}

/** One escape sequence that begins at `start`; what is unknown is kept as it stands. */
function readSequence(text: string, start: number, encoding: Encoding): Run | undefined {
  const end = text.indexOf(encoding.delimiters.escape, start + 1);
  if (end < 0) return undefined;
  const meaning = meaningOf(text.slice(start + 1, end), encoding.delimiters);
  if (meaning !== undefined) return { text: meaning, end };
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

/** Everything that might need an escape sequence: delimiters are neither letters nor digits. */
const suspicious = /[^0-9A-Za-z ]/g;

/** The text of a message that stands for a value: no delimiter and no control character survives (HL7 v2.5.1 2.7). */
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
  return value.replace(suspicious, (character) => {
    const code = letters[character] ?? (character === '\n' ? newline : undefined);
    if (code !== undefined) return escape + code + escape;
    if (!isControl(character)) return character;
    return `${escape}X${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}${escape}`;
  });
}
