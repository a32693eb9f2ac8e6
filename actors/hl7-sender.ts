import { Client, type Connection, Message } from 'node-hl7-client';

/** One HL7 connection of a simulated actor: a message goes out, its answer comes back, one at a time. */
export interface Hl7Sender {
  /** Sends finished bytes and returns the answer. Rejects with NoAnswer when none came in time. */
  send(message: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  close(): void;
}

/** No answer came: the sentence says why. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/**
 * The library builds messages without escaping, so it is handed finished bytes, one character per byte. What it is
 * told to parse is a bare header: it would refuse a message that is wrong on purpose.
 */
class FinishedMessage extends Message {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    super({ text: 'MSH|^~\\&|' });
    this.bytes = bytes;
  }

  override toString(): string {
    return Buffer.from(this.bytes).toString('latin1');
  }
}

/** The library destroys a connection this long after it was opened unless its timer is cleared; 60 s is its maximum. */
const connectTimeoutMs = 60_000;

/**
 * An HL7 sender on node-hl7-client. The library never reports a lost message, and it hangs the process when a message
 * is sent before the last one was answered: so there is one message in flight, a time limit of our own around it, and
 * a fresh client after any failure.
 */
export function createHl7Sender(host: string, port: number): Hl7Sender {
  let connection: Connection | undefined;
  let inFlight = false;
  const close = (): void => {
    void connection?.close();
    connection = undefined;
  };
  const exchange = async (message: Uint8Array, timeoutMs: number): Promise<Uint8Array> => {
    const isNew = connection === undefined;
    const current = (connection ??= open(host, port));
    // A connection that failed, also one that was closed while idle, is never used again.
    if (isNew) current.once('client.error', () => (current === connection ? close() : undefined));
    const answer = answerOf(current, timeoutMs);
    // Awaited below; a failure while the connection opens must not count as unhandled.
    answer.catch(() => {});
    if (isNew) await Promise.race([connected(current), answer]);
    await current.sendMessage(new FinishedMessage(message));
    return answer;
  };
  return {
    close,
    send: async (message, timeoutMs) => {
      if (inFlight) throw new Error('one message at a time: the last one is not answered yet');
      inFlight = true;
      try {
        return await exchange(message, timeoutMs);
      } catch (error) {
        close();
        throw error;
      } finally {
        inFlight = false;
      }
    },
  };
}

function open(host: string, port: number): Connection {
  const client = new Client({ host, connectionTimeout: connectTimeoutMs });
  // It reports a closed connection only while it has attempts left; the first report ends it.
  const connection = client.createConnection({ port, encoding: 'latin1', maxConnectionAttempts: 50 }, async () => {});
  connection.on('connect', () => clearTimeout(connection._connectionTimer));
  return connection;
}

function connected(connection: Connection): Promise<void> {
  return new Promise((resolve) => {
    connection.once('connect', resolve);
  });
}

/** The next thing that happens to a connection: an answer, a failure, or nothing in time. */
function answerOf(connection: Connection, timeoutMs: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      connection.off('data.raw', answered);
      connection.off('client.error', failed);
      then();
    };
    // The library has decoded the answer as UTF-8, whatever it was.
    const answered = (text: string): void => settle(() => resolve(Buffer.from(text, 'utf8')));
    const failed = (error: Error): void => settle(() => reject(new NoAnswer(reasonOf(error))));
    const timer = setTimeout(() => settle(() => reject(new NoAnswer(`no answer in ${timeoutMs} ms`))), timeoutMs);
    connection.on('data.raw', answered);
    connection.on('client.error', failed);
  });
}

function reasonOf(error: Error & { code?: unknown }): string {
  if (error.code === 'ECONNREFUSED')
    return 'connection refused: nothing listens there; npm start starts our server, --start one for this run';
  return typeof error.code === 'string' ? `connection failed (${error.code})` : 'the connection was closed';
}
