import fc from 'fast-check';
import { isSegment, type Part } from '../../src/hl7/structure-syntax.ts';
import type { Group } from '../../src/hl7/grammar.ts';

/** A message as its structure sees it: segment names, and groups with what is in them. */
export type Shape = string | { readonly group: string; readonly shapes: readonly Shape[] };

/** The segment names of a shape in the order of the message. */
export function namesOf(shapes: readonly Shape[]): string[] {
  return shapes.flatMap((shape) => (typeof shape === 'string' ? [shape] : namesOf(shape.shapes)));
}

/** A sequence in which every part comes as often as `times` says. */
export function sequenceOf(parts: readonly Part[], times: (part: Part) => number): string[] {
  return parts.flatMap((part) =>
    Array.from({ length: times(part) }, () =>
      isSegment(part) ? [part.segment] : sequenceOf(part.parts, times),
    ).flat(),
  );
}

/** Only what is required, once. */
export const minimal = (parts: readonly Part[]): string[] => sequenceOf(parts, (part) => (part.required ? 1 : 0));

/** Everything, once. */
export const complete = (parts: readonly Part[]): string[] => sequenceOf(parts, () => 1);

/** Everything, and twice what repeats. */
export const maximal = (parts: readonly Part[]): string[] => sequenceOf(parts, (part) => (part.repeats ? 2 : 1));

function occurrence(part: Part): fc.Arbitrary<Shape> {
  if (isSegment(part)) return fc.constant(part.segment);
  return shapesOf(part.parts, 1).map((shapes) => ({ group: part.group, shapes }));
}

/** Messages of a structure; `present` is how many of the first parts come in any case, so that a group begins with its first. */
export function shapesOf(parts: readonly Part[], present: number): fc.Arbitrary<Shape[]> {
  const lists = parts.map((part, index) =>
    fc.array(occurrence(part), {
      minLength: part.required || index < present ? 1 : 0,
      maxLength: part.repeats ? 3 : 1,
    }),
  );
  return fc.tuple(...lists).map((occurrences) => occurrences.flat());
}

/** Segment names of each group, its own first: what does not depend on the order between segments and groups. */
export function outlineOf(group: Group): unknown {
  return { name: group.name, segments: group.segments.map(({ name }) => name), groups: group.groups.map(outlineOf) };
}

export function outlineOfShape(name: string, shapes: readonly Shape[]): unknown {
  const groups = shapes.filter((shape) => typeof shape !== 'string');
  return {
    name,
    segments: shapes.filter((shape) => typeof shape === 'string'),
    groups: groups.map(({ group, shapes: inner }) => outlineOfShape(group, inner)),
  };
}
