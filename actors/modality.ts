import { type FindResult, type NResult, createDicomClient } from '../src/dicom/client.ts';
import { type DatasetInput, tagOf } from '../src/dicom/dataset.ts';
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

/**
 * RAD-5: asks for the worklist (PS3.4 K.4.1), and cancels after so many matches. Rejects with SwfError when no answer came.
 */
export function findWorklist(called: CalledDicom, keys: DatasetInput, cancelAfter?: number): Promise<FindResult> {
  return createDicomClient(called).find(keys, { cancelAfter });
}

/** Verification (PS3.4 A): the status of the C-ECHO. */
export function verify(called: CalledDicom): Promise<number> {
  return createDicomClient(called).echo();
}

/** RAD-6: creates the performed procedure step (PS3.4 F.7.2.1); without a UID the SCP chooses one. */
export function createMpps(called: CalledDicom, uid: string | undefined, dataset: DatasetInput): Promise<NResult> {
  return createDicomClient(called).nCreate(sopClass.modalityPerformedProcedureStep, uid, dataset);
}

/** RAD-7: changes the performed procedure step (PS3.4 F.7.2.2). */
export function setMpps(called: CalledDicom, uid: string, dataset: DatasetInput): Promise<NResult> {
  return createDicomClient(called).nSet(sopClass.modalityPerformedProcedureStep, uid, dataset);
}

/** Asks for attributes of a performed procedure step (PS3.4 F.8.2), or for all. */
export function getMpps(called: CalledDicom, uid: string, keywords: 'all' | readonly string[]): Promise<NResult> {
  const tags = keywords === 'all' ? [] : keywords.map(tagOf);
  return createDicomClient(called).nGet(sopClass.modalityPerformedProcedureStepRetrieve, uid, tags);
}
