import { type DatasetInput, dataset, toDicomJson } from '../../src/dicom/dataset.ts';
import type { DicomJson } from './dicom-json.ts';
import { output, pythonWith, script } from './programs.ts';

/** The Python that has pydicom. */
export const pydicomPython = pythonWith('pydicom');

/** A data set that pydicom is to write. */
export interface ToWrite {
  readonly content: DatasetInput;
  readonly transferSyntaxUid: string;
  /** Values of (0008,0005). */
  readonly characterSet: readonly string[];
  /** With the head of a DICOM file (PS3.10 7.1). */
  readonly isFile?: boolean;
}

async function convert<T>(jobs: readonly object[]): Promise<T[]> {
  return JSON.parse(await output(pydicomPython ?? '', [script('codec.py')], JSON.stringify(jobs))) as T[];
}

/** The bytes of data sets as pydicom writes them. */
export async function writtenByPydicom(all: readonly ToWrite[]): Promise<Buffer[]> {
  const jobs = all.map(({ content, transferSyntaxUid, characterSet, isFile = false }) => ({
    ...{ write: toDicomJson(dataset(content)), syntax: transferSyntaxUid, characterSet, file: isFile },
  }));
  return (await convert<string>(jobs)).map((text) => Buffer.from(text, 'base64'));
}

/** Bytes as pydicom reads them; a DICOM file where no transfer syntax is named. It fails where pydicom warns. */
export function readByPydicom(
  all: readonly { readonly bytes: Uint8Array; readonly transferSyntaxUid?: string }[],
): Promise<DicomJson[]> {
  const jobs = all.map(({ bytes, transferSyntaxUid }) => ({
    read: Buffer.from(bytes).toString('base64'),
    ...(transferSyntaxUid === undefined ? {} : { syntax: transferSyntaxUid }),
  }));
  return convert<DicomJson>(jobs);
}
