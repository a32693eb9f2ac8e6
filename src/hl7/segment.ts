import { unescapeText } from './escape.ts';
import type { Encoding } from './escape.ts';
import { mshFields } from './header.ts';

/** A value of a message: text, `null` for `""` (delete what is stored), `undefined` for absent or empty. */
export type Value = string | null | undefined;

/** One segment of a message; fields, components, subcomponents and repetitions count from 1. */
export interface Segment {
  readonly name: string;
  /** Its place among the segments of that name, from 1 (ERR-2.2). */
  readonly sequence: number;
  /** The number of the last field that is there. */
  readonly fields: number;
  /** A value; where component or subcomponent is not given, the first (HL7 v2.5.1 2.8). */
  get(field: number, component?: number, subcomponent?: number, repetition?: number): Value;
  /** A field of free text (ST, FT, TX) as it was meant: delimiters that a sender did not escape are part of the text. */
  whole(field: number): Value;
  /** How often a field occurs; 0 when it is empty. */
  repetitions(field: number): number;
  /** How many components a repetition has; 0 when it is empty. */
  components(field: number, repetition?: number): number;
}

/** Piece n of a text, from 1; the whole text when the delimiter does not occur in it. */
function piece(text: string, delimiter: string, position: number): string {
  if (position === 1 && !text.includes(delimiter)) return text;
  return text.split(delimiter)[position - 1] ?? '';
}

/** Makes a segment of one line; its text is taken apart when it is asked for. */
export function segmentOf(line: string, sequence: number, encoding: Encoding): Segment {
  const { delimiters } = encoding;
  const name = line.slice(0, 3);
  const isMsh = name === 'MSH';
  const split = (): string[] => (isMsh ? mshFields(line, delimiters.field) : line.split(delimiters.field));
  let parts: string[] | undefined;
  const part = (field: number): string => (parts ??= split())[field] ?? '';
  // MSH-1 and MSH-2 are the delimiters themselves.
  const isPlain = (field: number): boolean => isMsh && field <= 2;
  // The repetitions asked for last: whoever reads the first reads the others next.
  let repeated: { readonly field: number; readonly texts: readonly string[] } = { field: 0, texts: [] };
  const repetitionsOf = (field: number): readonly string[] => {
    if (repeated.field !== field) repeated = { field, texts: part(field).split(delimiters.repetition) };
    return repeated.texts;
  };
  const repetitionOf = (field: number, repetition: number): string => {
    const text = part(field);
    if (repetition === 1 && !text.includes(delimiters.repetition)) return text;
    return repetitionsOf(field)[repetition - 1] ?? '';
  };

  const get: Segment['get'] = (field, component = 1, subcomponent = 1, repetition = 1) => {
    if (field < 1) return undefined;
    if (isPlain(field)) return component * subcomponent * repetition === 1 ? part(field) : undefined;
    let text = repetitionOf(field, repetition);
    if (text === '""') return null;
    text = piece(text, delimiters.component, component);
    if (text === '""') return null;
    text = piece(text, delimiters.subcomponent, subcomponent);
    return text === '""' ? null : unescapeText(text, encoding) || undefined;
  };
  return {
    name,
    sequence,
    get fields() {
      return (parts ??= split()).length - 1;
    },
    get,
    whole: (field) => {
      const text = part(field);
      return text === '""' ? null : unescapeText(text, encoding) || undefined;
    },
    repetitions: (field) => {
      if (field < 1 || part(field) === '') return 0;
      return isPlain(field) ? 1 : repetitionsOf(field).length;
    },
    components: (field, repetition = 1) => {
      if (field < 1) return 0;
      if (isPlain(field)) return 1;
      const text = repetitionOf(field, repetition);
      return text === '' ? 0 : text.split(delimiters.component).length;
    },
  };
}
