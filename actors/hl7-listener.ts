import { buildAck } from '../src/hl7/ack.ts';
import { type Hl7Header, type Hl7Message, parseMessage, readHeader, readText } from '../src/hl7/message.ts';
import { startMllpServer } from '../src/hl7/mllp-server.ts';
import type { Clock } from '../src/platform/clock.ts';
import type { Ids } from '../src/platform/ids.ts';
import type { Archive } from './archive.ts';
import type { Arrival, Mailbox } from './mailbox.ts';
import { hl7Values } from './places.ts';

/** What every listening actor is handed. */
export interface ListenerDeps {
  readonly mailbox: Mailbox;
  readonly archive: Archive;
  readonly clock: Clock;
  readonly ids: Ids;
  /** IANA name; for MSH-7 of the answers. */
  readonly timeZone: string;
}

/** How an actor answers what others only acknowledge; undefined for the plain acknowledgement. */
export type Hl7Answerer = (message: Hl7Message, deps: ListenerDeps) => Uint8Array | undefined;

/** A port that an actor listens on. */
export interface Listening {
  stop(): Promise<void>;
}

const limits = { connections: 100, messageBytes: 16_777_216, idleMs: 600_000 };

/**
 * Listens for HL7 as one actor: every readable message is put into the mailbox and answered AA (HL7 v2.5.1 2.9.2,
 * original mode), whether a scenario waits for it or not; `answer` may say more. Rejects with the error of the bind.
 */
export function listenForHl7(
  actor: string,
  { host, port, answer }: { host: string; port: number; answer?: Hl7Answerer | undefined },
  deps: ListenerDeps,
): Promise<Listening> {
  return startMllpServer({
    host,
    port,
    limits,
    handle: async (bytes) => {
      const header = readHeader(bytes);
      if (!header) return undefined;
      const { clock, ids, timeZone } = deps;
      const at = clock.now().getTime();
      const arrival = arrivalOf({ actor, at }, header, bytes);
      deps.mailbox.add(arrival);
      const special = arrival.message && answer?.(arrival.message, deps);
      const raw = special ?? buildAck(header, { code: 'AA', controlId: ids.controlId(), now: clock.now(), timeZone });
      arrival.reply = { code: 'AA', at: clock.now().getTime(), raw };
      return raw;
    },
  });
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
