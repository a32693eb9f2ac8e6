import { UsageError } from './cli-io.ts';
import { httpAddress } from './http/next-step-command.ts';
import type { Config } from './platform/config.ts';
import { SwfError } from './platform/errors.ts';

const TIMEOUT_MS = 60_000;

/** What the running server answered. */
export interface ServerAnswer {
  readonly ok: boolean;
  readonly body: unknown;
  /** What a problem says; empty when it is none. */
  readonly detail: string;
}

/** Where the running server of the site answers. Throws UsageError for any free port. */
export function serverAddress({ http }: Config): string {
  if (http.port === 0) throw new UsageError('the site file says port 0: say which port by SWF_HTTP_PORT');
  return httpAddress(http.host, http.port);
}

function causeOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: unknown } };
  if (name === 'TimeoutError') return `no answer in ${TIMEOUT_MS} ms`;
  return typeof cause?.code === 'string' ? cause.code : 'it cannot be reached';
}

function read(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function detailOf(body: unknown, status: number): string {
  const detail = (body as { detail?: unknown } | undefined)?.detail;
  return typeof detail === 'string' ? detail : `HTTP status ${status}`;
}

/** Throws SwfError 'no-acknowledgement' when the server cannot be reached or does not let us in. */
async function ask(config: Config, path: string, request: RequestInit): Promise<ServerAnswer> {
  const address = serverAddress(config);
  const token = config.apiToken === undefined ? {} : { Authorization: `Bearer ${config.apiToken}` };
  const headers = { ...token, ...(request.headers as Record<string, string> | undefined) };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const unreached = (error: unknown): never => {
    const sentence = `${address}: ${causeOf(error)}. Is the server running? swf serve or npm start starts it.`;
    throw new SwfError('no-acknowledgement', sentence);
  };
  const response = await fetch(`${address}${path}`, { ...request, headers, signal }).catch(unreached);
  const body = read(await response.text().catch(unreached));
  if (response.status === 401) {
    throw new SwfError('no-acknowledgement', `${address} asks for its token: set SWF_API_TOKEN or SWF_API_TOKEN_FILE`);
  }
  return { ok: response.ok, body, detail: response.ok ? '' : detailOf(body, response.status) };
}

/**
 * Posts to the running server of the site; `text` goes as text/plain.
 * @throws SwfError 'no-acknowledgement' when it cannot be reached or does not let us in
 */
export function post(config: Config, path: string, text?: Uint8Array): Promise<ServerAnswer> {
  if (text === undefined) return ask(config, path, { method: 'POST' });
  return ask(config, path, { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: Buffer.from(text) });
}

/**
 * Asks the running server of the site; parameters without a value are left out.
 * @throws SwfError 'no-acknowledgement' when it cannot be reached or does not let us in
 */
export function get(
  config: Config,
  path: string,
  parameters: Readonly<Record<string, string | undefined>>,
): Promise<ServerAnswer> {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return ask(config, `${path}?${new URLSearchParams(given).toString()}`, {});
}
