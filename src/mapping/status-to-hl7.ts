import { encodeMessage } from '../hl7/encode.ts';
import { toCwe } from '../hl7/datatypes.ts';
import type { RenderedMessage } from './procedure-to-hl7.ts';
import { type Envelope, type OrderSubject, msh, obrOfOrder, orc, pid, pv1, segment, tq1 } from './segments-to-hl7.ts';

/**
 * RAD-3 status update (RAD TF-2 4.3): ORM^O01 with ORC alone for v2.3.1; OMG^O19 with patient, visit, timing and OBR
 * for v2.5.1, where ORC, TQ1 and OBR are required.
 */
export function statusToHl7(
  envelope: Envelope,
  subject: OrderSubject,
  status: {
    readonly orderStatus: 'IP' | 'CM' | 'DC';
    readonly start: { readonly date: string; readonly time: string } | undefined;
  },
): RenderedMessage {
  const values = { orderControl: 'SC', orderStatus: status.orderStatus, start: status.start };
  const encoding = { characterSet: envelope.characterSet ?? '' };
  if (envelope.version === '2.3.1') {
    const type = { messageType: 'ORM', triggerEvent: 'O01', structure: 'ORM_O01' };
    return {
      messageType: 'ORM^O01',
      bytes: encodeMessage([msh(envelope, type), orc(subject, values, '2.3.1')], encoding),
    };
  }
  const type = { messageType: 'OMG', triggerEvent: 'O19', structure: 'OMG_O19' };
  const obr = segment('OBR', { ...obrOfOrder(subject, '2.5.1'), 1: '1', 4: toCwe(subject.order.service) });
  const segments = [
    msh(envelope, type),
    pid(subject.patient, '2.5.1'),
    pv1(subject.visit),
    orc(subject, values, '2.5.1'),
    tq1(subject.order, status.start),
    obr,
  ];
  return { messageType: 'OMG^O19', bytes: encodeMessage(segments, encoding) };
}
