import { readBytes } from './mesa-kit.ts';
import type { Problem } from './yaml-file.ts';

/** A field that a list names: `PID` 3; a component of it; or, without a field, the whole segment. */
export interface ListedField {
  readonly segment: string;
  readonly field?: number;
  readonly component?: number;
}

/** What a value must look like. */
export interface FieldForm extends ListedField {
  /** In the kit's own signs: `$Z` any text, `$#` digits. */
  readonly format?: string;
  /** The values of which it must be one. */
  readonly values?: readonly string[];
}

interface List<T> {
  readonly fields: readonly T[];
  readonly problems: readonly Problem[];
}

/** Reads a compare list: the fields in which a message must equal the kit's. */
export function readCompareList(file: string): List<ListedField> {
  const bare: ListedField[] = [];
  const list = readList<ListedField>(file, {
    segment: (segment) => void bare.push({ segment }),
    field: (text, segment) => {
      const place = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?\s*(?:[;#/].*)?$/.exec(text);
      return place ? placeOf(segment, place) : undefined;
    },
    usage: 'a compare list has [SEGMENT] and numbers of fields',
  });
  const named = new Set(list.fields.map(({ segment }) => segment));
  return { ...list, fields: [...list.fields, ...bare.filter(({ segment }) => !named.has(segment))] };
}

/** Reads a format list: the fields that must be there, and in what form. */
export function readFormatList(file: string): List<FieldForm> {
  return readList<FieldForm>(file, {
    segment: () => {},
    field: (text, segment) => {
      const place = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?\s*,\s*(.*?);/.exec(text);
      const format = /(?:^|,)\s*Format\s*=\s*([^,]*?)\s*(?:,|$)/.exec(place?.[4] ?? '')?.[1];
      const values = /(?:^|,)\s*PV\s*=\s*(.*?)\s*$/.exec(place?.[4] ?? '')?.[1];
      if (!place || (format === undefined && values === undefined)) return undefined;
      return {
        ...placeOf(segment, place),
        ...(format === undefined ? {} : { format }),
        ...(values === undefined ? {} : { values: values.split(':') }),
      };
    },
    usage: 'a format list has [SEGMENT] and lines such as 3, Format = $Z; or 5, PV = SC:CA;',
  });
}

interface Reading<T> {
  readonly segment: (name: string) => void;
  readonly field: (text: string, segment: string) => T | undefined;
  readonly usage: string;
}

function readList<T>(file: string, { segment: found, field: read, usage }: Reading<T>): List<T> {
  const { text, problems: unreadable } = readBytes(file);
  const problems: Problem[] = [...unreadable];
  const fields: T[] = [];
  let segment = '';
  text.split(/\r\n|\r|\n/).forEach((source, index) => {
    const line = source.trim();
    if (line === '' || line.startsWith('#')) return;
    const name = /^\[([A-Z][A-Z0-9]{2})\]/.exec(line)?.[1];
    if (name !== undefined) found((segment = name));
    const field = name === undefined && segment !== '' ? read(line, segment) : undefined;
    if (field !== undefined) fields.push(field);
    else if (name === undefined) problems.push({ file, line: index + 1, text: `${usage}, not ${line}` });
  });
  return { fields, problems };
}

/** A component of 0 is the whole field. */
function placeOf(segment: string, place: RegExpExecArray): ListedField & { field: number } {
  const component = Number(place[2] ?? 0);
  return { segment, field: Number(place[1]), ...(component === 0 ? {} : { component }) };
}

const classes: Readonly<Record<string, string>> = { X: '[A-Za-z0-9]', '#': '[0-9]', Z: '[^]' };

/** The kit's signs as a regular expression: X a letter or digit, # a digit, Z anything, $ repeats what follows. */
export function patternOf(format: string): RegExp {
  const parts = [...format.matchAll(/(\$?)([^])/g)].map(([, repeated, sign = '']) => {
    const known = classes[sign];
    const one = known ?? sign.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
    if (repeated !== '$') return one;
    return known === undefined ? `(?:${one})*` : `${one}+`;
  });
  return new RegExp(`^${parts.join('')}$`, 'u');
}
