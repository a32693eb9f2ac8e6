import { fillerOrderToHl7 } from '../mapping/filler-order-to-hl7.ts';
import { statusToHl7 } from '../mapping/status-to-hl7.ts';
import type { OutgoingMessage } from '../store/outbox.ts';
import type { StoredProcedure } from '../store/procedures.ts';
import type { ReportableStatus } from '../workflow/order-status.ts';
import type { ReportState } from '../workflow/procedure-events.ts';
import { type Department, type Hl7Peer, placerOf } from './department.ts';
import { type Subject, envelopeFor, outgoing, subjectOf } from './outgoing-hl7.ts';

/** What an order placer is told of an order by RAD-3. */
export type OrderAnnouncement = { readonly procedures: readonly StoredProcedure[] } & (
  | { readonly name: 'reportOrderStatus'; readonly orderStatus: ReportableStatus }
  /** The answer to a cancel that comes too late, or to a status query: the status as it is, told before or not. */
  | {
      readonly name: 'repeatOrderStatus';
      readonly orderControl: 'SC' | 'SR' | 'UC';
      readonly orderStatus: ReportableStatus | 'CA';
    }
  /** SN: give our order a number. */
  | { readonly name: 'requestOrderNumber' }
  /** OC: the department has cancelled the order. */
  | { readonly name: 'cancelOrder' }
  /** XX: the department has changed the order; only to a placer that asks for it. */
  | { readonly name: 'changeOrder' }
);

const orderControls = { requestOrderNumber: 'SN', cancelOrder: 'OC', changeOrder: 'XX' } as const;

/** OBR-25 by what is known of the order (HL7 table 0123); a report has its own message. */
const resultStatuses: Readonly<Record<ReportableStatus | 'CA', string>> = {
  SC: 'S',
  HD: 'S',
  IP: 'I',
  A: 'A',
  CM: 'R',
  DC: 'X',
  CA: 'X',
};

const reportStatuses: Readonly<Record<ReportState, string | undefined>> = {
  none: undefined,
  preliminary: 'P',
  final: 'F',
  corrected: 'C',
  cancelled: undefined,
};

/** A report that there is says more of the result than the order's status does. */
function resultStatusOf({
  orderStatus,
  procedures,
}: {
  readonly orderStatus: ReportableStatus | 'CA';
  readonly procedures: readonly StoredProcedure[];
}): string {
  const [report, another] = new Set(procedures.map(({ machine }) => machine.value.report));
  const reported = report === undefined || another !== undefined ? undefined : reportStatuses[report];
  return reported ?? resultStatuses[orderStatus];
}

/** RAD-3 Filler Order Management (RAD TF-2 4.3), to the order placer of the order. */
export function tellPlacer(
  department: Department,
  subject: Subject,
  announcement: OrderAnnouncement,
  at: Date,
): OutgoingMessage[] {
  const placer = placerOf(department.config, subject.order);
  return placer ? [messageTo(department, { placer, subject, announcement, at })] : [];
}

interface Telling {
  readonly placer: Hl7Peer;
  readonly subject: Subject;
  readonly announcement: OrderAnnouncement;
  readonly at: Date;
}

function messageTo(department: Department, { placer, subject, announcement, at }: Telling): OutgoingMessage {
  const envelope = envelopeFor(department, placer, at);
  const about = subjectOf(subject, envelope);
  const [procedure] = announcement.procedures;
  const start = procedure?.steps[0]?.start;
  const { name } = announcement;
  const rendered =
    name === 'reportOrderStatus' || name === 'repeatOrderStatus'
      ? statusToHl7(envelope, about, {
          orderControl: name === 'repeatOrderStatus' ? announcement.orderControl : 'SC',
          orderStatus: announcement.orderStatus,
          resultStatus: resultStatusOf(announcement),
          start,
        })
      : fillerOrderToHl7(envelope, about, { orderControl: orderControls[name], start, procedureCode: procedure?.code });
  return outgoing(placer, envelope, rendered, { transaction: 'RAD-3', effect: name, orderId: subject.order.id });
}
