import { resolve } from 'node:path';
import { type Dataset, type DatasetInput, dataset, vrOf } from '../src/dicom/dataset.ts';
import { type DatasetText, type DatasetValue, datasetSchema } from './scenario.ts';
import { type Scope, expandDeep } from './template.ts';
import { readYamlFile } from './yaml-file.ts';

/** VRs whose values are numbers on the wire, not text (PS3.5 6.2). */
const numeric = new Set(['US', 'UL', 'SS', 'SL', 'FL', 'FD']);

/**
 * The dataset of a step: written in the step, or in a file beside the scenario; `${name}` replaced. An empty value is
 * a zero-length element. Throws UnknownName, and SwfError for a keyword that DICOM does not have.
 */
export function renderDataset(source: DatasetText | string, folder: string, scope: Scope): Dataset {
  const text = typeof source === 'string' ? readDatasetFile(resolve(folder, source)) : source;
  return dataset(toInput(expandDeep(text, scope.forOneMessage())));
}

function readDatasetFile(file: string): DatasetText {
  return datasetSchema.parse(readYamlFile(file).value);
}

function toInput(text: DatasetText): DatasetInput {
  return Object.fromEntries(Object.entries(text).map(([keyword, value]) => [keyword, valueOf(keyword, value)]));
}

function valueOf(keyword: string, value: DatasetValue): DatasetInput[string] {
  if (value === null || value === '') return null;
  if (typeof value === 'string') return numeric.has(vrOf(keyword)) ? Number(value) : value;
  if (!Array.isArray(value)) return toInput(value as DatasetText);
  const list: readonly DatasetValue[] = value;
  return list.map((item) => (typeof item === 'string' ? item : toInput((item ?? {}) as DatasetText)));
}
