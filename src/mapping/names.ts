import type { PersonName } from '../workflow/vocabulary.ts';

/** DICOM wants prefix and suffix in the other order than HL7; a degree goes behind the suffix (PS3.5 6.2.1). */
export function personNameOf(name: PersonName | undefined): string | null {
  if (!name) return null;
  const suffix = [name.suffix, name.degree].filter((part) => part !== undefined && part !== '').join(' ');
  const parts = [name.family, name.given, name.middle, name.prefix, suffix];
  const text = parts.map((part) => nameText(part ?? '')).join('^');
  // PS3.5 6.2: 64 characters a component group.
  const bounded = [...text]
    .slice(0, 64)
    .join('')
    .replace(/[ ^]+$/, '');
  return bounded === '' ? null : bounded;
}

// The characters that separate components, groups and values may not stand inside one.
function nameText(part: string): string {
  return part
    .replaceAll(/[\\^=]/g, ' ')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
}

/** A text for a value representation of limited length (LO 64, SH 16); never used for an identifier. */
export function shortened(text: string | undefined, longest: number): string | null {
  if (text === undefined) return null;
  const clean = text
    .replaceAll('\\', '/')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
  return clean === '' ? null : [...clean].slice(0, longest).join('');
}
