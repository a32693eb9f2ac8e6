import { type NResult, createDicomClient } from '../src/dicom/client.ts';
import type { Dataset, DatasetInput } from '../src/dicom/dataset.ts';
import { sopClass } from '../src/dicom/status.ts';

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

/** RAD-6: creates the performed procedure step (PS3.4 F.7.2.1); without a UID the SCP chooses one. */
export function createMpps(called: CalledDicom, uid: string | undefined, dataset: DatasetInput): Promise<NResult> {
  return createDicomClient(called).nCreate(sopClass.modalityPerformedProcedureStep, uid, dataset);
}

/** RAD-7: changes the performed procedure step (PS3.4 F.7.2.2). */
export function setMpps(called: CalledDicom, uid: string, dataset: DatasetInput): Promise<NResult> {
  return createDicomClient(called).nSet(sopClass.modalityPerformedProcedureStep, uid, dataset);
}
