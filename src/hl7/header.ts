import { decodeText, detectCharacterSet, findCharacterSet } from './charset.ts';
import type { CharacterSet } from './charset.ts';
import { guessDelimiters } from './delimiters.ts';
import type { Delimiters } from './delimiters.ts';
import { unescapeText, withEscapeSequences } from './escape.ts';

/** The MSH segment as values; what is absent is '' (HL7 v2.5.1 2.14.9). */
export interface Hl7Header {
  /** What MSH-1 and MSH-2 declare; the usual ones where MSH-2 is not readable. */
  readonly delimiters: Delimiters;
  /** MSH-3.1 */
  readonly sendingApplication: string;
  /** MSH-4.1 */
  readonly sendingFacility: string;
  /** MSH-5.1 */
  readonly receivingApplication: string;
  /** MSH-6.1 */
  readonly receivingFacility: string;
  /** MSH-7.1 */
  readonly dateTime: string;
  /** MSH-9.1 */
  readonly messageType: string;
  /** MSH-9.2 */
  readonly triggerEvent: string;
  /** MSH-9.3 */
  readonly messageStructure: string;
  /** MSH-10 */
  readonly controlId: string;
  /** MSH-11.1 */
  readonly processingId: string;
  /** MSH-12.1 */
  readonly version: string;
  /** MSH-15 */
  readonly acceptAcknowledgement: string;
  /** MSH-16 */
  readonly applicationAcknowledgement: string;
  /** The repetitions of MSH-18 as they were sent; none when it is empty. */
  readonly characterSets: readonly string[];
  /** The table 0211 name of the set the header was read in, several with `~` between them; '' is ASCII. */
  readonly characterSet: string;
  /** Field n of MSH as text, delimiters and escapes included: what an acknowledgement echoes. */
  readonly rawFields: readonly string[];
}

/** Message bytes without what some senders put before MSH: a byte order mark and empty lines. */
export function fromMsh(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf ? 3 : 0;
  while (buffer[start] === 0x0d || buffer[start] === 0x0a) start++;
  return buffer.subarray(start);
}

/** The bytes of the first segment. */
export function firstLine(buffer: Buffer): Buffer {
  const end = buffer.findIndex((byte) => byte === 0x0d || byte === 0x0a);
  return end < 0 ? buffer : buffer.subarray(0, end);
}

/** The fields of an MSH segment: MSH-1 is the separator itself, so that field n stands at index n. */
export function mshFields(line: string, separator: string): string[] {
  const [name = '', ...fields] = line.split(separator);
  return [name, separator, ...fields];
}

/** The repetitions of MSH-18, read before the character set is known: the names are ASCII. */
export function characterSetNames(line: Buffer, delimiters: Delimiters): string[] {
  const field = mshFields(line.toString('latin1'), delimiters.field)[18] ?? '';
  if (field === '') return [];
  const encoding = { delimiters, characterSet: detectCharacterSet(line) };
  return field.split(delimiters.repetition).map((repetition) => {
    const [name = ''] = repetition.split(delimiters.component);
    return unescapeText(name, encoding).trim();
  });
}

/** The set of the names when all of them are known, else the one the bytes look like. */
function readableSet(names: readonly string[], bytes: Buffer): CharacterSet {
  return detectCharacterSet(bytes, findCharacterSet(names.join('~')));
}

/** The header from the text of the MSH segment. */
export function headerOf(
  line: string,
  context: { delimiters: Delimiters; characterSet: CharacterSet; characterSets: readonly string[] },
): Hl7Header {
  const { delimiters, characterSet, characterSets } = context;
  const rawFields = mshFields(line, delimiters.field);
  const value = (field: number, component = 1): string => {
    const [repetition = ''] = (rawFields[field] ?? '').split(delimiters.repetition, 1);
    const text = repetition.split(delimiters.component)[component - 1] ?? '';
    const [first = ''] = text.split(delimiters.subcomponent, 1);
    return unescapeText(first, context).trim();
  };
  return {
    delimiters,
    sendingApplication: value(3),
    sendingFacility: value(4),
    receivingApplication: value(5),
    receivingFacility: value(6),
    dateTime: value(7),
    messageType: value(9),
    triggerEvent: value(9, 2),
    messageStructure: value(9, 3),
    controlId: value(10),
    processingId: value(11),
    version: value(12),
    acceptAcknowledgement: value(15),
    applicationAcknowledgement: value(16),
    characterSets,
    characterSet: characterSet.name,
    rawFields,
  };
}

/**
 * The header of anything that begins with MSH and a field separator, however wrong the rest is: every such message
 * can be answered. Undefined when there is nothing to answer.
 */
export function readHeader(bytes: Uint8Array): Hl7Header | undefined {
  const line = firstLine(fromMsh(bytes));
  if (line.toString('latin1', 0, 3) !== 'MSH') return undefined;
  const delimiters = guessDelimiters(line.toString('latin1', 0, 10));
  if (!delimiters) return undefined;
  const characterSets = characterSetNames(line, delimiters);
  const characterSet = readableSet(characterSets, line);
  const text = decodeText(line, characterSet);
  return headerOf(text ?? line.toString('latin1'), { delimiters, characterSet, characterSets });
}

/** True when escape sequences switch between the sets of a message: ESC, SO and SI belong to its text (ISO 2022). */
export function usesEscapes(header: Hl7Header): boolean {
  return findCharacterSet(header.characterSet)?.isSwitched ?? false;
}

/** The text of a message as well as it can be read, for people to look at; undefined when it does not begin with MSH. */
export function readText(bytes: Uint8Array): string | undefined {
  const header = readHeader(bytes);
  if (!header) return undefined;
  const buffer = fromMsh(bytes);
  const characterSet = readableSet(header.characterSets, buffer);
  const text = decodeText(withEscapeSequences(buffer, { delimiters: header.delimiters, characterSet }), characterSet);
  return text ?? buffer.toString('latin1');
}
