import { describeError } from '../platform/errors.ts';
import { type PendingDelivery, forgetAttempts, noteAttempt, takeDelivery } from '../store/outbox.ts';
import { confirmDelivery } from '../transactions/confirmations.ts';
import type { Department } from '../transactions/department.ts';
import { type Verdict, isWorthTelling, waitAfter } from './retry.ts';
import { createWaiting } from './waiting.ts';

/** The ordered way to one peer: one message in flight, its answer awaited and compared. */
export interface Lane {
  /** There may be something to send. */
  readonly wake: () => void;
  /** A person wants it to go on at once, also where it waits before it tries again. */
  readonly hurry: () => void;
  /** Stops after the message in flight, or when its answer has not come by then; what is unsent stays in its row. */
  stop(graceMs: number): Promise<void>;
}

/** What brings the messages of a lane to its peer, by the peer's protocol. */
export interface Carrier {
  /** The name of the lane (Delivery.destination). */
  readonly lane: string;
  /** One attempt. It rejects only when nothing is known of it, as when the database is away. */
  carry(delivery: PendingDelivery): Promise<Carried>;
  /** Ends what is under way and closes the connection; the next message opens one. */
  close(): void;
}

/** What came of an attempt. */
export interface Carried {
  readonly verdict: Verdict;
  /** The answer as it stood on the wire. */
  readonly answer?: Uint8Array | undefined;
}

// A wake-up can be lost with its process: a look this often costs one indexed query.
export const LOOK_AGAIN_MS = 2_000;

/** Starts a lane. */
export function startLane(department: Department, carrier: Carrier): Lane {
  const waiting = createWaiting();
  let stopping = false;
  let failures = 0;
  // An attempt that a process before this one, or the loss of the database, has left behind.
  const state: LaneState = { inDoubt: true };

  async function run(): Promise<void> {
    while (!stopping) {
      const outcome = await next(department, carrier, state);
      failures = outcome === 'again' ? failures + 1 : 0;
      if (outcome === 'idle') await waiting.wait(LOOK_AGAIN_MS, true);
      if (outcome === 'again' && !stopping) await waiting.wait(waitAfter(department.config.retry, failures), false);
    }
    carrier.close();
  }

  const done = run();
  return {
    wake: waiting.wake,
    hurry: waiting.hurry,
    stop: async (graceMs) => {
      stopping = true;
      waiting.end();
      const giveUp = setTimeout(() => carrier.close(), graceMs);
      await done;
      clearTimeout(giveUp);
    },
  };
}

type Outcome = 'settled' | 'idle' | 'again';

interface LaneState {
  /** A message may stand as in flight though nothing is. */
  inDoubt: boolean;
}

/** Sends the lowest unsent row of the lane, if there is one and nobody has stopped it. */
async function next(department: Department, carrier: Carrier, state: LaneState): Promise<Outcome> {
  const { store, clock, log } = department;
  try {
    const delivery = await takeDelivery(store, carrier.lane, clock.now());
    if (delivery) return await attempt(department, carrier, delivery);
    if (state.inDoubt) await forgetAttempts(store, carrier.lane);
    state.inDoubt = false;
    return 'idle';
  } catch (error) {
    // The database is away, or the answer could not be written: the same message goes out again.
    log.error({ peer: carrier.lane, ...describeError(error) }, 'a lane could not go on');
    carrier.close();
    state.inDoubt = true;
    return 'again';
  }
}

/** One attempt: no usable answer leaves the row at the head of its lane, with the same bytes and control id. */
async function attempt(department: Department, carrier: Carrier, delivery: PendingDelivery): Promise<Outcome> {
  const { log, clock, store } = department;
  const startedAt = clock.now().getTime();
  const { verdict, answer } = await carrier.carry(delivery);
  const fields = { peer: delivery.destination, messageId: delivery.messageId, transaction: delivery.transaction };
  if (verdict.kind === 'again') {
    carrier.close();
    await noteAttempt(store, delivery, { at: clock.now(), error: verdict.error });
    const attempts = delivery.attempts + 1;
    const line = { ...fields, attempt: attempts, error: verdict.error };
    if (isWorthTelling(attempts)) log.warn(line, 'delivery will be tried again');
    else log.debug(line, 'delivery will be tried again');
    return 'again';
  }
  await confirmDelivery(department, delivery, { ...verdict, answer });
  const outcome = verdict.kind === 'refused' ? verdict.error : verdict.code;
  log.info({ ...fields, outcome, durationMs: clock.now().getTime() - startedAt }, 'delivery settled');
  return 'settled';
}
