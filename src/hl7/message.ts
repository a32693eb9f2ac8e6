import { SwfError } from '../platform/errors.ts';
import { characterSetOf, characterSetOfMessage, decodeText, detectCharacterSet } from './charset.ts';
import { readDelimiters } from './delimiters.ts';
import { withEscapeSequences } from './escape.ts';
import type { Encoding } from './escape.ts';
import { characterSetNames, firstLine, fromMsh, headerOf, readHeader, readText, usesEscapes } from './header.ts';
import type { Hl7Header } from './header.ts';
import { segmentOf } from './segment.ts';
import type { Segment, Value } from './segment.ts';

export { readHeader, readText, usesEscapes };
export type { Hl7Header, Segment, Value };

/** A message that was taken apart (HL7 v2.5.1 2.5). */
export interface Hl7Message {
  readonly header: Hl7Header;
  /** In the order of the message, MSH first. */
  readonly segments: readonly Segment[];
  first(name: string): Segment | undefined;
  all(name: string): readonly Segment[];
  /**
   * The value at a place such as `PID-3.1`, `OBR[2]-18` or `PID-3(2).4.1`.
   * @throws SwfError 'internal' when the place is not written like that
   */
  get(place: string): Value;
}

/** Where a value stands; everything counts from 1. */
export interface Place {
  readonly segment: string;
  readonly sequence: number;
  readonly field: number;
  readonly repetition: number;
  readonly component: number;
  readonly subcomponent: number;
}

// A message of a few bytes a segment would otherwise take many times its size in memory.
const mostSegments = 100_000;

const placePattern = /^([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?-(\d+)(?:\((\d+)\))?(?:\.(\d+)(?:\.(\d+))?)?$/;

/** Reads `SEG[n]-field(repetition).component.subcomponent`; undefined when the text is no such place. */
export function parsePlace(text: string): Place | undefined {
  const match = placePattern.exec(text);
  if (!match) return undefined;
  const number = (group: number): number => Number(match[group] ?? 1);
  const numbers = { sequence: number(2), field: number(3), repetition: number(4) };
  const place = { segment: match[1] ?? '', ...numbers, component: number(5), subcomponent: number(6) };
  return Object.values(place).includes(0) ? undefined : place;
}

/** The text of all segments: CR, LF or both end one, empty lines do not count. */
function splitSegments(text: string): string[] {
  const lines = text.split(/[\r\n]+/, mostSegments + 1).filter((line) => line !== '');
  if (lines.length <= mostSegments) return lines;
  throw new SwfError('segment-sequence', `the message has more than ${mostSegments} segments; send several messages`);
}

function checkName(line: string, position: number, separator: string): void {
  const ends = line.length === 3 || line.charAt(3) === separator;
  if (ends && /^[A-Z][A-Z0-9]{2}/.test(line)) return;
  const what = `line ${position} of the message does not begin with a segment name and a field separator`;
  throw new SwfError('segment-sequence', `${what}; line breaks inside a value are sent as \\.br\\`);
}

/** The segments by their names; each gets its number among those of its name. */
function indexSegments(lines: readonly string[], encoding: Encoding): Map<string, Segment[]> {
  const byName = new Map<string, Segment[]>();
  lines.forEach((line, index) => {
    checkName(line, index + 1, encoding.delimiters.field);
    const name = line.slice(0, 3);
    const same = byName.get(name) ?? [];
    same.push(segmentOf(line, same.length + 1, encoding));
    byName.set(name, same);
  });
  if ((byName.get('MSH') ?? []).length === 1) return byName;
  throw new SwfError('segment-sequence', 'MSH occurs again inside the message; send one message a frame', {
    location: 'MSH^2',
  });
}

/** In the order of the lines: each name's segments are already in theirs. */
function inOrder(lines: readonly string[], byName: ReadonlyMap<string, readonly Segment[]>): Segment[] {
  const used = new Map<string, number>();
  return lines.flatMap((line) => {
    const name = line.slice(0, 3);
    const position = used.get(name) ?? 0;
    used.set(name, position + 1);
    return byName.get(name)?.[position] ?? [];
  });
}

function valueAt(byName: ReadonlyMap<string, readonly Segment[]>, text: string): Value {
  const place = parsePlace(text);
  if (!place) throw new SwfError('internal', 'a place is written SEG[n]-field(repetition).component.subcomponent');
  const segment = byName.get(place.segment)?.[place.sequence - 1];
  return segment?.get(place.field, place.component, place.subcomponent, place.repetition);
}

function decodeWhole(bytes: Buffer, encoding: Encoding): string {
  const { characterSet } = encoding;
  const text = decodeText(withEscapeSequences(bytes, encoding), characterSet);
  if (text !== undefined) return text;
  throw new SwfError('data-type', `the bytes are not valid in ${characterSet.name}; let MSH-18 name the set in use`, {
    location: 'MSH^1^18',
  });
}

/**
 * Takes a message apart (HL7 v2.5.1 2.5, 2.7, 2.14.9). Without MSH-18 it is read in `characterSet` (names of table
 * 0211, `~` between several), or in what its bytes look like.
 * @throws SwfError 'data-type', 'value-not-found', 'segment-sequence' or 'required-field-missing' with its location
 */
export function parseMessage(bytes: Uint8Array, options: { characterSet?: string } = {}): Hl7Message {
  const buffer = fromMsh(bytes);
  const msh = firstLine(buffer);
  if (msh.toString('latin1', 0, 3) !== 'MSH') {
    throw new SwfError('segment-sequence', 'the message does not begin with MSH', { location: 'MSH^1' });
  }
  const delimiters = readDelimiters(msh.toString('latin1'));
  const characterSets = characterSetNames(msh, delimiters);
  const declared = characterSetOfMessage(characterSets);
  const usual = declared.name === '' ? characterSetOf(options.characterSet ?? '') : declared;
  const characterSet = detectCharacterSet(buffer, usual);
  const encoding = { delimiters, characterSet };
  const lines = splitSegments(decodeWhole(buffer, encoding));
  const byName = indexSegments(lines, encoding);
  const header = headerOf(lines[0] ?? '', { ...encoding, characterSets });
  if (header.messageType === '') {
    throw new SwfError('required-field-missing', 'MSH-9 Message Type is empty', { location: 'MSH^1^9' });
  }
  const segments = inOrder(lines, byName);
  return {
    header,
    segments,
    first: (name) => byName.get(name)?.[0],
    all: (name) => byName.get(name) ?? [],
    get: (place) => valueAt(byName, place),
  };
}
