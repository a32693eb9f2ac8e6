import type { optionalOrderStatuses } from '../platform/config-schema.ts';
import type { ReportState } from './procedure-events.ts';

/** The acquisition states of a requested procedure that an order's status follows from. */
export type AcquisitionState =
  'planned' | 'scheduled' | 'held' | 'inProgress' | 'completed' | 'discontinued' | 'cancelled';

/** ORC-5 values that an order of ours can have (HL7 table 0038). */
export type OrderStatus = 'SC' | 'IP' | 'CM' | 'DC' | 'CA' | 'HD';

/** ORC-5 values that RAD-3 can report; IHE has IP, CM and DC, the others go to a placer that asks for them. */
export type ReportableStatus = 'SC' | 'HD' | 'IP' | 'A' | 'CM' | 'DC';

export type OptionalOrderStatus = (typeof optionalOrderStatuses)[number];

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

/** One procedure of an order, as the order's status is made of it. */
export interface ProcedureStanding {
  readonly state: AcquisitionState;
  readonly report: ReportState;
}

/** What the site and the placer want to hear of. */
export interface StatusPolicy {
  readonly policy: ReportOrderComplete;
  readonly wanted: readonly OptionalOrderStatus[];
}

const verified: ReadonlySet<ReportState> = new Set(['final', 'corrected']);

/** Every procedure that was not cancelled or discontinued has a final report. */
function everyReportVerified(procedures: readonly ProcedureStanding[]): boolean {
  const live = procedures.filter(({ state }) => state !== 'cancelled' && state !== 'discontinued');
  return live.length > 0 && live.every(({ report }) => verified.has(report));
}

/** The status as RAD-3 would put it now; undefined: nothing that the placer is to hear. */
function statusNow(
  reported: string | null,
  procedures: readonly ProcedureStanding[],
  { policy, wanted }: StatusPolicy,
): ReportableStatus | undefined {
  const orderStatus = orderStatusOf(procedures.map(({ state }) => state));
  if (orderStatus === 'DC') return 'DC';
  // A final report says that the examination took place, whether or not its modality sends MPPS.
  const complete = everyReportVerified(procedures) || (orderStatus === 'CM' && policy === 'on-mpps-completed');
  if (complete && policy !== 'never') return 'CM';
  const part = wanted.includes('A') && procedures.some(({ state }) => state === 'completed');
  if (orderStatus === 'IP') return part ? 'A' : 'IP';
  if (orderStatus === 'HD') return wanted.includes('HD') ? 'HD' : undefined;
  const planned = procedures.every(({ state }) => state !== 'scheduled');
  // Whoever was told of a hold is told of its end.
  const told = wanted.includes('SC') || reported === 'HD';
  return orderStatus === 'SC' && told && !planned ? 'SC' : undefined;
}

// RAD-3 only goes forward (RAD TF-2 4.3); SC and HD are told only to a placer that asks for them, as often as they change.
const rank: Readonly<Record<ReportableStatus, number>> = { SC: 0, HD: 0, IP: 1, A: 2, CM: 3, DC: 3 };

/** The status that RAD-3 has to report now, or undefined when there is nothing new to say. */
export function statusToReport(
  reported: string | null,
  procedures: readonly ProcedureStanding[],
  { policy, wanted }: StatusPolicy,
): ReportableStatus | undefined {
  const now = statusNow(reported, procedures, { policy, wanted });
  if (now === undefined || now === reported) return undefined;
  const before = reported === null ? undefined : rank[reported as ReportableStatus];
  if (before === undefined) return now;
  // An examination begun under the wrong worklist entry is scheduled again: that is news, not a step back.
  if (now === 'SC' || now === 'HD') return before < rank.CM ? now : undefined;
  return rank[now] > before ? now : undefined;
}
