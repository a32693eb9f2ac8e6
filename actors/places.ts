import { type Dataset, type Value, tagOf } from '../src/dicom/dataset.ts';
import type { Delimiters } from '../src/hl7/delimiters.ts';

interface DicomStep {
  readonly keyword: string;
  /** Counts items from 0; undefined on the last keyword. */
  readonly item: number | undefined;
}

function stepsOf(place: string): DicomStep[] | undefined {
  const steps: DicomStep[] = [];
  for (const part of place.split('.')) {
    const match = /^([A-Za-z0-9]+)(?:\[(\d+)\])?$/.exec(part);
    if (!match?.[1]) return undefined;
    steps.push({ keyword: match[1], item: match[2] === undefined ? undefined : Number(match[2]) });
  }
  const withoutItem = steps.findIndex((step) => step.item === undefined);
  return withoutItem === steps.length - 1 ? steps : undefined;
}

/** Whether the dictionary of PS3.6 knows a keyword (or it is a tag of eight hexadecimal digits). */
export function isKeyword(keyword: string): boolean {
  try {
    return /^[0-9A-Fa-f]{8}$/.test(keyword) || tagOf(keyword).length === 8;
  } catch {
    return false;
  }
}

/** What is wrong with a DICOM place such as `ScheduledProcedureStepSequence[0].Modality`; undefined when it is well formed. */
export function dicomPlaceProblem(place: string): string | undefined {
  const steps = stepsOf(place);
  if (!steps) return `${place} is not a place: write Keyword or Sequence[0].Keyword`;
  const unknown = steps.find((step) => !isKeyword(step.keyword));
  return unknown && `${unknown.keyword} is not a DICOM keyword`;
}

function isDataset(value: Value | undefined): value is Dataset {
  return typeof value === 'object' && !(value instanceof Uint8Array);
}

/** The value at a place as one text, several values joined by `\`; undefined when it is empty or absent. */
export function dicomValueAt(dataset: Dataset, place: string): string | undefined {
  let current: Dataset | undefined = dataset;
  for (const { keyword, item } of stepsOf(place) ?? []) {
    const values: readonly Value[] = current?.[keyword] ?? [];
    if (item === undefined) return textOf(values);
    const next: Value | undefined = values[item];
    current = isDataset(next) ? next : undefined;
  }
  return undefined;
}

function textOf(values: readonly Value[]): string | undefined {
  const texts = values.map((value) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
    return typeof value === 'object' ? '(item)' : String(value).trim();
  });
  return texts.some((text) => text !== '') ? texts.join('\\') : undefined;
}

/** Every value in a dataset and its sequences, as texts: among them an identifier may be. */
export function dicomValues(dataset: Dataset, found = new Set<string>()): Set<string> {
  for (const values of Object.values(dataset)) {
    for (const value of values) {
      if (isDataset(value)) dicomValues(value, found);
      else if (typeof value === 'string') found.add(value.trim());
    }
  }
  return found;
}

/** Every field, and every part of one, of an HL7 message as it stands: among them an identifier may be. */
export function hl7Values(text: string, delimiters: Delimiters): Set<string> {
  const found = new Set<string>();
  const { field: separator, repetition, component, subcomponent } = delimiters;
  for (const field of text.split(/[\r\n]+/).flatMap((line) => line.split(separator))) {
    let parts = [field];
    for (const by of [repetition, component, subcomponent]) {
      parts.forEach((part) => found.add(part));
      parts = parts.flatMap((part) => part.split(by));
    }
    parts.forEach((part) => found.add(part));
  }
  found.delete('');
  return found;
}

/** What is wrong with a place in JSON such as `steps[0].stepStatus`; undefined when it is well formed. */
export function jsonPlaceProblem(place: string): string | undefined {
  const isPlace = /^\w+(\[\d+\])*(\.\w+(\[\d+\])*)*$/.test(place);
  return isPlace ? undefined : `${place} is not a place: write it like state or steps[0].stepStatus`;
}

/** The value at a place in JSON as a text; undefined when it is null or absent. */
export function jsonValueAt(json: unknown, place: string): string | undefined {
  let current: unknown = json;
  for (const key of place.match(/\w+/g) ?? []) {
    const isInside = typeof current === 'object' && current !== null && Object.hasOwn(current, key);
    current = isInside ? (current as Record<string, unknown>)[key] : undefined;
  }
  if (current === undefined || current === null) return undefined;
  return typeof current === 'string' ? current : JSON.stringify(current);
}
