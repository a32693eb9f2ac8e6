import { setTimeout as sleep } from 'node:timers/promises';
import { buildAck } from '../src/hl7/ack.ts';
import { type Hl7Header, type Hl7Message, parseMessage, readHeader, readText } from '../src/hl7/message.ts';
import { startMllpServer } from '../src/hl7/mllp-server.ts';
import type { Clock } from '../src/platform/clock.ts';
import type { Ids } from '../src/platform/ids.ts';
import type { Archive } from './archive.ts';
import type { Behaviour, Behaviours } from './behaviours.ts';
import type { Arrival, Mailbox } from './mailbox.ts';
import { hl7Values } from './places.ts';

/** What every listening actor is handed. */
export interface ListenerDeps {
  readonly mailbox: Mailbox;
  readonly archive: Archive;
  readonly behaviours: Behaviours;
  readonly clock: Clock;
  readonly ids: Ids;
  /** IANA name; for MSH-7 of the answers. */
  readonly timeZone: string;
}

/** How an actor answers what others only acknowledge; undefined for the plain acknowledgement. */
export type Hl7Answerer = (message: Hl7Message, deps: ListenerDeps) => Uint8Array | undefined;

/** A port that an actor listens on. */
export interface Listening {
  /** Answers what is in hand, then closes. */
  stop(): Promise<void>;
  /** Closes the port and every connection at once, whatever is in hand. */
  kill(): Promise<void>;
}

const limits = { connections: 100, messageBytes: 16_777_216, idleMs: 600_000 };

/** What waits for its time ends waiting when the actor stops. */
export function waitAtMost(milliseconds: number, signal: AbortSignal): Promise<void> {
  return sleep(milliseconds, undefined, { signal }).catch(() => {});
}

/** A server and what it waits for, as a port that can be closed gently or not. */
export function listeningOn(
  server: { stop(): Promise<void>; dropConnections(): void },
  stopping: AbortController,
): Listening {
  const stop = (): Promise<void> => {
    const stopped = server.stop();
    stopping.abort();
    return stopped;
  };
  return {
    stop,
    kill: () => {
      server.dropConnections();
      return stop();
    },
  };
}

/**
 * Listens for HL7 as one actor: every readable message is put into the mailbox and answered AA (HL7 v2.5.1 2.9.2,
 * original mode), whether a scenario waits for it or not, unless a scenario wants it otherwise; `answer` may say more.
 * Rejects with the error of the bind.
 */
export async function listenForHl7(
  actor: string,
  { host, port, answer }: { host: string; port: number; answer?: Hl7Answerer | undefined },
  deps: ListenerDeps,
): Promise<Listening> {
  const stopping = new AbortController();
  const server = await startMllpServer({
    host,
    port,
    limits,
    handle: async (bytes) => {
      const header = readHeader(bytes);
      if (!header) return undefined;
      const arrival = arrivalOf({ actor, at: deps.clock.now().getTime() }, header, bytes);
      deps.mailbox.add(arrival);
      const behaviour = deps.behaviours.next(arrival);
      if (behaviour.how === 'lost') return undefined;
      if (behaviour.how === 'late') await waitAtMost(behaviour.milliseconds, stopping.signal);
      const refused = behaviour.how === 'acknowledgement' ? behaviour : undefined;
      const special = refused ? undefined : arrival.message && answer?.(arrival.message, deps);
      const raw = special ?? acknowledgement(header, refused, deps);
      arrival.reply = { code: refused?.code ?? 'AA', at: deps.clock.now().getTime(), raw };
      return raw;
    },
  });
  return listeningOn(server, stopping);
}

type Refusal = Extract<Behaviour, { how: 'acknowledgement' }>;

function acknowledgement(
  header: Hl7Header,
  refused: Refusal | undefined,
  { clock, ids, timeZone }: ListenerDeps,
): Uint8Array {
  const common = { controlId: ids.controlId(), now: clock.now(), timeZone };
  if (!refused) return buildAck(header, { code: 'AA', ...common });
  const { code, error } = refused;
  const why = error === undefined ? {} : { error: { hl7: error, text: 'as the scenario wants it' } };
  return buildAck(header, { code, ...why, ...common });
}

function arrivalOf(own: { actor: string; at: number }, header: Hl7Header, raw: Uint8Array): Arrival {
  const message = readable(raw);
  const type = `${header.messageType}^${header.triggerEvent}`;
  const values = hl7Values(readText(raw) ?? '', header.delimiters);
  return { ...own, protocol: 'hl7', type, values, raw, ...(message === undefined ? {} : { message }) };
}

/** A message that cannot be parsed is kept all the same: the step that claims it says so. */
function readable(raw: Uint8Array): Hl7Message | undefined {
  try {
    return parseMessage(raw);
  } catch {
    return undefined;
  }
}
