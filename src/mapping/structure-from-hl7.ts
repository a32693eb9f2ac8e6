import { type Group, type ReadStructure, readStructure } from '../hl7/grammar.ts';
import type { Hl7Message, Segment } from '../hl7/message.ts';
import { inboundStructure } from '../hl7/structures.ts';
import { SwfError } from '../platform/errors.ts';
import type { Reading } from './reader.ts';

/**
 * A message in the groups of its structure (HL7 v2.5.1 2.12). Throws 'segment-sequence' (100) where the structure does
 * not hold, 'unsupported-event' (201) for a message that is not read.
 */
export function structureOf(message: Hl7Message): ReadStructure {
  const { messageType, triggerEvent } = message.header;
  const structure = inboundStructure(messageType, triggerEvent);
  if (structure) return readStructure(message, structure);
  throw new SwfError('unsupported-event', 'messages of this type and event (MSH-9) are not read', {
    location: 'MSH^1^9',
  });
}

/** The groups of a message; what has no place in them is remarked, except the Z segments of a sender. */
export function groupsFromHl7(reading: Reading): Group {
  const { root, surplus } = structureOf(reading.message);
  const names = new Set(surplus.map((segment) => segment.name).filter((name) => !name.startsWith('Z')));
  for (const name of names) reading.remarks.push(`${name} has no place in this message and is not read`);
  return root;
}

/** All segments of a group, those of the groups in it behind its own. */
export function segmentsIn(group: Group): Segment[] {
  return [...group.segments, ...group.groups.flatMap(segmentsIn)];
}

/** The first segment of each name. */
export type FirstSegments = ReadonlyMap<string, Segment>;

/** What stands from each ORC up to the next ORC, and from each OBR up to the next OBR or ORC. */
export interface Runs {
  /** What stands before the first ORC or OBR; the whole message where there is none. */
  readonly head: FirstSegments;
  from(start: Segment): FirstSegments;
}

/** The runs of a message: where a segment belongs for which its structure has no place, such as a Z segment. */
export function runsOf(message: Hl7Message): Runs {
  const head = new Map<string, Segment>();
  const runs = new Map<Segment, Map<string, Segment>>();
  let open = [head];
  for (const segment of message.segments) {
    const { name } = segment;
    if (name === 'ORC' || name === 'OBR') {
      const run = new Map<string, Segment>();
      runs.set(segment, run);
      const [order] = open;
      open = name === 'OBR' && order?.has('ORC') ? [order, run] : [run];
    }
    for (const run of open) if (!run.has(name)) run.set(name, segment);
  }
  return { head, from: (start) => runs.get(start) ?? new Map<string, Segment>() };
}
