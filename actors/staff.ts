/** Where the Order Filler answers HTTP; the token where it wants one. */
export interface HttpAddress {
  /** `http://HOST:PORT`, without a slash at its end. */
  readonly url: string;
  readonly token?: string | undefined;
}

/** What a person has our Order Filler do. */
export interface StaffRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: unknown;
  /** Goes into the history of what is changed. */
  readonly reason: string;
}

export interface StaffAnswer {
  readonly status: number;
  /** JSON read, else the text; undefined when there is none. */
  readonly body: unknown;
}

/** A tester at the terminal: shows a text, resolves with the line that is typed. */
export type Tester = (text: string) => Promise<string>;

/** No answer came: the sentence says why. */
export class NoHttpAnswer extends Error {
  override readonly name = 'NoHttpAnswer';
}

/** Sends one request. Rejects with NoHttpAnswer. */
export async function requestByHttp(
  { url, token }: HttpAddress,
  { method, path, body, reason }: StaffRequest,
  signal: AbortSignal,
): Promise<StaffAnswer> {
  const headers = {
    // Header values are bytes: the server reads these as UTF-8.
    'X-Reason': Buffer.from(reason, 'utf8').toString('latin1'),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...(method === 'POST' ? { 'Content-Type': 'application/json' } : {}),
  };
  try {
    const sent = method === 'POST' ? { body: JSON.stringify(body ?? {}) } : {};
    const response = await fetch(`${url}${path}`, { method, headers, signal, redirect: 'error', ...sent });
    return { status: response.status, body: bodyOf(await response.text()) };
  } catch (error) {
    throw new NoHttpAnswer(reasonOf(error));
  }
}

function bodyOf(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: unknown } };
  if (name === 'TimeoutError') return 'no answer in time';
  const code = typeof cause?.code === 'string' ? cause.code : message;
  return code === 'ECONNREFUSED' ? 'connection refused: nothing listens there' : `connection failed (${code})`;
}
