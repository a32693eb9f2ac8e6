import { isUtf8 } from 'node:buffer';

/** Names of HL7 table 0211 for parts of ISO 8859, in the spellings that are seen: `8859/1`, `ISO-8859-1`. */
const ISO_8859 = /8859\D?(\d{1,2})/;
const MSH_18 = 17;

/** The first value of MSH-18, in whatever bytes the message is: MSH itself is ASCII up to there. */
function declaredIn(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 2_000)).toString('latin1');
  const msh = start.slice(Math.max(0, start.indexOf('MSH'))).split(/[\r\n]/, 1)[0] ?? '';
  const fields = msh.split(msh.charAt(3));
  return (fields[MSH_18] ?? '').split(msh.charAt(5)).find((name) => name !== '' && name !== 'ASCII') ?? '';
}

/** The character set of an HL7 message as the web names it; bytes that are valid UTF-8 are taken for that. */
export function charsetOf(bytes: Uint8Array): string {
  const part = ISO_8859.exec(declaredIn(bytes))?.[1];
  if (part !== undefined) return `iso-8859-${part}`;
  if (isUtf8(bytes)) return 'utf-8';
  return /18030/.test(declaredIn(bytes)) ? 'gb18030' : 'iso-8859-1';
}

/** An HL7 message as text, for reading: what its character set does not know is shown as U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder(charsetOf(bytes)).decode(bytes);
  } catch {
    // A part of ISO 8859 that does not exist.
    return Buffer.from(bytes).toString('latin1');
  }
}
