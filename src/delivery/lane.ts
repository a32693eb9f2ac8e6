import { readAck } from '../hl7/ack.ts';
import { type MllpClient, type MllpClientOptions, createMllpClient, notConnected } from '../hl7/mllp-client.ts';
import { SwfError, describeError } from '../platform/errors.ts';
import { type PendingDelivery, nextDelivery, noteAttempt } from '../store/outbox.ts';
import { confirmDelivery } from '../transactions/confirmations.ts';
import type { Department, Hl7Peer } from '../transactions/department.ts';
import { type Verdict, verdictOf, waitAfter } from './retry.ts';
import { createWaiting } from './waiting.ts';

/** The ordered way to one peer: one message in flight, its answer awaited and compared. */
export interface Lane {
  /** There may be something to send. */
  readonly wake: () => void;
  /** Stops after the message in flight, or when its answer has not come by then; what is unsent stays in its row. */
  stop(graceMs: number): Promise<void>;
}

// A wake-up can be lost with its process: a look this often costs one indexed query.
const LOOK_AGAIN_MS = 2_000;
const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;

/** Starts the HL7 lane of a peer. */
export function startLane(department: Department, peer: Hl7Peer, tls?: MllpClientOptions['tls']): Lane {
  const client = createMllpClient({
    host: peer.hl7.host,
    port: peer.hl7.port,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    answerTimeoutMs: ANSWER_TIMEOUT_MS,
    ...(tls ? { tls } : {}),
  });
  const waiting = createWaiting();
  let stopping = false;
  let failures = 0;

  async function run(): Promise<void> {
    while (!stopping) {
      const outcome = await next(department, peer, client);
      failures = outcome === 'again' ? failures + 1 : 0;
      if (outcome === 'idle') await waiting.wait(LOOK_AGAIN_MS, true);
      if (outcome === 'again' && !stopping) await waiting.wait(waitAfter(department.config.retry, failures), false);
    }
    client.close();
  }

  const done = run();
  return {
    wake: waiting.wake,
    stop: async (graceMs) => {
      stopping = true;
      waiting.end();
      const giveUp = setTimeout(() => client.close(), graceMs);
      await done;
      clearTimeout(giveUp);
    },
  };
}

type Outcome = 'settled' | 'idle' | 'again';

/** Sends the lowest unsent row of the lane, if there is one. */
async function next(department: Department, peer: Hl7Peer, client: MllpClient): Promise<Outcome> {
  try {
    const delivery = await nextDelivery(department.store, peer.name);
    return delivery ? await attempt(department, client, delivery) : 'idle';
  } catch (error) {
    // The database is away, or the answer could not be written: the same message goes out again.
    department.log.error({ peer: peer.name, ...describeError(error) }, 'a lane could not go on');
    client.close();
    return 'again';
  }
}

/** One attempt: no usable answer leaves the row at the head of its lane, with the same bytes and control id. */
async function attempt(department: Department, client: MllpClient, delivery: PendingDelivery): Promise<Outcome> {
  const { log, clock, store } = department;
  const startedAt = clock.now().getTime();
  const { verdict, answer, sent } = await ask(client, delivery);
  const fields = { peer: delivery.destination, messageId: delivery.messageId, transaction: delivery.transaction };
  if (verdict.kind === 'again' && !(sent && isGivenUp(delivery))) {
    client.close();
    await noteAttempt(store, delivery.id, { at: clock.now(), error: verdict.error });
    const attempts = delivery.attempts + 1;
    const line = { ...fields, attempt: attempts, error: verdict.error };
    // A peer may be away for a night: the beginning is told, and then now and again.
    if (attempts <= 3 || attempts % 20 === 0) log.warn(line, 'delivery will be tried again');
    else log.debug(line, 'delivery will be tried again');
    return 'again';
  }
  const heard = verdict.kind === 'again' ? { kind: 'refused' as const, code: '', error: verdict.error } : verdict;
  if (verdict.kind === 'again') client.close();
  await confirmDelivery(department, delivery, { ...heard, answer });
  const outcome = heard.kind === 'refused' ? heard.error : heard.code;
  log.info({ ...fields, outcome, durationMs: clock.now().getTime() - startedAt }, 'delivery settled');
  return 'settled';
}

// A peer that takes application acknowledgements and answers none must not hold up its lane for ever.
const MOST_ACKNOWLEDGEMENTS_SENT = 3;

function isGivenUp({ effect, attempts }: PendingDelivery): boolean {
  return effect === 'acknowledge' && attempts + 1 >= MOST_ACKNOWLEDGEMENTS_SENT;
}

async function ask(
  client: MllpClient,
  delivery: PendingDelivery,
): Promise<{ verdict: Verdict; answer: Uint8Array | undefined; sent: boolean }> {
  try {
    const answer = await client.send(delivery.raw);
    return { verdict: verdictOf(readAck(answer), delivery.controlId), answer, sent: true };
  } catch (error) {
    if (error instanceof SwfError) {
      return {
        verdict: { kind: 'again', error: error.message },
        answer: undefined,
        sent: !error.message.startsWith(notConnected),
      };
    }
    throw error;
  }
}
