import { readFileSync } from 'node:fs';

function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The program's version, from its own package.json. */
export const version: string = ownVersion();
