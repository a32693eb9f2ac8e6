/** The acquisition states of a requested procedure that an order's status follows from. */
export type AcquisitionState =
  'planned' | 'scheduled' | 'held' | 'inProgress' | 'completed' | 'discontinued' | 'cancelled';

/** ORC-5 values that an order of ours can have (HL7 table 0038). */
export type OrderStatus = 'SC' | 'IP' | 'CM' | 'DC' | 'CA' | 'HD';

const ended: ReadonlySet<AcquisitionState> = new Set(['completed', 'discontinued', 'cancelled']);

/** The order's status by the states of all its requested procedures (roll-up of the department's workflow). */
export function orderStatusOf(states: readonly AcquisitionState[]): OrderStatus {
  const some = (state: AcquisitionState): boolean => states.includes(state);
  if (states.length > 0 && states.every((state) => ended.has(state))) {
    if (some('completed')) return 'CM';
    return some('discontinued') ? 'DC' : 'CA';
  }
  if (some('inProgress') || some('completed')) return 'IP';
  return some('held') ? 'HD' : 'SC';
}

/** When an order is reported complete to its placer: the site's policy. */
export type ReportOrderComplete = 'on-mpps-completed' | 'on-report-verified' | 'never';

// RAD-3 knows IP, CM and DC, and only goes forward (RAD TF-2 4.3).
const rank: Readonly<Record<string, number>> = { IP: 1, CM: 2, DC: 2 };

/** The status that RAD-3 has to report now, or undefined when there is nothing new to say. */
export function statusToReport(
  reported: string | null,
  orderStatus: OrderStatus,
  policy: ReportOrderComplete,
): 'IP' | 'CM' | 'DC' | undefined {
  if (orderStatus !== 'IP' && orderStatus !== 'CM' && orderStatus !== 'DC') return undefined;
  if (orderStatus === 'CM' && policy !== 'on-mpps-completed') return undefined;
  const before = reported === null ? 0 : (rank[reported] ?? 0);
  return (rank[orderStatus] ?? 0) > before ? orderStatus : undefined;
}
