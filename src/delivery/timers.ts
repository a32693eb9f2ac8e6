import { describeError } from '../platform/errors.ts';
import { nextDueAt } from '../store/timers.ts';
import type { Department } from '../transactions/department.ts';
import { applySettings, fireDueTimers } from '../transactions/timers.ts';
import { isWorthTelling, waitAfter } from './retry.ts';
import { createWaiting } from './waiting.ts';

/** Fires timers as they become due: steps that never start, MPPS that never end, images and numbers that never come. */
export interface Timers {
  /** Something is due at this instant from now on. */
  readonly wake: (dueAt: Date) => void;
  /** Stops after the timer in hand. */
  stop(): Promise<void>;
}

// What another process on the database has made is seen this late; what was made here wakes.
const LONGEST_SLEEP_MS = 60_000;

/** Starts to fire timers; when each is due stands in its row, a restart forgets nothing. */
export function startTimers(department: Department): Timers {
  const { log, config, clock, store } = department;
  const waiting = createWaiting();
  let stopping = false;
  let failures = 0;
  let nextLook = 0;

  /** Fires what is due; how long to sleep before the next look, in milliseconds. */
  async function pass(): Promise<number> {
    // What is made while this looks is looked at again.
    nextLook = Infinity;
    while ((await fireDueTimers(department, () => stopping)) && !stopping);
    const now = clock.now().getTime();
    const next = (await nextDueAt(store))?.getTime() ?? Infinity;
    nextLook = Math.min(now + LONGEST_SLEEP_MS, Math.max(now, next));
    return nextLook - now;
  }

  /** True once it is done. */
  async function attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      failures = 0;
      return true;
    } catch (error) {
      failures += 1;
      if (isWorthTelling(failures)) log.error(describeError(error), 'timers could not be looked at');
      if (!stopping) await waiting.wait(waitAfter(config.retry, failures), false);
      return false;
    }
  }

  async function run(): Promise<void> {
    while (!stopping && !(await attempt(() => applySettings(department))));
    while (!stopping) {
      await attempt(async () => {
        const sleep = await pass();
        if (sleep > 0 && !stopping) await waiting.wait(sleep, true);
      });
    }
  }

  const done = run();
  return {
    wake: (dueAt) => {
      if (dueAt.getTime() < nextLook) waiting.wake();
    },
    stop: async () => {
      stopping = true;
      waiting.end();
      await done;
    },
  };
}
