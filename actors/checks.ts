import { expand, expandDeep } from './template.ts';

/** What a scenario may ask of one value. Text: equal; `'*'`: any non-empty value; null: empty or absent. */
export type Check = string | null | { readonly oneOf: readonly string[] } | { readonly matches: string };

export type Checks = Readonly<Record<string, Check>>;

/** One value that was not as expected. */
export interface Mismatch {
  /** `OBR-24`, or a sentence's subject such as `status`. */
  readonly place: string;
  readonly expected: string;
  readonly received: string;
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
 * Compares one value with one check; undefined when it holds. `received` is a text, undefined when empty or absent, or
 * null for the HL7 delete instruction `""` (HL7 v2.5.1 2.10.4): that is a value, so it is not "empty".
 */
export function mismatch(place: string, check: Check, received: string | null | undefined): Mismatch | undefined {
  if (holds(check, received)) return undefined;
  return { place, expected: expectation(check), received: shown(received) };
}

/** Every check that does not hold, in the order of the scenario. */
export function mismatches(checks: Checks, valueAt: (place: string) => string | null | undefined): Mismatch[] {
  return Object.entries(checks).flatMap(([place, check]) => mismatch(place, check, valueAt(place)) ?? []);
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
