import { SwfError } from '../platform/errors.ts';
import type { Hl7Message, Segment } from '../hl7/message.ts';

/** How one sender's messages are read: the site's `senders` rule for it, with defaults. */
export interface SenderRules {
  /** For an identifier that names none (PID-3.4). */
  readonly assigningAuthority: string;
  /** A field such as `OBR-21` that names the scheduled station AE title; undefined: none does. */
  readonly station: string | undefined;
  readonly serviceCode: 'OBR-4.1' | 'OBR-4.4';
  /** IANA name: where time stamps without an offset are meant, and what those with one are converted to. */
  readonly timeZone: string;
  /** strict: everything that a conformant sender fills must be there. */
  readonly validation: 'lenient' | 'strict';
}

/** One message while it is read: what was missing or odd is remembered as sentences without content. */
export interface Reading {
  readonly message: Hl7Message;
  readonly rules: SenderRules;
  readonly remarks: string[];
}

export function startReading(message: Hl7Message, rules: SenderRules): Reading {
  return { message, rules, remarks: [] };
}

/** `ORC-2` of the second ORC as an ERR-2 location: `ORC^2^2`. */
export function locationOf(segment: Segment | string, field: number, component?: number): string {
  const [name, sequence] = typeof segment === 'string' ? [segment, 1] : [segment.name, segment.sequence];
  return component === undefined ? `${name}^${sequence}^${field}` : `${name}^${sequence}^${field}^1^${component}`;
}

/** A value that nothing can be done without. Throws 'required-field-missing' (HL7 101) at its place. */
export function required(value: string | null | undefined, location: string, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new SwfError('required-field-missing', `${what} is empty`, { location });
}

/** What DICOM can carry of an identifier (LO). */
const LONGEST_IDENTIFIER = 64;

/**
 * Refuses an identifier that DICOM cannot carry as it is: too long, or with a backslash or control character in it.
 * Cutting or replacing would make it another one. Throws 'data-type' (HL7 102).
 */
export function bounded(value: string, location: string, what: string): void {
  if (value.length > LONGEST_IDENTIFIER) {
    throw new SwfError('data-type', `${what} has more than ${LONGEST_IDENTIFIER} characters`, { location });
  }
  if (/[\\\p{Cc}]/u.test(value)) {
    throw new SwfError('data-type', `${what} holds a backslash or a control character`, { location });
  }
}

/** A value that a conformant sender fills: missing, it is remarked, or refused where the site is strict. */
export function expected(reading: Reading, present: boolean, location: string, what: string): void {
  if (present) return;
  if (reading.rules.validation === 'strict')
    throw new SwfError('required-field-missing', `${what} is empty`, { location });
  reading.remarks.push(`${what} is empty (${location})`);
}

/** Leaves out keys without a value, as exact optional properties want it. */
export function defined<T extends object>(values: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

/** The text of a field, with `""` and absence alike as undefined. */
export function textOf(segment: Segment, field: number, component = 1): string | undefined {
  return segment.get(field, component) ?? undefined;
}

// No data type has more; each component is looked for in the whole field.
const MOST_COMPONENTS = 64;

/** A field component by component; undefined when it is empty. */
export function componentsOf(segment: Segment, field: number): string[] | undefined {
  const components = Array.from(
    { length: Math.min(segment.components(field), MOST_COMPONENTS) },
    (_, index) => segment.get(field, index + 1) ?? '',
  );
  return components.some((component) => component !== '') ? components : undefined;
}
