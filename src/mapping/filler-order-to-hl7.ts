import { formatTimestamp, toCwe } from '../hl7/datatypes.ts';
import type { SegmentValues } from '../hl7/encode.ts';
import type { CodedValue } from '../workflow/vocabulary.ts';
import { type RenderedMessage, rendered } from './rendered.ts';
import {
  type Envelope,
  type Hl7Version,
  type OrderSubject,
  type Start,
  obrOfOrder,
  orc,
  pid,
  plainCode,
  pv1,
  quantityTiming,
  segment,
  tq1,
} from './segments-to-hl7.ts';

/** What we tell the order placer of an order of ours, beside its status. */
export interface FillerOrderNews {
  /** SN: give us a number for our order; XX: the order was changed here; OC: the order was cancelled here. */
  readonly orderControl: 'SN' | 'XX' | 'OC';
  readonly start: Start | undefined;
  /** OBR-44, when the procedure is planned. */
  readonly procedureCode?: CodedValue | undefined;
}

/** SN asks for the placer's number, so it shows none; an order that no message brought was placed now (ORC-9). */
function subjectOfNews(envelope: Envelope, subject: OrderSubject, { orderControl }: FillerOrderNews): OrderSubject {
  const { placerOrderNumber, ...order } = subject.order;
  const transactionTime = order.transactionTime ?? formatTimestamp(envelope.at, envelope.timeZone);
  const number = orderControl === 'SN' || !placerOrderNumber ? {} : { placerOrderNumber };
  return { ...subject, order: { ...order, ...number, transactionTime } };
}

function obr(subject: OrderSubject, news: FillerOrderNews, version: Hl7Version): SegmentValues {
  return segment('OBR', {
    ...obrOfOrder(subject, version),
    1: '1',
    4: toCwe(subject.order.service),
    27: version === '2.5.1' ? undefined : quantityTiming(subject.order, news.start),
    44: news.procedureCode && plainCode(news.procedureCode),
  });
}

/**
 * RAD-3 Filler Order Management (RAD TF-2 4.3): a new, changed or cancelled order, to the order placer. ORM^O01 for
 * v2.3.1, OMG^O19 for v2.5.1; one message for the order, whatever the number of its procedures.
 */
export function fillerOrderToHl7(envelope: Envelope, subject: OrderSubject, news: FillerOrderNews): RenderedMessage {
  const { version } = envelope;
  const { orderControl, start } = news;
  const about = subjectOfNews(envelope, subject, news);
  const patient = [pid(about.patient, version), pv1(about.visit)];
  const cancelled = orderControl === 'OC';
  if (version === '2.5.1') {
    const form = { messageType: 'OMG^O19', structure: `OMG_O19 RAD-3 ${orderControl}` };
    const order = orc(about, { orderControl, orderStatus: cancelled ? 'CA' : undefined, start }, version);
    return rendered(envelope, form, [...patient, order, tq1(about.order, start), obr(about, news, version)]);
  }
  const form = { messageType: 'ORM^O01', structure: `ORM_O01 RAD-3 ${orderControl}` };
  const service = cancelled ? [] : [obr(about, news, version)];
  return rendered(envelope, form, [...patient, orc(about, { orderControl, start }, version), ...service]);
}
