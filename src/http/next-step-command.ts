import type { NextStep } from './next-steps.ts';

/** A server that listens everywhere is reached on this machine. */
const REACHED: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** `http://HOST:PORT` of a server that listens on this address. */
export function httpAddress(listening: string, port: number): string {
  const host = REACHED[listening] ?? listening;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A word as a shell takes it for one. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** The command that does a step; texts that are empty in it, and names in braces, have to be filled. */
export function commandOf(
  { path, body, reason }: Pick<NextStep, 'path' | 'body' | 'reason'>,
  { address, token }: { readonly address: string; readonly token: string | undefined },
): string {
  const headers = [
    ...(token === undefined ? [] : ['-H "Authorization: Bearer $SWF_API_TOKEN"']),
    ...(reason === 'required' ? [`-H 'X-Reason: why'`] : []),
    ...(body === null ? [] : [`-H 'Content-Type: application/json' -d ${quoted(JSON.stringify(body))}`]),
  ];
  const url = `${address}${path}`;
  return ['curl -X POST', ...headers, /[?{]/.test(url) ? quoted(url) : url].join(' ');
}

/** What has to be known before a command is typed. */
export const commandHints = [
  'Put the reason in the place of `why`, and fill empty texts and {...}; members of a body that you do not need, leave out.',
  'To see first what would happen, put ?dryRun=true behind a URL, or &dryRun=true where it has a ? already.',
] as const;
