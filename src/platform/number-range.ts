/** Numbers in a row, all with the same letters before them and as many digits: `T9000-T9099`. */
export interface NumberRange {
  readonly prefix: string;
  readonly first: number;
  readonly last: number;
  readonly digits: number;
}

const RANGE = /^([A-Za-z0-9._/-]*?)(\d{1,9})-\1(\d{1,9})$/;

/** A range as a person writes it; undefined where it is none, or ends before it begins. */
export function rangeOf(text: string): NumberRange | undefined {
  const [, prefix = '', from = '', to = ''] = RANGE.exec(text) ?? [];
  if (from === '' || from.length !== to.length || Number(to) < Number(from)) return undefined;
  return { prefix, first: Number(from), last: Number(to), digits: from.length };
}

/** How many numbers a range has. */
export const sizeOf = ({ first, last }: NumberRange): number => last - first + 1;

/** The numbers of a range, in their order. */
export function numbersOf(range: NumberRange): string[] {
  const { prefix, first, digits } = range;
  return Array.from({ length: sizeOf(range) }, (_, index) => prefix + String(first + index).padStart(digits, '0'));
}

/** Whether a number is one of a range. */
export function isInRange({ prefix, first, last, digits }: NumberRange, number: string): boolean {
  const text = number.slice(prefix.length);
  if (!number.startsWith(prefix) || text.length !== digits || !/^\d+$/.test(text)) return false;
  return Number(text) >= first && Number(text) <= last;
}
