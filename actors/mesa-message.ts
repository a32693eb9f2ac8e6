import { type Delimiters, standardDelimiters } from '../src/hl7/delimiters.ts';
import { readHeader, readText } from '../src/hl7/message.ts';
import type { Hl7Identity } from './hl7-file.ts';

/** A message as fields of text, to be compared with another: field n of a segment stands at index n. */
export interface FieldsOfMessage {
  readonly segments: readonly { readonly name: string; readonly fields: readonly string[] }[];
  readonly all: (segment: string) => readonly (readonly string[])[];
  /** `PID-5`, of the first such segment, with the usual delimiters; '' when empty or absent. */
  readonly field: (place: string) => string;
  /** Component n of the first repetition of a field; '' when empty or absent. */
  readonly component: (place: string, component: number) => string;
}

/** Takes a message apart, also one that is wrong. Undefined when it does not begin with MSH. */
export function fieldsOf(bytes: Uint8Array): FieldsOfMessage | undefined {
  const delimiters = readHeader(bytes)?.delimiters;
  const text = readText(bytes);
  if (!delimiters || text === undefined) return undefined;
  const segments = text
    .split(/[\r\n]+/)
    .filter((line) => line !== '')
    .map((line) => ({ name: line.slice(0, 3), fields: fieldsOfLine(line, delimiters) }));
  const all = (segment: string): (readonly string[])[] =>
    segments.flatMap(({ name, fields }) => (name === segment ? [fields] : []));
  const field = (place: string): string => {
    const [segment = '', position = ''] = place.split('-');
    return all(segment)[0]?.[Number(position)] ?? '';
  };
  const component = (place: string, position: number): string => componentOf(field(place), position);
  return { segments, all, field, component };
}

/** Component n of the first repetition of a field. */
export function componentOf(field: string, position: number): string {
  return field.split('~')[0]?.split('^')[position - 1] ?? '';
}

function fieldsOfLine(line: string, delimiters: Delimiters): string[] {
  const [name = '', ...rest] = line.split(delimiters.field);
  if (name === 'MSH') {
    const [encodingCharacters = '', ...fields] = rest;
    return [name, delimiters.field, encodingCharacters, ...fields.map((field) => plain(field, delimiters))];
  }
  return [name, ...rest.map((field) => plain(field, delimiters))];
}

/** With the usual delimiters, and without empty parts at the end: they say nothing (HL7 v2.5.1 2.5). */
function plain(field: string, { repetition, component, subcomponent }: Delimiters): string {
  const split = (text: string, [by, ...inner]: readonly (readonly [string, string])[]): string => {
    if (!by) return text;
    const parts = text.split(by[0]).map((part) => split(part, inner));
    while (parts.length > 1 && parts.at(-1) === '') parts.pop();
    return parts.join(by[1]);
  };
  const usual = standardDelimiters;
  return split(field, [
    [repetition, usual.repetition],
    [component, usual.component],
    [subcomponent, usual.subcomponent],
  ]);
}

/** What is put in the place of what the kit's file has. */
export interface Changes {
  readonly sender: Hl7Identity;
  readonly receiver: Hl7Identity;
  /** Further fields of the first segment of a name: `MSA-2`. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** The bytes of a message of the kit with the names of a site in MSH-3 to MSH-6; everything else as it is. */
export function addressed(file: Uint8Array, { sender, receiver, fields = {} }: Changes): Uint8Array {
  const values: Record<string, string> = {
    'MSH-3': sender.application,
    'MSH-4': sender.facility,
    'MSH-5': receiver.application,
    'MSH-6': receiver.facility,
    ...fields,
  };
  const done = new Set<string>();
  const lines = Buffer.from(file)
    .toString('latin1')
    .split(/[\r\n]+/)
    .filter((line) => line !== '')
    .map((line) => {
      const name = line.slice(0, 3);
      if (done.has(name)) return line;
      done.add(name);
      const own = Object.entries(values).filter(([place]) => place.startsWith(`${name}-`));
      return own.reduce((text, [place, value]) => withField(text, Number(place.split('-')[1]), value), line);
    });
  return Buffer.from(lines.map((line) => `${line}\r`).join(''), 'latin1');
}

/** MSH-n is the n-1st piece of the line, because MSH-1 is the separator itself. */
function withField(line: string, position: number, value: string): string {
  const separator = line.charAt(3);
  const pieces = line.split(separator);
  const index = line.startsWith('MSH') ? position - 1 : position;
  while (pieces.length <= index) pieces.push('');
  pieces[index] = value;
  return pieces.join(separator);
}
