import { expand, expandDeep } from './template.ts';

/** What a scenario may ask of one value. Text: equal; `'*'`: any non-empty value; null: empty or absent. */
export type Check = string | null | { readonly oneOf: readonly string[] } | { readonly matches: string };

export type Checks = Readonly<Record<string, Check>>;

/** What came of looking at one value. */
export interface Verdict {
  /** `OBR-24`, or a sentence's subject such as `status`. */
  readonly place: string;
  readonly expected: string;
  readonly received: string;
  readonly holds: boolean;
  /** The name under which the value was kept for later steps. */
  readonly captured?: string;
}

/** Puts values in the place of `${name}`; in a regular expression a value stands for itself. Throws UnknownName. */
export function expandChecks(checks: Checks, valueOf: (name: string) => string | undefined): Checks {
  const literal = (name: string): string | undefined => valueOf(name)?.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  const one = (check: Check): Check =>
    typeof check === 'object' && check !== null && 'matches' in check
      ? { matches: expand(check.matches, literal) }
      : expandDeep(check, valueOf);
  return Object.fromEntries(Object.entries(checks).map(([place, check]) => [place, one(check)]));
}

/** Shows a value to a person: nothing at all is `(empty)`, the HL7 delete instruction is `""`. */
export function shown(value: string | null | undefined): string {
  if (value === null) return '""';
  return value === undefined || value === '' ? '(empty)' : value;
}

/**
 * Compares one value with one check. `received` is a text, undefined when empty or absent, or null for the HL7 delete
 * instruction `""` (HL7 v2.5.1 2.10.4): that is a value, so it is not "empty".
 */
export function verdict(place: string, check: Check, received: string | null | undefined): Verdict {
  return { place, expected: expectation(check), received: shown(received), holds: holds(check, received) };
}

/** The verdict on every check, in the order of the scenario. */
export function verdicts(checks: Checks, valueAt: (place: string) => string | null | undefined): Verdict[] {
  return Object.entries(checks).map(([place, check]) => verdict(place, check, valueAt(place)));
}

function holds(check: Check, received: string | null | undefined): boolean {
  const text = received === null ? '""' : (received ?? '');
  if (check === null) return text === '';
  if (check === '*') return text !== '';
  if (typeof check === 'string') return text === check;
  if ('oneOf' in check) return check.oneOf.includes(text);
  return new RegExp(check.matches, 'u').test(text);
}

function expectation(check: Check): string {
  if (check === null) return '(empty)';
  if (check === '*') return 'any value';
  if (typeof check === 'string') return shown(check);
  return 'oneOf' in check ? `one of ${check.oneOf.map(shown).join(', ')}` : `a match of ${check.matches}`;
}
