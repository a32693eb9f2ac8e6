import type { Dataset } from '../dicom/dataset.ts';
import { isRefusal } from '../mapping/dicom-checks.ts';
import { checkCreate, mppsFromDicom } from '../mapping/mpps-from-dicom.ts';
import { isUid } from '../platform/ids.ts';
import { duplicateInstance, invalidInstance, setRefusal, unknownInstance } from '../workflow/mpps-rules.ts';
import { lockPerformedStep, ordersOfPerformedStep } from '../store/performed-steps.ts';
import { endedByTimer } from '../store/timers.ts';
import type { Department } from './department.ts';
import {
  type DicomAnswer,
  type DicomRequest,
  type InboundDicom,
  RequestRefused,
  carryOutRequest,
} from './inbound-dicom.ts';
import { startPerformed } from './rad-06-started.ts';
import { type Update, changePerformed, noteLateUpdate } from './rad-07-ended.ts';
import { type Unit, holdFound } from './unit-of-work.ts';

/** Modality Performed Procedure Step SOP Class. */
export const MPPS_SOP_CLASS = '1.2.840.10008.3.1.2.3.3';

/** An MPPS request from the wire. */
export interface MppsRequest {
  readonly sopInstanceUid: string | undefined;
  readonly callingAeTitle: string;
  readonly dataset: Dataset;
  readonly raw: Uint8Array;
  readonly transferSyntaxUid: string;
}

function requestOf(
  mpps: MppsRequest,
  sopInstanceUid: string,
  about: Pick<DicomRequest, 'transaction' | 'messageType'>,
): DicomRequest {
  return {
    ...about,
    sopInstanceUid,
    callingAeTitle: mpps.callingAeTitle,
    raw: mpps.raw,
    transferSyntaxUid: mpps.transferSyntaxUid,
  };
}

/** RAD-6 Modality Procedure Step In Progress (RAD TF-2 4.6): N-CREATE. A request without an instance UID gets one. */
export async function mppsCreate(department: Department, mpps: MppsRequest): Promise<DicomAnswer> {
  const sopInstanceUid = mpps.sopInstanceUid ?? department.ids.uid();
  const request = requestOf(mpps, sopInstanceUid, { transaction: 'RAD-6', messageType: 'N-CREATE' });
  return carryOutRequest(department, request, async (unit, inbound) => {
    if (!isUid(sopInstanceUid)) throw new RequestRefused(invalidInstance);
    // A known instance is a duplicate whatever comes with it; the index decides between two at once.
    if (await ordersOfPerformedStep(unit.tx, sopInstanceUid)) throw new RequestRefused(duplicateInstance);
    const checked = checkCreate(mpps.dataset, department.config.policy.validation);
    if (isRefusal(checked)) throw new RequestRefused(checked);
    inbound.remarks.push(...checked);
    await startPerformed(unit, inbound, { mpps: mppsFromDicom(mpps.dataset), dataset: mpps.dataset });
    return undefined;
  });
}

/** RAD-7 Modality Procedure Step Completed (RAD TF-2 4.7): N-SET, and every N-SET before it. */
export async function mppsSet(department: Department, mpps: MppsRequest): Promise<DicomAnswer> {
  const sopInstanceUid = mpps.sopInstanceUid ?? '';
  const request = requestOf(mpps, sopInstanceUid, { transaction: 'RAD-7', messageType: 'N-SET' });
  return carryOutRequest(department, request, async (unit, inbound) => {
    const held = await holdPerformed(unit, sopInstanceUid);
    const { performedProcedureStepStatus: status, id } = held.stored;
    const refusal = setRefusal(status);
    if (!refusal) return changePerformed(unit, inbound, { ...held, change: mpps.dataset });
    const late = await endedByTimer(unit.tx, id);
    throw new RequestRefused(refusal, late ? lateUpdated : undefined);
  });
}

async function lateUpdated(unit: Unit, refused: Pick<InboundDicom, 'request' | 'cause'>): Promise<void> {
  await noteLateUpdate(unit, await holdPerformed(unit, refused.request.sopInstanceUid), refused);
}

/** An MPPS, locked behind its orders. Throws RequestRefused (0112) for one that is not known. */
async function holdPerformed(unit: Unit, sopInstanceUid: string): Promise<Omit<Update, 'change'>> {
  const orders = await holdFound(unit, async () => {
    const orderIds = await ordersOfPerformedStep(unit.tx, sopInstanceUid);
    if (!orderIds) throw new RequestRefused(unknownInstance);
    return orderIds;
  });
  return { orders, stored: await lockPerformedStep(unit.tx, sopInstanceUid) };
}
