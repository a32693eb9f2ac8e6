import { escapeText } from '../src/hl7/escape.ts';
import { readDelimiters } from '../src/hl7/delimiters.ts';
import type { Hl7Message, Segment } from '../src/hl7/message.ts';
import type { Check } from './checks.ts';
import type { Disguise } from './disguise.ts';
import { type FieldKind, checkedPlaces, fieldKinds } from './export-fields.ts';

const delimiters = readDelimiters('MSH|^~\\&|');

/** One field or component in disguise; `undefined` components stay empty, the delete instruction `""` stays. */
type Component = (number: number) => string;

function written(value: string | null | undefined, invent: (text: string) => string): string {
  if (value === null) return '""';
  return value === undefined ? '' : invent(value);
}

const plain = (text: string): string => escapeText(text, delimiters);

/** How the components of a field are written: for each kind, which it has and what becomes of them. */
function componentsOf(segment: Segment, field: number, repetition: number): Component {
  const parts = [1, 2, 3];
  return (number) =>
    parts
      .map((part) => written(segment.get(field, number, part, repetition), plain))
      .join('&')
      .replace(/&+$/, '');
}

const join = (components: readonly string[]): string => components.join('^').replace(/\^+$/, '');

function repetitionWritten(
  { segment, field, repetition }: { segment: Segment; field: number; repetition: number },
  kind: FieldKind,
  disguise: Disguise,
): string {
  const as = (number: number, invent: (text: string) => string): string =>
    written(segment.get(field, number, 1, repetition), invent);
  const keep = componentsOf(segment, field, repetition);
  const count = segment.components(field, repetition);
  const all = (make: Component): string => join(Array.from({ length: count }, (_, index) => make(index + 1)));
  if (typeof kind === 'object') {
    const first = as(1, (value) =>
      'id' in kind ? disguise.identifier(kind.id, value) : disguise.uid(value, kind.uid),
    );
    return all((number) => (number === 1 ? first : keep(number)));
  }
  switch (kind) {
    case 'keep':
      return all(keep);
    case 'code':
      // A text without a code is no vocabulary: somebody wrote it.
      return all((number) =>
        [2, 5].includes(number) && keep(number - 1) === '' ? as(number, disguise.text) : keep(number),
      );
    case 'date':
      return as(1, disguise.date);
    case 'birthDate':
      return as(1, disguise.birthDate);
    case 'person':
      return join([as(1, disguise.staffNumber), as(2, disguise.name), as(3, disguise.name)]);
    case 'personName':
      return join([as(1, disguise.name), as(2, disguise.name), as(3, disguise.name)]);
    case 'address':
      return join([as(1, disguise.text), '', as(3, disguise.name), '', as(5, () => '00000')]);
    case 'phone':
      return as(1, disguise.phone);
    case 'place':
      return all((number) => as(number, disguise.text));
    case 'timing':
      return all((number) => ([4, 5].includes(number) ? as(number, disguise.date) : keep(number)));
    default:
      return written(segment.whole(field), disguise.text);
  }
}

function fieldWritten(segment: Segment, field: number, kind: FieldKind, disguise: Disguise): string {
  if (kind === 'text') return written(segment.whole(field), disguise.text);
  const isValue = segment.get(2) === 'NM' || segment.get(2) === 'CE' || segment.get(2) === 'CWE';
  const own = kind === 'observation' ? (isValue ? 'code' : 'text') : kind;
  const repetitions = Array.from({ length: segment.repetitions(field) }, (_, index) => index + 1);
  return repetitions.map((repetition) => repetitionWritten({ segment, field, repetition }, own, disguise)).join('~');
}

/** A message in disguise, a segment a line, and the names of fields that it has no longer. */
export function disguisedMessage(message: Hl7Message, disguise: Disguise): { text: string; leftOut: string[] } {
  const leftOut: string[] = [];
  const lines = message.segments.map((segment) => {
    if (segment.name === 'MSH') return headerOf(message);
    const kinds = fieldKinds[segment.name];
    if (!kinds) {
      leftOut.push(segment.name);
      return '';
    }
    const fields = Array.from({ length: segment.fields }, (_, index) => {
      const kind = kinds[index + 1];
      if (kind !== undefined) return fieldWritten(segment, index + 1, kind, disguise);
      if (segment.repetitions(index + 1) > 0) leftOut.push(`${segment.name}-${index + 1}`);
      return '';
    });
    return [segment.name, ...fields].join('|').replace(/\|+$/, '');
  });
  return { text: `${lines.filter((line) => line !== '').join('\n')}\n`, leftOut };
}

/** Who sends and receives, when, and under which control id is filled in at each playing. */
function headerOf(message: Hl7Message): string {
  const { messageType, triggerEvent } = message.header;
  const type = [messageType, triggerEvent, message.get('MSH-9.3') ?? ''].join('^').replace(/\^+$/, '');
  return `MSH|^~\\&|||||||${type}|\${controlId}|P|${message.get('MSH-12') ?? ''}`;
}

/** What the player looks at in a message that went out. */
export interface Looked {
  readonly expect: Record<string, Check>;
  readonly capture: Record<string, string>;
}

/** Names that are not taken by what is written, for dates: whether somebody asked for this day. */
export type WasAsked = (date: string) => boolean;

/** Checks of what the Order Filler sent; an identifier that occurs for the first time is one that it assigned. */
export function checksOf(message: Hl7Message, disguise: Disguise, wasAsked: WasAsked): Looked {
  const expect: Record<string, Check> = {};
  const capture: Record<string, string> = {};
  for (const segment of message.segments) {
    for (const written of checkedPlaces[segment.name] ?? []) {
      const [field = 0, component = 1] = written.split('.').map(Number);
      const value = segment.get(field, component);
      const sequence = segment.sequence === 1 ? '' : `[${segment.sequence}]`;
      const place = `${segment.name}${sequence}-${written}`;
      if (value === undefined || value === null) continue;
      const kind = segment.name === 'MSH' ? 'keep' : (fieldKinds[segment.name]?.[field] ?? 'keep');
      const found = checkOf({ kind, component, value, captured: capture }, disguise, wasAsked);
      if (found === undefined) continue;
      if ('check' in found) expect[place] = found.check;
      else capture[found.capture] = place;
    }
  }
  return { expect, capture };
}

function checkOf(
  { kind, component, value, captured }: { kind: FieldKind; component: number; value: string; captured: object },
  disguise: Disguise,
  wasAsked: WasAsked,
): { check: Check } | { capture: string } | undefined {
  if (typeof kind === 'object') {
    const of = 'id' in kind ? kind.id : 'uid';
    const known = disguise.known(of, value);
    // What this very message brings cannot be looked for in it.
    if (known !== undefined) return known in captured ? undefined : { check: `\${${known}}` };
    return { capture: disguise.captured(of, value, 'id' in kind ? kind.id : kind.uid) };
  }
  if (kind === 'date' || (kind === 'timing' && component === 4)) {
    return wasAsked(value) ? { check: { matches: `^${disguise.date(value.slice(0, 12))}` } } : { check: '*' };
  }
  if (kind === 'personName') return { check: disguise.name(value) };
  if (kind === 'birthDate') return { check: disguise.birthDate(value) };
  return { check: value };
}
