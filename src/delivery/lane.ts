import { readAck } from '../hl7/ack.ts';
import { type MllpClientOptions, createMllpClient } from '../hl7/mllp-client.ts';
import { SwfError, describeError } from '../platform/errors.ts';
import { type PendingDelivery, nextDelivery, noteAttempt } from '../store/outbox.ts';
import { confirmDelivery } from '../transactions/confirmations.ts';
import type { Department, Hl7Peer } from '../transactions/department.ts';
import { waitAfter, verdictOf } from './retry.ts';

/** The ordered way to one peer: one message in flight, its answer awaited and compared. */
export interface Lane {
  /** There may be something to send. */
  wake(): void;
  /** Stops after the message in flight; what is unsent stays in its row. */
  stop(): Promise<void>;
}

// A wake-up can be lost with its process: a look this often costs one indexed query.
const LOOK_AGAIN_MS = 2_000;
const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;
// A stop waits this long for the answer of the message in flight; unanswered, it goes out again after the next start.
const STOP_GRACE_MS = 2_000;

interface Waiting {
  wait(milliseconds: number, wakeable: boolean): Promise<void>;
  wake(): void;
  end(): void;
}

/** A wait that a wake-up or the end cuts short; a wake-up while nobody waits is kept for the next wait. */
function createWaiting(): Waiting {
  let pending = false;
  let ended = false;
  let release: ((wakeable: boolean) => void) | undefined;
  return {
    wait: async (milliseconds, wakeable) => {
      if (ended || (wakeable && pending)) {
        pending = false;
        return;
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        release = (always) => {
          if (!always && !wakeable) return;
          clearTimeout(timer);
          resolve();
        };
      });
      release = undefined;
      if (wakeable) pending = false;
    },
    wake: () => {
      pending = true;
      release?.(false);
    },
    end: () => {
      ended = true;
      release?.(true);
    },
  };
}

/** Starts the HL7 lane of a peer. */
export function startLane(department: Department, peer: Hl7Peer, tls?: MllpClientOptions['tls']): Lane {
  const { store, log, clock, config } = department;
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

  async function attempt(delivery: PendingDelivery): Promise<void> {
    const startedAt = clock.now().getTime();
    const answer = await client.send(delivery.raw).catch((error: unknown) => {
      if (error instanceof SwfError) return error;
      throw error;
    });
    const verdict =
      answer instanceof SwfError
        ? { kind: 'again' as const, error: answer.message }
        : verdictOf(readAck(answer), delivery.controlId);
    const fields = { peer: peer.name, messageId: delivery.messageId, transaction: delivery.transaction };
    if (verdict.kind === 'again') {
      client.close();
      failures++;
      await noteAttempt(store, delivery.id, { at: clock.now(), error: verdict.error });
      log.warn({ ...fields, attempt: delivery.attempts + 1, error: verdict.error }, 'delivery will be tried again');
      return;
    }
    failures = 0;
    const error = verdict.kind === 'refused' ? { error: verdict.error } : {};
    await confirmDelivery(department, delivery, {
      kind: verdict.kind,
      code: verdict.code,
      answer: answer as Uint8Array,
      ...error,
    });
    const outcome = verdict.kind === 'refused' ? verdict.error : verdict.code;
    log.info({ ...fields, outcome, durationMs: clock.now().getTime() - startedAt }, 'delivery settled');
  }

  async function run(): Promise<void> {
    while (!stopping) {
      try {
        const delivery = await nextDelivery(store, peer.name);
        if (delivery) await attempt(delivery);
        else await waiting.wait(LOOK_AGAIN_MS, true);
      } catch (error) {
        // The database is away, or the answer could not be written: the same message goes out again.
        failures++;
        log.error({ peer: peer.name, ...describeError(error) }, 'a lane could not go on');
      }
      if (failures > 0 && !stopping) await waiting.wait(waitAfter(config.retry, failures), false);
    }
    client.close();
  }

  const done = run();
  return {
    wake: waiting.wake,
    stop: async () => {
      stopping = true;
      waiting.end();
      const giveUp = setTimeout(client.close, STOP_GRACE_MS);
      await done;
      clearTimeout(giveUp);
    },
  };
}
