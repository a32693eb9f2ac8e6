import { SwfError } from '../platform/errors.ts';
import { missingOf, place, startGroup, type Group, type OpenGroup } from './group.ts';
import type { Hl7Message, Segment } from './message.ts';
import { firstsOf, isSegment, leaderOf, type GroupPart, type Part, type Structure } from './structure-syntax.ts';

export type { Group } from './group.ts';
export type { Structure } from './structure-syntax.ts';

/** A message by the groups of its structure. */
export interface ReadStructure {
  readonly root: Group;
  /** Segments that have no place in the structure, Z segments of the sender among them. */
  readonly surplus: readonly Segment[];
}

function refusal(sentence: string, name: string, sequence: number): SwfError {
  return new SwfError('segment-sequence', sentence, { location: `${name}^${sequence}` });
}

/** The innermost group that holds a segment; undefined when the structure does not have it. */
function holderOf(group: GroupPart, name: string): GroupPart | undefined {
  for (const part of group.parts) {
    if (isSegment(part) && part.segment === name) return group;
    const holder = isSegment(part) ? undefined : holderOf(part, name);
    if (holder) return holder;
  }
  return undefined;
}

// Who it is about and what is asked for: a second one, or one without its order, is never passed over.
const onlyOnce = new Set(['PID', 'PV1', 'SCH']);

/** What has no place is surplus, unless the message would say something else without it. */
function checkSurplus(root: GroupPart, segment: Segment): void {
  const { name, sequence } = segment;
  const holder = holderOf(root, name);
  if (holder && name === 'OBR') throw refusal('OBR stands before any ORC', name, sequence);
  if (!holder || sequence === 1 || !onlyOnce.has(name)) return;
  const where = holder.repeats ? `each ${holder.group} group` : 'a message';
  throw refusal(`${where} has one ${name} segment`, name, sequence);
}

/** An order that stands before the patient: whose it is cannot be told (HL7 v2.5.1 4.4.1). */
function checkOrderOfPatient(placed: Segment, order: Segment | undefined): void {
  if (placed.name !== 'PID' || placed.sequence > 1 || !order) return;
  throw refusal(`${order.name} stands before PID`, order.name, order.sequence);
}

function checkComplete(group: OpenGroup, number: number): void {
  const missing = missingOf(group, group.part.parts);
  if (missing) {
    const name = leaderOf(missing);
    const where = number === 0 ? 'there is' : `${group.name} group ${number} has`;
    throw refusal(`${where} no ${name} segment`, name, Math.max(number, 1));
  }
  const counts = new Map<string, number>();
  for (const inner of group.groups) {
    const count = (counts.get(inner.name) ?? 0) + 1;
    counts.set(inner.name, count);
    checkComplete(inner, count);
  }
}

/**
 * Reads a message by a lenient structure: a segment in an odd place of its group is taken, one without a place is kept
 * apart (HL7 v2.5.1 2.6.2, 2.12).
 * @throws SwfError 'segment-sequence' (100) at `SEG^n` for what the structure cannot be without, for an order before its
 * patient or an OBR before any ORC, and for a second patient, visit or schedule where there is one
 */
export function readStructure(message: Hl7Message, structure: Structure): ReadStructure {
  const part: GroupPart = { group: structure.id, parts: structure.parts, required: true, repeats: false };
  const root = startGroup(part);
  const open = [root];
  const surplus: Segment[] = [];
  let order: Segment | undefined;
  for (const segment of message.segments) {
    if (place(open, segment)) {
      checkOrderOfPatient(segment, order);
      if (segment.name === 'ORC' || segment.name === 'OBR') order ??= segment;
      continue;
    }
    checkSurplus(part, segment);
    surplus.push(segment);
  }
  checkComplete(root, 0);
  return { root, surplus };
}

/** Where a strict check stands in the names of a message. */
interface Cursor {
  readonly names: readonly string[];
  at: number;
}

function missingSentence(name: string, { names, at }: Cursor): string {
  const found = names[at];
  if (found === undefined) return `${name} is missing at the end`;
  if (names.includes(name, at)) return `${found} (segment ${at + 1}) stands before ${name}`;
  return `${name} is missing before ${found} (segment ${at + 1})`;
}

function checkPart(part: Part, cursor: Cursor): string | undefined {
  const firsts = isSegment(part) ? [part.segment] : firstsOf(part.parts);
  let count = 0;
  for (; firsts.includes(cursor.names[cursor.at] ?? '') && (count === 0 || part.repeats); count++) {
    const problem = isSegment(part) ? undefined : checkParts(part.parts, cursor);
    if (problem !== undefined) return problem;
    if (isSegment(part)) cursor.at++;
  }
  return count === 0 && part.required ? missingSentence(leaderOf(part), cursor) : undefined;
}

function checkParts(parts: readonly Part[], cursor: Cursor): string | undefined {
  for (const part of parts) {
    const problem = checkPart(part, cursor);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/**
 * Checks the segment names of a message that we are about to send, strictly: undefined, or a sentence that names the
 * first segment that is missing or out of place (HL7 v2.5.1 2.12).
 */
export function checkStructure(names: readonly string[], structure: Structure): string | undefined {
  const cursor: Cursor = { names, at: 0 };
  const problem = checkParts(structure.parts, cursor);
  const surplus = names[cursor.at];
  const found = surplus === undefined ? undefined : `${surplus} (segment ${cursor.at + 1}) has no place there`;
  const sentence = problem ?? found;
  return sentence === undefined ? undefined : `${structure.id}: ${sentence}`;
}
