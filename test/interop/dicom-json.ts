import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A data set in the DICOM JSON model (PS3.18 F.2), by tag: `00100020`. */
export type DicomJson = Readonly<Record<string, { readonly vr: string; readonly Value?: readonly unknown[] }>>;

export const tags = {
  accessionNumber: '00080050',
  modality: '00080060',
  patientName: '00100010',
  patientId: '00100020',
  studyInstanceUid: '0020000D',
  requestedProcedureId: '00401001',
  requestedProcedureCode: '00321064',
  codeValue: '00080100',
  step: '00400100',
  station: '00400001',
  startDate: '00400002',
  startTime: '00400003',
  protocolCode: '00400008',
  stepId: '00400009',
} as const;

/** The values of one element as text; the alphabetic group of a person name. */
export function valuesOf(dataset: DicomJson | undefined, tag: string): string[] {
  return (dataset?.[tag]?.Value ?? []).map((value) => {
    if (typeof value === 'object' && value !== null) return String((value as { Alphabetic?: string }).Alphabetic ?? '');
    return String(value);
  });
}

/** All groups of a person name, as they stand in a data set: `alphabetic=ideographic=phonetic`. */
export function wholeNameOf(dataset: DicomJson | undefined, tag: string = tags.patientName): string {
  const [name = {}] = (dataset?.[tag]?.Value ?? []) as readonly Readonly<Record<string, string>>[];
  const groups = ['Alphabetic', 'Ideographic', 'Phonetic'].map((group) => name[group] ?? '');
  return groups.join('=').replace(/=+$/, '');
}

/** The items of a sequence. */
export const itemsOf = (dataset: DicomJson | undefined, tag: string): readonly DicomJson[] =>
  (dataset?.[tag]?.Value ?? []) as readonly DicomJson[];

/** One step of a worklist answer, flat. */
export function stepOf(row: DicomJson) {
  const [step] = itemsOf(row, tags.step);
  const one = (dataset: DicomJson | undefined, tag: string): string => valuesOf(dataset, tag).join('\\');
  return {
    patientName: one(row, tags.patientName),
    patientId: one(row, tags.patientId),
    accessionNumber: one(row, tags.accessionNumber),
    requestedProcedureId: one(row, tags.requestedProcedureId),
    studyInstanceUid: one(row, tags.studyInstanceUid),
    modality: one(step, tags.modality),
    stations: one(step, tags.station),
    startDate: one(step, tags.startDate),
    startTime: one(step, tags.startTime),
    stepId: one(step, tags.stepId),
    protocol: one(itemsOf(step, tags.protocolCode)[0], tags.codeValue),
  };
}

/** The files that a program wrote, in order, each turned into DICOM JSON by another program. */
export async function readDatasets(folder: string, toJson: (file: string) => Promise<string>): Promise<DicomJson[]> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.dcm'));
  const texts = await Promise.all(files.sort().map((file) => toJson(join(folder, file))));
  return texts.map((text) => JSON.parse(text) as DicomJson);
}
