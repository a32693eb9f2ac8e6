import { SwfError } from '../platform/errors.ts';

/** The characters that MSH-1 and MSH-2 declare (HL7 v2.5.1 2.5.4). */
export interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
  /** The fifth character of MSH-2, from HL7 v2.7 on. */
  readonly truncation?: string;
}

/** The recommended delimiters: the ones we send. */
export const standardDelimiters: Delimiters = {
  field: '|',
  component: '^',
  repetition: '~',
  escape: '\\',
  subcomponent: '&',
};

/** MSH-2 as it is written for these delimiters. */
export function encodingCharacters(delimiters: Delimiters): string {
  const { component, repetition, escape, subcomponent, truncation } = delimiters;
  return component + repetition + escape + subcomponent + (truncation ?? '');
}

/** True for what may separate: a visible ASCII character that is neither letter nor digit. */
function canSeparate(character: string): boolean {
  return /^[!-/:-@[-`{-~]$/.test(character);
}

/** The delimiters that an MSH segment declares; undefined when MSH-2 is not four or five distinct characters. */
function declaredDelimiters(field: string, msh2: string): Delimiters | undefined {
  const all = [field, ...msh2];
  const [, component, repetition, escape, subcomponent, truncation] = all;
  if (!component || !repetition || !escape || !subcomponent || all.length > 6) return undefined;
  if (new Set(all).size !== all.length || !all.every(canSeparate)) return undefined;
  return { field, component, repetition, escape, subcomponent, ...(truncation ? { truncation } : {}) };
}

/** The usual delimiters around a given field separator; one that is taken gives way to `|`. */
function usualDelimiters(field: string): Delimiters {
  const other = (usual: string): string => (usual === field ? '|' : usual);
  return {
    field,
    component: other('^'),
    repetition: other('~'),
    escape: other('\\'),
    subcomponent: other('&'),
  };
}

/**
 * The delimiters of a message, from the text of its first segment.
 * @throws SwfError 'data-type' at MSH-2 unless four or five distinct characters are declared
 */
export function readDelimiters(line: string): Delimiters {
  const field = line.charAt(3);
  const declared = declaredDelimiters(field, line.slice(4).split(field, 1)[0] ?? '');
  if (declared) return declared;
  throw new SwfError(
    'data-type',
    'MSH-1 and MSH-2 do not declare distinct delimiters; send MSH|^~\\& or five distinct characters of your own',
    { location: 'MSH^1^2' },
  );
}

/** As readDelimiters, but never fails while there is a field separator: every readable MSH can be answered. */
export function guessDelimiters(line: string): Delimiters | undefined {
  const field = line.charAt(3);
  if (!canSeparate(field)) return undefined;
  return declaredDelimiters(field, line.slice(4).split(field, 1)[0] ?? '') ?? usualDelimiters(field);
}
