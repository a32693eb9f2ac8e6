export { personNameOf } from '../workflow/person-name.ts';

/** A text for a value representation of limited length (LO 64, SH 16); never used for an identifier. */
export function shortened(text: string | undefined, longest: number): string | null {
  if (text === undefined) return null;
  const clean = text
    .replaceAll('\\', '/')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
  if (clean.length <= longest) return clean || null;
  return [...clean].slice(0, longest).join('');
}

/** A longer text as several values of at most 64 characters (LO, 1-n), broken at blanks where it can be: nothing is lost. */
export function split(text: string | undefined): string[] {
  const words = (shortened(text, Infinity) ?? '').split(' ').flatMap((word) => word.match(/.{1,64}/gu) ?? []);
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    const longer = last === undefined ? word : `${last} ${word}`;
    if (last !== undefined && [...longer].length <= 64) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
