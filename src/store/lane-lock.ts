import pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { tryLock } from './advisory-lock.ts';

const ASK_AGAIN_MS = 2_000;
const HEARTBEAT_MS = 3_000;

/** Of all processes that serve one database, one sends: two lanes to one peer would overtake each other. */
export interface LaneLock {
  stop(): Promise<void>;
}

/**
 * Waits for the right to send, calls `onTaken` when it is ours and `onLost` when it is not ours any more.
 * The right is a session's advisory lock on a connection of its own: it ends with the process or the connection.
 */
export function holdLaneLock(url: string, log: Log, holder: { onTaken(): void; onLost(): Promise<void> }): LaneLock {
  const ending = new AbortController();
  const ended = new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => resolve()));

  async function hold(client: pg.Client): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      client.on('error', () => resolve());
      client.on('end', () => resolve());
    });
    await client.connect();
    if (!(await tryLock(client, 'lanes')) || ending.signal.aborted) return;
    holder.onTaken();
    await Promise.race([gone, ended, silence(client)]);
    await holder.onLost();
  }

  /** Ends when the lock's connection does not answer any more: the lock may be somebody else's by then. */
  async function silence(client: pg.Client): Promise<void> {
    while (!ending.signal.aborted) {
      await delay(HEARTBEAT_MS, undefined, { signal: ending.signal }).catch(() => {});
      const answered = client.query('SELECT 1').then(
        () => true,
        () => false,
      );
      if (!(await Promise.race([answered, delay(HEARTBEAT_MS, false, { ref: false })]))) return;
    }
  }

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      const client = new pg.Client({
        connectionString: url,
        connectionTimeoutMillis: 5_000,
        query_timeout: 5_000,
        keepAlive: true,
      });
      await hold(client).catch((error: unknown) =>
        log.warn(describeError(error), 'the right to send cannot be asked for'),
      );
      await client.end().catch(() => {});
      await delay(ASK_AGAIN_MS, undefined, { signal: ending.signal }).catch(() => {});
    }
  }

  const done = run();
  return {
    stop: async () => {
      ending.abort();
      await done;
    },
  };
}
