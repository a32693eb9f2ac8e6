import type { Clock } from '../src/platform/clock.ts';
import { localTimeOf } from '../src/platform/clock.ts';
import type { Ids } from '../src/platform/ids.ts';

/** Names every scenario knows without saying them in `let`. */
export const builtInNames = ['run', 'uid', 'now', 'today', 'controlId'] as const;

const placeholder = /\$\{([^}]*)\}/g;

/** The names a text asks for, in order, each with its offset: `${patientId}` asks for `patientId`. */
export function namesIn(text: string): { name: string; offset: number }[] {
  return [...text.matchAll(placeholder)].map((match) => ({ name: match[1] ?? '', offset: match.index }));
}

/** Raised when a text asks for a name that has no value (yet). */
export class UnknownName extends Error {
  readonly unknown: string;

  constructor(unknown: string) {
    super(`\${${unknown}} has no value`);
    this.name = 'UnknownName';
    this.unknown = unknown;
  }
}

/** Puts values in the place of `${name}`; the text around them, and the values, stay as they are. Throws UnknownName. */
export function expand(text: string, valueOf: (name: string) => string | undefined): string {
  return text.replaceAll(placeholder, (_, name: string) => {
    const value = valueOf(name);
    if (value === undefined) throw new UnknownName(name);
    return value;
  });
}

/** The same for every text inside lists and maps; keys stay as they are. */
export function expandDeep<T>(value: T, valueOf: (name: string) => string | undefined): T;
export function expandDeep(value: unknown, valueOf: (name: string) => string | undefined): unknown {
  if (typeof value === 'string') return expand(value, valueOf);
  if (Array.isArray(value)) return value.map((item: unknown) => expandDeep(item, valueOf));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expandDeep(item, valueOf)]));
}

/** What one playing of one scenario knows: its own id, what `let` says, what steps captured. */
export interface Scope {
  /** The fresh short id of this playing. */
  readonly run: string;
  /** Looks a name up for one message or dataset: `controlId` stays the same within it, each `uid` is a fresh one. */
  forOneMessage(): (name: string) => string | undefined;
  /** Keeps what a step captured. */
  capture(name: string, value: string): void;
  /** The values by which a message is known to belong to this playing: its own, and what was captured. */
  identifiers(): ReadonlySet<string>;
  /** Those that no other playing can have: what `let` makes of the run or a UID. */
  own(): ReadonlySet<string>;
}

interface ScopeSources {
  readonly run: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** IANA name; `now` and `today` are on its wall clock. */
  readonly timeZone: string;
}

/** A captured value shorter than this (a modality, an order status) is on everybody's messages and identifies none. */
const shortestIdentifier = 3;

/** A number of the journal, which may also be that of a doctor in anybody's message. */
const shortNumber = /^\d{1,5}$/;

/** MSH-7 and its like: messages of others are sent in the same second. */
const time = /^20\d{12}(\.\d{1,4})?([+-]\d{4})?$/;

const identifies = (value: string): boolean =>
  value.length >= shortestIdentifier && !shortNumber.test(value) && !time.test(value);

/** Starts a scope: each `let` may use the built-in names and the `let` entries above it. Throws UnknownName. */
export function startScope(lets: Readonly<Record<string, string>>, sources: ScopeSources): Scope {
  const values = new Map<string, string>([['run', sources.run]]);
  const own = new Set<string>();
  const captured = new Set<string>();
  const fresh = new Set(['run', 'uid']);
  const forOneMessage = (): ((name: string) => string | undefined) => {
    const controlId = sources.ids.controlId();
    const fromHere = (name: string): string | undefined => (name === 'controlId' ? controlId : builtIn(name, sources));
    return (name) => values.get(name) ?? fromHere(name);
  };
  for (const [name, text] of Object.entries(lets)) {
    const value = expand(text, forOneMessage());
    values.set(name, value);
    if (!namesIn(text).some((used) => fresh.has(used.name))) continue;
    fresh.add(name);
    own.add(value);
  }
  const capture = (name: string, value: string): void => {
    values.set(name, value);
    if (identifies(value)) captured.add(value);
  };
  return {
    run: sources.run,
    forOneMessage,
    capture,
    identifiers: () => new Set([...own, ...captured]),
    own: () => own,
  };
}

function builtIn(name: string, { clock, ids, timeZone }: ScopeSources): string | undefined {
  if (name === 'uid') return ids.uid();
  if (name !== 'now' && name !== 'today') return undefined;
  const local = localTimeOf(clock.now(), timeZone);
  const today = local.date.replaceAll('-', '');
  return name === 'today' ? today : today + local.time.replaceAll(':', '');
}
