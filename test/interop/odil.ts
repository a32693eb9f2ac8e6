import { type DatasetInput, dataset, toDicomJson } from '../../src/dicom/dataset.ts';
import { sopClass } from '../../src/dicom/status.ts';
import type { DicomJson } from './dicom-json.ts';
import { type Call, output, pythonWith, script } from './programs.ts';

/** The Python that has odil. */
export const odilPython = pythonWith('odil');

/** A request that odil is to send. */
export interface OdilRequest {
  readonly request: 'N-CREATE' | 'N-SET' | 'N-GET' | 'C-ECHO' | 'C-FIND';
  readonly class: string;
  readonly instance?: string;
  readonly content?: DatasetInput;
}

export interface OdilAnswer {
  readonly status: number;
  readonly datasets: DicomJson[];
}

export const odilEcho: OdilRequest = { request: 'C-ECHO', class: sopClass.verification };

export const odilFind = (content: DatasetInput): OdilRequest => ({
  request: 'C-FIND',
  class: sopClass.modalityWorklistFind,
  content,
});

export const odilCreate = (instance: string, content: DatasetInput): OdilRequest => ({
  request: 'N-CREATE',
  class: sopClass.modalityPerformedProcedureStep,
  instance,
  content,
});

export const odilSet = (instance: string, content: DatasetInput): OdilRequest => ({
  ...odilCreate(instance, content),
  request: 'N-SET',
});

export const odilGet = (instance: string): OdilRequest => ({
  request: 'N-GET',
  class: sopClass.modalityPerformedProcedureStepRetrieve,
  instance,
});

export const odilNotify = (instance: string, content: DatasetInput): OdilRequest => ({
  ...odilCreate(instance, content),
  class: sopClass.instanceAvailabilityNotification,
});

/** Has odil send requests, each on an association of its own, and gives what it was answered. */
export async function askByOdil(
  { port, called, calling }: Call,
  requests: readonly OdilRequest[],
): Promise<OdilAnswer[]> {
  const input = requests.map(({ content, ...request }) => ({
    ...request,
    ...(content === undefined ? {} : { dataset: toDicomJson(dataset(content)) }),
  }));
  const arguments_ = [script('dimse.py'), '127.0.0.1', String(port), called, calling];
  const answers = await output(odilPython ?? '', arguments_, JSON.stringify(input));
  // odil writes tags with small letters, PS3.18 F.2.2 with capitals.
  return JSON.parse(answers.replace(/"[0-9a-f]{8}":/g, (tag) => tag.toUpperCase())) as OdilAnswer[];
}
