import { createDicomClient } from '../src/dicom/client.ts';
import type { Dataset, DatasetInput } from '../src/dicom/dataset.ts';

/** Modality Performed Procedure Step SOP class (PS3.4 F.7). */
const modalityPerformedProcedureStep = '1.2.840.10008.3.1.2.3.3';

/** Whom an actor calls by DICOM, and how it names itself. */
export interface CalledDicom {
  readonly host: string;
  readonly port: number;
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
  readonly timeoutMs: number;
}

/** The AE title a modality calls with: MOD is MODALITY1, MOD2 is MODALITY2. */
export function modalityAeTitle(actor: string): string {
  const number = /\d+$/.exec(actor)?.[0] ?? '1';
  return `MODALITY${number}`.slice(0, 16);
}

/** RAD-5: asks for the worklist (PS3.4 K.4.1). Rejects with SwfError when no answer came. */
export function findWorklist(
  called: CalledDicom,
  keys: DatasetInput,
): Promise<{ status: number; datasets: readonly Dataset[] }> {
  return createDicomClient(called).find(keys);
}

/** RAD-6: creates the performed procedure step (PS3.4 F.7.2.1); returns the DIMSE status. */
export async function createMpps(called: CalledDicom, uid: string, dataset: DatasetInput): Promise<number> {
  const result = await createDicomClient(called).nCreate(modalityPerformedProcedureStep, uid, dataset);
  return result.status;
}

/** RAD-7: changes the performed procedure step (PS3.4 F.7.2.2); returns the DIMSE status. */
export async function setMpps(called: CalledDicom, uid: string, dataset: DatasetInput): Promise<number> {
  const result = await createDicomClient(called).nSet(modalityPerformedProcedureStep, uid, dataset);
  return result.status;
}
