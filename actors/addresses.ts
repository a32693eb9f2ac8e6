/** An address that is not written as it should be: the sentence says how it is written. */
export class BadAddress extends Error {
  override readonly name = 'BadAddress';
}

function hostAndPort(text: string, usage: string): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:/@\s[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) throw new BadAddress(usage);
  return { host, port };
}

/** Reads `mllp://HOST:PORT`. Throws BadAddress. */
export function parseMllpAddress(text: string): { host: string; port: number } {
  const usage = `${text} is not an HL7 address: write mllp://HOST:PORT`;
  if (!text.startsWith('mllp://')) throw new BadAddress(usage);
  return hostAndPort(text.slice('mllp://'.length).replace(/\/$/, ''), usage);
}

/** Reads `AET@HOST:PORT`; an AE title is 1 to 16 characters (PS3.5 6.2). Throws BadAddress. */
export function parseDicomAddress(text: string): { aeTitle: string; host: string; port: number } {
  const usage = `${text} is not a DICOM address: write AET@HOST:PORT`;
  const at = text.lastIndexOf('@');
  const aeTitle = text.slice(0, Math.max(at, 0)).trim();
  if (aeTitle === '' || aeTitle.length > 16) throw new BadAddress(usage);
  return { aeTitle, ...hostAndPort(text.slice(at + 1), usage) };
}

/** Reads `http://HOST:PORT`, with or without a path; gives it without a slash at its end. Throws BadAddress. */
export function parseHttpAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new BadAddress(`${text} is not an HTTP address: write http://HOST:PORT`);
  }
  return url.href.replace(/\/+$/, '');
}

/** Where to reach what listens on all addresses of this machine. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
