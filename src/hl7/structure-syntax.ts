import { SwfError } from '../platform/errors.ts';

/** How often a part of a structure comes: required or not, once or several times. */
interface Occurrence {
  readonly required: boolean;
  readonly repeats: boolean;
}

export interface SegmentPart extends Occurrence {
  readonly segment: string;
}

export interface GroupPart extends Occurrence {
  readonly group: string;
  readonly parts: readonly Part[];
}

/** One place in a message structure. */
export type Part = SegmentPart | GroupPart;

/** The segments of a message in their order (HL7 v2.5.1 2.12). */
export interface Structure {
  /** HL7 table 0354; what we send has its transaction behind it. */
  readonly id: string;
  /** Where it is defined. */
  readonly source: string;
  readonly parts: readonly Part[];
}

const tokenPattern = /[[\]{}]|[A-Z][A-Z0-9_]*:?/g;

const closing: Readonly<Record<string, string>> = { '[': ']', '{': '}' };

/** What stands in one pair of brackets: a named group, a segment or another pair of brackets. */
function readInner(tokens: string[]): Part {
  const name = tokens[0] ?? '';
  if (!name.endsWith(':')) return readPart(tokens);
  tokens.shift();
  return { group: name.slice(0, -1), parts: readParts(tokens), required: true, repeats: false };
}

function readPart(tokens: string[]): Part {
  const token = tokens.shift() ?? '';
  const end = closing[token];
  if (end === undefined) return { segment: token, required: true, repeats: false };
  const inner = readInner(tokens);
  if (tokens.shift() !== end)
    throw new SwfError('internal', `${token} is not closed; it holds one segment or one group`);
  return token === '[' ? { ...inner, required: false } : { ...inner, repeats: true };
}

function readParts(tokens: string[]): Part[] {
  const parts: Part[] = [];
  while (tokens.length > 0 && tokens[0] !== ']' && tokens[0] !== '}') parts.push(readPart(tokens));
  return parts;
}

/**
 * Reads the abstract message syntax (HL7 v2.5.1 2.12): `[ ]` is optional, `{ }` repeats, `{ORDER: ORC [OBR]}` is a group.
 * @throws SwfError 'internal' when the text is not written like that
 */
export function partsOf(syntax: string): readonly Part[] {
  const tokens: string[] = syntax.match(tokenPattern) ?? [];
  const parts = readParts(tokens);
  if (tokens.length === 0) return parts;
  throw new SwfError('internal', `${tokens[0] ?? ''} closes nothing; check the brackets of the structure`);
}

export function isSegment(part: Part): part is SegmentPart {
  return 'segment' in part;
}

/** The segments that a sequence of parts can begin with, as long as nothing of it stands yet. */
export function firstsOf(parts: readonly Part[]): readonly string[] {
  const firsts: string[] = [];
  for (const part of parts) {
    firsts.push(...(isSegment(part) ? [part.segment] : firstsOf(part.parts)));
    if (part.required) break;
  }
  return firsts;
}

/** The first segment that a part cannot be without: what is said to be missing when the part is. */
export function leaderOf(part: Part): string {
  if (isSegment(part)) return part.segment;
  const leader = part.parts.find((inner) => inner.required) ?? part.parts[0];
  return leader ? leaderOf(leader) : part.group;
}
