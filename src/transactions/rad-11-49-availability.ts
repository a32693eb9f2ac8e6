import type { Dataset } from '../dicom/dataset.ts';
import { type ReportedAvailability, availabilityFromDicom } from '../mapping/availability-from-dicom.ts';
import { isUid } from '../platform/ids.ts';
import { invalidInstance } from '../workflow/mpps-rules.ts';
import type { Confirmation } from '../workflow/vocabulary.ts';
import { countInstances, ordersOfInstances, saveAvailability } from '../store/performed-steps.ts';
import type { Department } from './department.ts';
import { type DicomAnswer, type InboundDicom, RequestRefused, carryOutRequest } from './inbound-dicom.ts';
import { type Unit, finish, holdOrders, send } from './unit-of-work.ts';

/** Instance Availability Notification SOP Class. */
export const IAN_SOP_CLASS = '1.2.840.10008.5.1.4.33';

/** A notification from the wire. */
export interface AvailabilityRequest {
  readonly sopInstanceUid: string | undefined;
  readonly callingAeTitle: string;
  readonly dataset: Dataset;
  readonly raw: Uint8Array;
  readonly transferSyntaxUid: string;
}

/**
 * RAD-49 Instance Availability Notification (RAD TF-2 4.49): N-CREATE. Partial, repeated and early notifications are
 * all taken: what an Image Manager last said of an instance counts, whether or not an MPPS has named it yet.
 */
export async function availabilityNotified(
  department: Department,
  notification: AvailabilityRequest,
): Promise<DicomAnswer> {
  const { dataset, callingAeTitle, raw, transferSyntaxUid } = notification;
  const sopInstanceUid = notification.sopInstanceUid ?? department.ids.uid();
  const request = {
    transaction: 'RAD-49',
    messageType: 'N-CREATE' as const,
    sopInstanceUid,
    callingAeTitle,
    raw,
    transferSyntaxUid,
  };
  return carryOutRequest(department, request, async (unit, inbound) => {
    if (!isUid(sopInstanceUid)) throw new RequestRefused(invalidInstance);
    const reported = availabilityFromDicom(dataset, department.config.policy.validation);
    if ('status' in reported) throw new RequestRefused(reported);
    inbound.remarks.push(...reported.remarks);
    await note(unit, inbound, reported);
    return undefined;
  });
}

async function note(
  unit: Unit,
  inbound: InboundDicom,
  { studyInstanceUid, instances }: ReportedAvailability,
): Promise<void> {
  const { cause, messageId } = inbound;
  const uids = instances.map((instance) => instance.sopInstanceUid);
  const orders = await holdOrders(unit, await ordersOfInstances(unit.tx, studyInstanceUid, uids));
  await saveAvailability(unit.tx, instances, { messageId, at: cause.at });
  const procedures = orders.flatMap((held) => held.procedures);
  const counts = await countInstances(
    unit.tx,
    procedures.map(({ stored }) => stored.id),
  );
  const confirmation: Confirmation = { ...inbound.confirmation, kind: 'notification' };
  for (const procedure of procedures) {
    const before = procedure.machine.context.instances;
    const now = counts.get(procedure.stored.id) ?? { named: 0, available: 0 };
    const reportedNow = now.named !== before.named || now.available !== before.available;
    if (reportedNow) send(procedure, { type: 'availabilityReported', instances: now, confirmation }, cause);
  }
  await finish(unit, orders, cause.at);
}
