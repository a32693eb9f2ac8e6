import type { PersonName } from './vocabulary.ts';

// The characters that separate components, groups and values may not stand inside one.
function nameText(part: string): string {
  return part
    .normalize('NFC')
    .replaceAll(/[\\^=]/g, ' ')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
}

/**
 * A name as DICOM writes it (PS3.5 6.2): prefix and suffix stand in the other order than in HL7, a degree behind the
 * suffix, 64 characters at most. Null when there is no name.
 */
export function personNameOf(name: PersonName | undefined): string | null {
  if (!name) return null;
  const suffix = [name.suffix, name.degree].filter((part) => part !== undefined && part !== '').join(' ');
  const parts = [name.family, name.given, name.middle, name.prefix, suffix];
  const text = parts.map((part) => nameText(part ?? '')).join('^');
  const bounded = [...text]
    .slice(0, 64)
    .join('')
    .replace(/[ ^]+$/, '');
  return bounded === '' ? null : bounded;
}

/** The same in lower case: what a worklist query on a name narrows by. */
export function nameKeyOf(name: PersonName): string {
  return (personNameOf(name) ?? '').toLowerCase();
}
