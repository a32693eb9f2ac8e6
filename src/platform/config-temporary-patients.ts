import { z } from 'zod';
import { numbersOf, rangeOf, sizeOf } from './number-range.ts';

/** The list of numbers for patients whom nobody has registered, as zod schemas. */

export const hd = z.string().min(1).max(180);
export const modality = z.string().regex(/^[A-Z0-9 _]{1,16}$/, 'a modality is a DICOM code in capitals');

const MOST_TEMPORARY_NUMBERS = 10_000;

const numberRange = z
  .string()
  .max(129, 'a number has at most 64 characters (LO)')
  .refine(
    (text) => rangeOf(text) !== undefined,
    'numbers in a row are written T9000-T9099: the same letters, as many digits, the lower one first',
  );

const asRow = (value: unknown): unknown => (typeof value === 'string' ? { range: value } : value);

/** `T9000-T9099`, or a list of such rows, each with or without a modality. */
const numberList = z.preprocess(
  (value) => (typeof value === 'string' ? [value] : value),
  z.array(z.preprocess(asRow, z.strictObject({ range: numberRange, modality: modality.optional() }))),
);

/** Whose numbers they are, which, and how a patient without a name is called (PIR cases 4 and 5). */
export const temporaryPatients = z.strictObject({
  assigningAuthority: hd
    .refine((value) => !/[\\^&~|]/.test(value), 'an assigning authority has none of \\ ^ & ~ |')
    .optional(),
  numbers: numberList.default([]),
  name: z.string().min(1).max(40).default('TEMPORARY'),
});

/** A number that is twice on the list would be given to two patients. */
export function findNumberClashes(
  numbers: z.infer<typeof numberList>,
  clash: (path: (string | number)[], message: string) => void,
): void {
  const path = ['temporaryPatients', 'numbers'];
  const ranges = numbers.flatMap(({ range }) => rangeOf(range) ?? []);
  const size = ranges.reduce((sum, range) => sum + sizeOf(range), 0);
  if (size > MOST_TEMPORARY_NUMBERS) return clash(path, `at most ${MOST_TEMPORARY_NUMBERS} numbers`);
  const entries = new Map<string, number>();
  ranges.forEach((range, index) => {
    const other = numbersOf(range)
      .map((number) => entries.get(number))
      .find((entry) => entry !== undefined);
    if (other !== undefined) clash([...path, index], `some of these numbers are in entry ${other} as well`);
    for (const number of numbersOf(range)) entries.set(number, index);
  });
}
