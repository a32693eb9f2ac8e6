import { shown } from './checks.ts';
import { type Mismatch } from './mesa-case.ts';
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
  /** Components that are left out of what must be equal. */
  readonly without: readonly Place[];
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
    without: format === ordersOfFiller ? scheduledTime : [],
    problems: [...(equal?.problems ?? []), ...(forms?.problems ?? [])],
  };
}

/** The list for an order of the department. */
const ordersOfFiller = 'orm_o01_format.ini';

// The kit's message has a time of long ago; its later grader of these messages compares the rest of the field.
const scheduledTime: readonly Place[] = [
  { segment: 'ORC', field: 7, component: 4 },
  { segment: 'OBR', field: 27, component: 4 },
];

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
  { equal, forms, without }: Pick<CompareLists, 'equal' | 'forms' | 'without'>,
): Comparison {
  const equals = equal.flatMap((listed) => placesOf(listed, reference));
  const mismatches = [
    ...segmentsMissing(equal, received, reference),
    ...equals.flatMap((place) => difference({ place, without }, received, reference)),
    ...forms.flatMap((form) => misfit(form, received)),
  ];
  return { mismatches, equal: equals.map(placeName), present: forms.map(placeName) };
}

type Place = ListedField & { readonly field: number };

/** Every field of the kit's segment where the list names the segment alone. */
function placesOf(listed: ListedField, reference: FieldsOfMessage): Place[] {
  const { segment, field } = listed;
  if (field !== undefined) return [{ ...listed, field }];
  const last = Math.max(0, ...reference.all(segment).map((fields) => fields.length - 1));
  return Array.from({ length: last }, (_, index) => ({ segment, field: index + 1 }));
}

/** `ORC-7.4` */
export function placeName({ segment, field, component }: ListedField): string {
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

/** A field of one repetition without some of its components. */
function emptied(value: string, without: readonly Place[]): string {
  if (without.length === 0) return value;
  const parts = value.split('^').map((part, index) => (without.some((one) => one.component === index + 1) ? '' : part));
  return parts.join('^');
}

/** In each segment of the name that both have. */
function difference(
  { place, without }: { place: Place; without: readonly Place[] },
  received: FieldsOfMessage,
  reference: FieldsOfMessage,
): Mismatch[] {
  const own = received.all(place.segment);
  const left = without.filter(({ segment, field }) => segment === place.segment && field === place.field);
  return reference.all(place.segment).flatMap((fields, index) => {
    const expected = emptied(valueOf(fields, place), left);
    const value = emptied(valueOf(own[index], place), left);
    if (own[index] === undefined || value === expected) return [];
    const where = index === 0 ? place.segment : `${place.segment}[${index + 1}]`;
    return [{ place: placeName({ ...place, segment: where }), expected: shown(expected), received: shown(value) }];
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
  return [{ place: placeName(form), expected, received: shown(value) }];
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
