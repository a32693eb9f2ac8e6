import { toCwe } from '../hl7/datatypes.ts';
import { type MessageForm, type RenderedMessage, rendered } from './rendered.ts';
import {
  type Envelope,
  type OrderSubject,
  type Start,
  obrOfOrder,
  orc,
  pid,
  pv1,
  segment,
  tq1,
} from './segments-to-hl7.ts';

/** What the order placer hears of an order's status. */
export interface StatusNews {
  /** SC: changed; SR: asked for; UC: could not be cancelled (HL7 table 0119). */
  readonly orderControl: 'SC' | 'SR' | 'UC';
  /** ORC-5, HL7 table 0038 */
  readonly orderStatus: 'SC' | 'IP' | 'A' | 'CM' | 'DC' | 'HD' | 'CA' | 'ER';
  readonly start: Start | undefined;
  /** OBR-25, HL7 table 0123; there is no OBR in v2.3.1. */
  readonly resultStatus?: string | undefined;
}

const forms = {
  earlier: { messageType: 'ORM^O01', structure: 'ORM_O01 RAD-3 SC' },
  later: { messageType: 'OMG^O19', structure: 'OMG_O19 RAD-3 SC' },
} as const satisfies Record<string, MessageForm>;

/**
 * RAD-3 status update (RAD TF-2 4.3): ORM^O01 with ORC alone for v2.3.1; OMG^O19 with patient, visit, timing and OBR
 * for v2.5.1, where ORC, TQ1 and OBR are required.
 */
export function statusToHl7(envelope: Envelope, subject: OrderSubject, status: StatusNews): RenderedMessage {
  const { version } = envelope;
  const { orderControl, orderStatus, start, resultStatus } = status;
  const order = orc(subject, { orderControl, orderStatus, start }, version);
  if (version !== '2.5.1') return rendered(envelope, forms.earlier, [order]);
  const service = { 1: '1', 4: toCwe(subject.order.service), 25: resultStatus };
  const obr = segment('OBR', { ...obrOfOrder(subject, version), ...service });
  const patient = [pid(subject.patient, version), pv1(subject.visit)];
  return rendered(envelope, forms.later, [...patient, order, tq1(subject.order, start), obr]);
}
