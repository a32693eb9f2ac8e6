import { encodeMessage, mshSegment } from '../src/hl7/encode.ts';
import type { Hl7Message } from '../src/hl7/message.ts';
import { formatTimestamp } from '../src/hl7/datatypes.ts';
import type { Hl7Answerer } from './hl7-listener.ts';

/**
 * What only an Order Placer does: to an order that the department placed (RAD-3, ORC-1 SN) it answers with the number
 * it gives to that order, ORC-1 NA in ORR^O02 or ORG^O20 (RAD TF-2 4.3). Anything else gets the plain acknowledgement.
 */
export const answerAsOrderPlacer: Hl7Answerer = (message, { clock, ids, timeZone }) => {
  if (message.get('ORC-1') !== 'SN') return undefined;
  const { header } = message;
  const response = responses[header.messageType];
  if (!response) return undefined;
  const msh = mshSegment({
    sendingApplication: header.receivingApplication,
    sendingFacility: header.receivingFacility,
    receivingApplication: header.sendingApplication,
    receivingFacility: header.sendingFacility,
    dateTime: formatTimestamp(clock.now(), timeZone),
    ...response,
    controlId: ids.controlId(),
    processingId: header.processingId,
    version: header.version,
  });
  const placerOrderNumber = `P${ids.controlId()}`.slice(0, 22);
  const orc = ['ORC', 'NA', placerOrderNumber, fillerOrderNumber(message)] as const;
  return encodeMessage([msh, ['MSA', 'AA', header.controlId], orc], { characterSet: header.characterSet });
};

const responses: Readonly<
  Record<string, { messageType: string; triggerEvent: string; messageStructure: string } | undefined>
> = {
  ORM: { messageType: 'ORR', triggerEvent: 'O02', messageStructure: 'ORR_O02' },
  OMG: { messageType: 'ORG', triggerEvent: 'O20', messageStructure: 'ORG_O20' },
};

function fillerOrderNumber(message: Hl7Message): (string | undefined)[] {
  return ['ORC-3.1', 'ORC-3.2'].map((place) => message.get(place) ?? undefined);
}
