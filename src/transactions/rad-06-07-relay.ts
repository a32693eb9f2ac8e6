import type { OutgoingMessage } from '../store/outbox.ts';
import { laneName, relayDestinations } from './department.ts';
import type { InboundDicom } from './inbound-dicom.ts';
import { type Unit, deliver } from './unit-of-work.ts';

/** What makes these deliveries. */
export const RELAY = 'relayMpps';

/** The line of the history of each procedure that the MPPS performs, by what the image manager answered. */
export const relayLines = { delivered: 'mppsRelayed', refused: 'mppsRelayRefused' } as const;

/**
 * RAD-6 and RAD-7 as Performed Procedure Step Manager (RAD TF-2 4.6, 4.7): a request that we accept goes on to every
 * image manager, as it came, by the commit that accepts it. Not to the one that sent it: it would go round for ever.
 */
export async function relayMpps(
  unit: Unit,
  { request, cause }: Pick<InboundDicom, 'request' | 'cause'>,
): Promise<void> {
  const { config } = unit.department;
  const messages = relayDestinations(config)
    .filter(({ dicom }) => dicom.aeTitle.trim() !== request.callingAeTitle)
    .map(({ name }): OutgoingMessage => {
      const { transaction, messageType, sopInstanceUid, raw, transferSyntaxUid } = request;
      return {
        destination: laneName(name, 'DICOM'),
        peer: name,
        protocol: 'DICOM',
        transaction,
        messageType,
        controlId: sopInstanceUid,
        sendingApplication: config.dicom.aeTitle,
        sendingFacility: '',
        raw,
        transferSyntaxUid,
        effect: RELAY,
      };
    });
  await deliver(unit, messages, cause.at);
}
