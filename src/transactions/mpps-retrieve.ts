import { type Dataset, toDicomJson } from '../dicom/dataset.ts';
import type { NGetRequest, NResponse } from '../dicom/handlers.ts';
import { attributesAsked } from '../mapping/mpps-to-dicom.ts';
import { datasetFromStored } from '../mapping/stored-dataset.ts';
import { type PerformedStepView, findPerformedStep } from '../store/read-performed-steps.ts';
import { unknownInstance } from '../workflow/mpps-rules.ts';
import type { Department } from './department.ts';
import { statusText } from './inbound-dicom.ts';

/** An MPPS as it stands: its N-CREATE with every N-SET applied. */
interface Found {
  readonly view: PerformedStepView;
  readonly instance: Dataset;
}

async function find(department: Department, sopInstanceUid: string): Promise<Found | undefined> {
  const found = await findPerformedStep(department.store, sopInstanceUid);
  return found && { view: found.view, instance: datasetFromStored(found.dataset) };
}

// PS3.7 10.1.2.1.9: attribute list error, a warning: what is known is in the answer.
const ATTRIBUTE_LIST_WARNING = 0x0107;

async function answerTo(department: Department, asked: NGetRequest): Promise<NResponse> {
  const found = await find(department, asked.sopInstanceUid ?? '');
  if (!found) return unknownInstance;
  const { dataset, notRecognized } = attributesAsked(found.instance, asked.attributeIdentifierList);
  if (notRecognized.length === 0) return { status: 0x0000, dataset };
  return { status: ATTRIBUTE_LIST_WARNING, dataset, attributeIdentifierList: notRecognized };
}

/** MPPS Retrieve (PS3.4 F.8): N-GET. A question, which changes nothing and is not journalled. */
export async function mppsGet(department: Department, asked: NGetRequest, callingAeTitle: string): Promise<NResponse> {
  const at = department.clock.now();
  const answer = await answerTo(department, asked);
  const durationMs = department.clock.now().getTime() - at.getTime();
  department.log.info({ peer: callingAeTitle, outcome: statusText(answer.status), durationMs }, 'mpps retrieval');
  return answer;
}

/** An MPPS for people: where it stands, what it performs, and its data set as DICOM JSON (PS3.18 Annex F). */
export async function performedStepAsJson(
  department: Department,
  sopInstanceUid: string,
): Promise<(PerformedStepView & { readonly dataset: object }) | undefined> {
  const found = await find(department, sopInstanceUid);
  return found && { ...found.view, dataset: toDicomJson(found.instance) };
}
