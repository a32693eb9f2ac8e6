import { type Mismatch, shown } from './checks.ts';
import { type FieldForm, type ListedField, patternOf, readCompareList, readFormatList } from './mesa-lists.ts';
import type { MesaKit } from './mesa-kit.ts';
import { type FieldsOfMessage, componentOf } from './mesa-message.ts';
import type { Problem } from './yaml-file.ts';

/** What the kit says of one kind of message. */
export interface CompareLists {
  /** The names of the lists; none when the kit has none for this kind. */
  readonly names: readonly string[];
  readonly equal: readonly ListedField[];
  readonly forms: readonly FieldForm[];
  readonly problems: readonly Problem[];
}

/** A message beside the kit's. */
export interface Comparison {
  readonly mismatches: readonly Mismatch[];
  /** Places that had to equal the kit's message: `PID-3`. */
  readonly equal: readonly string[];
  /** Places that had to be there, in a form. */
  readonly present: readonly string[];
}

/** The lists for a message of the kit, by its folder and kind; the first that the kit has counts. */
export function compareListsFor(kit: MesaKit, path: string, reference: FieldsOfMessage): CompareLists {
  const { compare, format } = namesFor(path, reference);
  const compareFile = compare.map((name) => kit.listFile(name)).find((file) => file !== undefined);
  const formatFile = kit.listFile(format);
  const equal = compareFile === undefined ? undefined : readCompareList(compareFile);
  const forms = formatFile === undefined ? undefined : readFormatList(formatFile);
  return {
    names: [compareFile, formatFile].flatMap((file) => (file === undefined ? [] : [file.replace(/^.*[/\\]/, '')])),
    equal: equal?.fields ?? [],
    forms: forms?.fields ?? [],
    problems: [...(equal?.problems ?? []), ...(forms?.problems ?? [])],
  };
}

function namesFor(path: string, reference: FieldsOfMessage): { compare: string[]; format: string } {
  const event = reference.component('MSH-9', 2).toLowerCase();
  if (reference.component('MSH-9', 1) === 'ADT') {
    const merges = reference.all('MRG').length > 0;
    const usual = merges ? 'compare_hl7_mrg.ini' : 'compare_hl7_adt.ini';
    return {
      compare: [`adt_${event}_filler_compare.ini`, `adt_${event}_compare.ini`, usual],
      format: `adt_${event}_format.ini`,
    };
  }
  const [folder = ''] = path.split('/');
  const kind = folder === 'order' ? (path.endsWith('.o01x.hl7') ? 'o01x' : 'o01') : folder;
  return { compare: [`orm_${kind}_compare.ini`, `compare_hl7_${kind}.ini`], format: `orm_${kind}_format.ini` };
}

/** Compares what came with the kit's message, field by field, as the lists say. */
export function compareMessages(
  received: FieldsOfMessage,
  reference: FieldsOfMessage,
  { equal, forms }: CompareLists,
): Comparison {
  const equals = equal.flatMap((listed) => placesOf(listed, reference));
  const mismatches = [
    ...segmentsMissing(equal, received, reference),
    ...equals.flatMap((place) => difference(place, received, reference)),
    ...forms.flatMap((form) => misfit(form, received)),
  ];
  return { mismatches, equal: equals.map(nameOf), present: forms.map(nameOf) };
}

type Place = ListedField & { readonly field: number };

/** Every field of the kit's segment where the list names the segment alone. */
function placesOf(listed: ListedField, reference: FieldsOfMessage): Place[] {
  const { segment, field } = listed;
  if (field !== undefined) return [{ ...listed, field }];
  const last = Math.max(0, ...reference.all(segment).map((fields) => fields.length - 1));
  return Array.from({ length: last }, (_, index) => ({ segment, field: index + 1 }));
}

function nameOf({ segment, field, component }: ListedField): string {
  return `${segment}-${field ?? ''}${component === undefined ? '' : `.${component}`}`;
}

function segmentsMissing(
  listed: readonly ListedField[],
  received: FieldsOfMessage,
  reference: FieldsOfMessage,
): Mismatch[] {
  const count = (message: FieldsOfMessage, segment: string): number => message.all(segment).length;
  return [...new Set(listed.map(({ segment }) => segment))]
    .filter((segment) => count(received, segment) !== count(reference, segment))
    .map((segment) => ({
      place: segment,
      expected: `${count(reference, segment)} times`,
      received: `${count(received, segment)} times`,
    }));
}

function valueOf(fields: readonly string[] | undefined, { field, component }: Place): string {
  const value = fields?.[field] ?? '';
  return component === undefined ? value : componentOf(value, component);
}

/** In each segment of the name that both have. */
function difference(place: Place, received: FieldsOfMessage, reference: FieldsOfMessage): Mismatch[] {
  const own = received.all(place.segment);
  return reference.all(place.segment).flatMap((fields, index) => {
    const expected = valueOf(fields, place);
    const value = valueOf(own[index], place);
    if (own[index] === undefined || value === expected) return [];
    const where = index === 0 ? place.segment : `${place.segment}[${index + 1}]`;
    return [{ place: nameOf({ ...place, segment: where }), expected: shown(expected), received: shown(value) }];
  });
}

/** A form is asked of the first component, where it is asked of a whole field; a list of values of the whole. */
function misfit(form: FieldForm, received: FieldsOfMessage): Mismatch[] {
  const place: Place = { ...form, field: form.field ?? 0 };
  const value = valueOf(received.all(form.segment)[0], place);
  const tested = form.component === undefined ? componentOf(value, 1) : value;
  const isFormed = form.format === undefined || patternOf(form.format).test(tested);
  const isListed = form.values === undefined || form.values.includes(value);
  if (value !== '' && isFormed && isListed) return [];
  const anything = form.format === undefined || form.format === '$Z' ? 'any value' : `the form ${form.format}`;
  const expected = form.values === undefined ? anything : `one of ${form.values.join(', ')}`;
  return [{ place: nameOf(form), expected, received: shown(value) }];
}

/** `PID-3 5 18  ORC-1 2`: places, those of a segment together. */
export function shortly(places: readonly string[]): string {
  const bySegment = new Map<string, string[]>();
  for (const place of places) {
    const [segment = '', field = ''] = place.split('-');
    bySegment.set(segment, [...(bySegment.get(segment) ?? []), field]);
  }
  return [...bySegment].map(([segment, fields]) => `${segment}-${fields.join(' ')}`).join('  ');
}
