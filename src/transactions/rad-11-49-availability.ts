import type { Dataset } from '../dicom/dataset.ts';
import { type ReportedAvailability, availabilityFromDicom } from '../mapping/availability-from-dicom.ts';
import { isUid } from '../platform/ids.ts';
import { invalidInstance } from '../workflow/mpps-rules.ts';
import type { Confirmation } from '../workflow/vocabulary.ts';
import { countInstances, ordersOfInstances, saveAvailability } from '../store/performed-steps.ts';
import type { Department } from './department.ts';
import { type DicomAnswer, RequestRefused, carryOutRequest } from './inbound-dicom.ts';
import { type Cause, type Unit, checkHeld, finish, holdOrders, send } from './unit-of-work.ts';

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
    const confirmation: Confirmation = { ...inbound.confirmation, kind: 'notification' };
    const { cause, messageId } = inbound;
    await recordAvailability(unit, [{ ...reported, messageId }], { cause, confirmation });
    return undefined;
  });
}

/** What an Image Manager said of instances of one study, and the entry of the journal that has it. */
export interface AvailabilityReport extends Omit<ReportedAvailability, 'remarks'> {
  readonly messageId: number;
}

/** Keeps what was said of instances, and tells the procedures that they are of. */
export async function recordAvailability(
  unit: Unit,
  reports: readonly AvailabilityReport[],
  { cause, confirmation }: { readonly cause: Cause; readonly confirmation: Confirmation },
): Promise<void> {
  const orders = await holdOrders(unit, await ordersOfReports(unit, reports));
  for (const { instances, messageId } of reports)
    await saveAvailability(unit.tx, instances, { messageId, at: cause.at });
  // An MPPS that named the instances, or was bound to another order, meanwhile has not seen what is saved only now.
  checkHeld(orders, await ordersOfReports(unit, reports));
  const procedures = orders.flatMap((held) => held.procedures);
  const counts = await countInstances(
    unit.tx,
    procedures.map(({ stored }) => stored.id),
  );
  for (const procedure of procedures) {
    const before = procedure.machine.context.instances;
    const now = counts.get(procedure.stored.id) ?? { named: 0, available: 0 };
    const reportedNow = now.named !== before.named || now.available !== before.available;
    if (reportedNow) send(procedure, { type: 'availabilityReported', instances: now, confirmation }, cause);
  }
  await finish(unit, orders, cause.at);
}

async function ordersOfReports(unit: Unit, reports: readonly AvailabilityReport[]): Promise<number[]> {
  const orderIds = new Set<number>();
  for (const { studyInstanceUid, instances } of reports) {
    const uids = instances.map((instance) => instance.sopInstanceUid);
    for (const id of await ordersOfInstances(unit.tx, studyInstanceUid, uids)) orderIds.add(id);
  }
  return [...orderIds].sort((a, b) => a - b);
}
