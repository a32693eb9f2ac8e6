import { readAck } from '../hl7/ack.ts';
import { type MllpClient, type MllpClientOptions, createMllpClient, notConnected } from '../hl7/mllp-client.ts';
import { SwfError } from '../platform/errors.ts';
import type { PendingDelivery } from '../store/outbox.ts';
import { type Hl7Peer, laneName } from '../transactions/department.ts';
import type { Carried, Carrier } from './lane.ts';
import { verdictOf } from './retry.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;

/** Messages to a peer by MLLP, on a connection that stays open. */
export function carryByHl7(peer: Hl7Peer, tls?: MllpClientOptions['tls']): Carrier {
  const client = createMllpClient({
    host: peer.hl7.host,
    port: peer.hl7.port,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    answerTimeoutMs: ANSWER_TIMEOUT_MS,
    ...(tls ? { tls } : {}),
  });
  return {
    lane: laneName(peer.name, 'HL7'),
    carry: async (delivery) => {
      const { verdict, answer, sent } = await ask(client, delivery);
      if (verdict.kind !== 'again' || !sent || !isGivenUp(delivery)) return { verdict, answer };
      client.close();
      return { verdict: { kind: 'refused', code: '', error: verdict.error }, answer };
    },
    close: () => client.close(),
  };
}

// A peer that takes application acknowledgements and answers none must not hold up its lane for ever.
const MOST_ACKNOWLEDGEMENTS_SENT = 3;

function isGivenUp({ effect, attempts }: PendingDelivery): boolean {
  return effect === 'acknowledge' && attempts + 1 >= MOST_ACKNOWLEDGEMENTS_SENT;
}

async function ask(client: MllpClient, delivery: PendingDelivery): Promise<Carried & { readonly sent: boolean }> {
  try {
    const answer = await client.send(delivery.raw);
    return { verdict: verdictOf(readAck(answer), delivery.controlId), answer, sent: true };
  } catch (error) {
    if (!(error instanceof SwfError)) throw error;
    return { verdict: { kind: 'again', error: error.message }, sent: !error.message.startsWith(notConnected) };
  }
}
