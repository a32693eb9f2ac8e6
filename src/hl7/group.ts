import type { Segment } from './segment.ts';
import { firstsOf, isSegment, type GroupPart, type Part } from './structure-syntax.ts';

/** One occurrence of a group of a structure, with its segments in the order of the message (HL7 v2.5.1 2.12). */
export interface Group {
  readonly name: string;
  /** Its own segments; those of the groups in it are not among them. */
  readonly segments: readonly Segment[];
  readonly groups: readonly Group[];
  first(segment: string): Segment | undefined;
  all(segment: string): readonly Segment[];
  group(name: string): Group | undefined;
  groupsOf(name: string): readonly Group[];
}

/** A group while a message is read into it. */
export interface OpenGroup extends Group {
  readonly part: GroupPart;
  readonly groups: readonly OpenGroup[];
  groupsOf(name: string): readonly OpenGroup[];
  /** The part of it that it began with, from 0; undefined before its first segment. */
  begun: number | undefined;
  /** The part of it that was reached last, from 0. */
  reached: number;
  add(segment: Segment): void;
  open(part: GroupPart): OpenGroup;
}

function push<T>(lists: Map<string, T[]>, name: string, value: T): void {
  const list = lists.get(name);
  if (list) list.push(value);
  else lists.set(name, [value]);
}

export function startGroup(part: GroupPart): OpenGroup {
  const segments: Segment[] = [];
  const groups: OpenGroup[] = [];
  const byName = new Map<string, Segment[]>();
  const groupsByName = new Map<string, OpenGroup[]>();
  return {
    name: part.group,
    part,
    begun: undefined,
    reached: 0,
    segments,
    groups,
    first: (name) => byName.get(name)?.[0],
    all: (name) => byName.get(name) ?? [],
    group: (name) => groupsByName.get(name)?.[0],
    groupsOf: (name) => groupsByName.get(name) ?? [],
    add: (segment) => {
      segments.push(segment);
      push(byName, segment.name, segment);
    },
    open: (inner) => {
      const group = startGroup(inner);
      groups.push(group);
      push(groupsByName, inner.group, group);
      return group;
    },
  };
}

/** The first part that a group cannot be without and is. */
export function missingOf(group: Group, parts: readonly Part[]): Part | undefined {
  return parts.find((part) => {
    if (!part.required) return false;
    return isSegment(part) ? !group.first(part.segment) : !group.group(part.group);
  });
}

const beginnings = new WeakMap<GroupPart, ReadonlySet<string>>();

/** A group is begun by what can stand first in it, and by a segment of its own that it cannot be without. */
function beginningsOf(part: GroupPart): ReadonlySet<string> {
  const known = beginnings.get(part);
  if (known) return known;
  const own = part.parts.filter(isSegment).filter((inner) => inner.required);
  const names = new Set([...firstsOf(part.parts), ...own.map(({ segment }) => segment)]);
  beginnings.set(part, names);
  return names;
}

/** The group that is there already, where it comes only once. */
function only(group: OpenGroup, part: GroupPart): OpenGroup | undefined {
  return part.repeats ? undefined : group.groupsOf(part.group)[0];
}

/** The number of the part that has room for a segment, from 0; -1 when none has. */
function roomIn(group: OpenGroup, name: string): number {
  return group.part.parts.findIndex((part) => {
    if (isSegment(part)) return part.segment === name && (part.repeats || !group.first(name));
    const present = only(group, part);
    return present ? roomIn(present, name) >= 0 : beginningsOf(part).has(name);
  });
}

/** What stands before the beginning of a complete occurrence is the next one's: an ORC after an OBR that had none. */
function beginsNext(group: OpenGroup, index: number): boolean {
  if (!group.part.repeats || index >= (group.begun ?? 0)) return false;
  return missingOf(group, group.part.parts) === undefined;
}

/** Puts a segment into a part that has room for it; gives the groups that are open then. */
function put(group: OpenGroup, index: number, segment: Segment): OpenGroup[] {
  const part = group.part.parts[index];
  group.begun ??= index;
  if (!part || isSegment(part)) {
    group.add(segment);
    return [];
  }
  const inner = only(group, part) ?? group.open(part);
  const room = roomIn(inner, segment.name);
  inner.reached = Math.max(inner.reached, room);
  return [inner, ...put(inner, room, segment)];
}

/**
 * Finds the place of a segment, from the innermost open group outwards, and puts it there; false when it has none.
 * A segment in its place closes what stands before it; one that comes late closes nothing.
 */
export function place(open: OpenGroup[], segment: Segment): boolean {
  for (let level = open.length - 1; level >= 0; level--) {
    const group = open[level];
    const index = group ? roomIn(group, segment.name) : -1;
    if (!group || index < 0 || beginsNext(group, index)) continue;
    const part = group.part.parts[index];
    const isLate = index < group.reached && !(part && !isSegment(part) && part.repeats);
    const opened = put(group, index, segment);
    if (isLate) return true;
    open.splice(level + 1, open.length, ...opened);
    group.reached = index;
    return true;
  }
  return false;
}
