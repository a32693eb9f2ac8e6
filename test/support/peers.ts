import { type MllpServer, startMllpServer } from '../../src/hl7/mllp-server.ts';
import { type ReplyFields, field, messageOf, orderReply } from './messages.ts';
import type { Hl7PeerEntry, PeerEntry } from './server.ts';
import { until } from './until.ts';

/** What a peer does with a message. */
export type Behaviour =
  | { readonly kind: 'answer'; readonly code: string; readonly error?: string; readonly controlId?: string }
  /** No answer until the peer goes down. */
  | { readonly kind: 'silence' }
  /** The connection is closed without an answer. */
  | { readonly kind: 'close' }
  /** To ORC-1 SN an ORR^O02 or ORG^O20 with this ORC; to anything else AA. */
  | { readonly kind: 'number'; readonly reply: ReplyFields };

export const accepts: Behaviour = { kind: 'answer', code: 'AA' };
export const answers = (code: string, error?: string): Behaviour => ({
  kind: 'answer',
  code,
  ...(error === undefined ? {} : { error }),
});

/** An order placer that answers SN on our connection: NA with a number, unless the reply says otherwise. */
export const numbers = (reply: ReplyFields): Behaviour => ({ kind: 'number', reply: { control: 'NA', ...reply } });

export interface ReceivedMessage {
  readonly raw: string;
  readonly bytes: Uint8Array;
  readonly controlId: string;
  /** MSH-9.1 and 9.2 */
  readonly type: string;
  /** ORC-1 and ORC-5, e.g. `SC/IP`. */
  readonly order: string;
  readonly placerOrderNumber: string;
}

/** A listening peer that keeps what it receives. */
export interface PeerDouble {
  readonly entry: Hl7PeerEntry & { readonly sends?: object };
  /** In the order of arrival, repetitions included. */
  readonly received: ReceivedMessage[];
  /** Each message once, in the order of first arrival. */
  distinct(): ReceivedMessage[];
  /** Waits until so many messages have arrived, repetitions included. */
  arrived(count: number): Promise<ReceivedMessage[]>;
  /** What is done with the next messages, in order; then with all further ones. */
  will(...behaviours: readonly Behaviour[]): void;
  /** Stops listening and closes every connection. */
  down(): Promise<void>;
  /** Listens again, on the same port. */
  up(): Promise<void>;
}

const actors = {
  'order-placer': { application: 'HIS', facility: 'CLINIC' },
  'image-manager': { application: 'ARCHIVE', facility: 'RADIOLOGY' },
  'report-manager': { application: 'REPORTS', facility: 'RADIOLOGY' },
} as const;

function readMessage(bytes: Uint8Array): ReceivedMessage {
  const raw = Buffer.from(bytes).toString('utf8');
  const [messageType = '', event = ''] = field(raw, 'MSH', 9).split('^');
  return {
    raw,
    bytes,
    controlId: field(raw, 'MSH', 10),
    type: `${messageType}^${event}`,
    order: `${field(raw, 'ORC', 1)}/${field(raw, 'ORC', 5)}`,
    placerOrderNumber: field(raw, 'ORC', 2).split('^')[0] ?? '',
  };
}

function acknowledgement(message: ReceivedMessage, answer: Extract<Behaviour, { kind: 'answer' }>): Buffer {
  const version = field(message.raw, 'MSH', 12);
  const error = version === '2.3.1' ? `ERR|^^^${answer.error}` : `ERR||MSH^1^9|${answer.error}^error^HL70357|E`;
  const lines = [
    `MSH|^~\\&|PEER|SITE|SWF_OF|RADIOLOGY|20260105080000||ACK|A${message.controlId}|P|${version}`.slice(0, 200),
    `MSA|${answer.code}|${answer.controlId ?? message.controlId}`,
  ];
  return Buffer.from(messageOf(...lines, ...(answer.error === undefined ? [] : [error])));
}

function orderNumber(message: ReceivedMessage, reply: ReplyFields): Buffer {
  if (field(message.raw, 'ORC', 1) !== 'SN') return acknowledgement(message, { kind: 'answer', code: 'AA' });
  const version = field(message.raw, 'MSH', 12) === '2.5.1' ? '2.5.1' : '2.3.1';
  const fillerOrderNumber = field(message.raw, 'ORC', 3);
  return Buffer.from(orderReply({ fillerOrderNumber, acknowledges: message.controlId, ...reply }, version));
}

/** Starts a peer; it accepts everything until it is told otherwise. */
export async function startPeer(
  name: string,
  actor: PeerEntry['actor'],
  options: {
    readonly version?: '2.3.1' | '2.5.1';
    readonly application?: string;
    /** `sends` of the site file. */
    readonly sends?: object;
  } = {},
): Promise<PeerDouble> {
  const received: ReceivedMessage[] = [];
  let plan: Behaviour[] = [];
  let silent: (() => void)[] = [];
  let server: MllpServer | undefined;

  const handle = async (bytes: Uint8Array): Promise<Uint8Array | undefined> => {
    const message = readMessage(bytes);
    received.push(message);
    const behaviour = (plan.length > 1 ? plan.shift() : plan[0]) ?? accepts;
    if (behaviour.kind === 'answer') return acknowledgement(message, behaviour);
    if (behaviour.kind === 'number') return orderNumber(message, behaviour.reply);
    if (behaviour.kind === 'silence') await new Promise<void>((resolve) => silent.push(resolve));
    return undefined;
  };
  const listen = (port: number): Promise<MllpServer> =>
    startMllpServer({
      host: '127.0.0.1',
      port,
      limits: { connections: 10, messageBytes: 1 << 24, idleMs: 600_000 },
      handle,
    });
  server = await listen(0);
  const { port } = server;
  const { version = '2.3.1', sends, ...names } = options;
  return {
    entry: {
      name,
      actor,
      hl7: { host: '127.0.0.1', port, ...actors[actor], ...names, version },
      ...(sends ? { sends } : {}),
    },
    received,
    distinct: () => [...new Map(received.map((message) => [message.controlId, message])).values()],
    arrived: async (count) => {
      await until(`${count} messages at ${name}`, () => received.length >= count);
      return received;
    },
    will: (...behaviours) => {
      plan = [...behaviours];
    },
    down: async () => {
      const stopping = server?.stop();
      server = undefined;
      silent.splice(0).forEach((release) => release());
      silent = [];
      await stopping;
    },
    up: async () => {
      // Somebody's outgoing connection may hold the port for an instant.
      server ??= await until(`${name} listens again`, () => listen(port).catch(() => undefined));
    },
  };
}
