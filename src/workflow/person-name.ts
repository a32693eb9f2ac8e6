import type { NameParts, PersonName } from './vocabulary.ts';

// Printable ASCII but `\`, `^` and `=`: most names, in a list of thousands.
const PLAIN = /^[ -<>-[\]_-~]*$/;

// The characters that separate components, groups and values may not stand inside one.
function nameText(part: string): string {
  if (PLAIN.test(part)) return part.trim();
  return part
    .normalize('NFC')
    .replaceAll(/[\\^=]/g, ' ')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
}

/** PS3.5 6.2: characters of one component group. */
const LONGEST_GROUP = 64;

// Prefix and suffix stand in the other order than in HL7, a degree behind the suffix.
function groupOf(name: NameParts | undefined): string {
  if (!name) return '';
  const suffix = [name.suffix, name.degree].filter((part) => part !== undefined && part !== '').join(' ');
  const parts = [name.family, name.given, name.middle, name.prefix, suffix];
  const text = parts.map((part) => nameText(part ?? '')).join('^');
  const bounded = text.length <= LONGEST_GROUP ? text : [...text].slice(0, LONGEST_GROUP).join('');
  return bounded.replace(/[ ^]+$/, '');
}

/**
 * A name as DICOM writes it (PS3.5 6.2, 6.2.1.2): `alphabetic=ideographic=phonetic`, each group of 64 characters at
 * most, the empty ones at the end left out. Null when there is no name.
 */
export function personNameOf(name: PersonName | undefined): string | null {
  const groups = [name, name?.ideographic, name?.phonetic].map(groupOf);
  const text = groups.join('=').replace(/=+$/, '');
  return text === '' ? null : text;
}

/**
 * The same in lower case: what a worklist query narrows by on the beginning of the alphabetic group, which is the
 * beginning of the whole.
 */
export function nameKeyOf(name: PersonName): string {
  return (personNameOf(name) ?? '').toLowerCase();
}
