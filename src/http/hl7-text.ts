import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { type CodeExtension, codeExtension } from '../platform/iso-2022.ts';

/** Names of HL7 table 0211 for parts of ISO 8859, in the spellings that are seen: `8859/1`, `ISO-8859-1`. */
const ISO_8859 = /8859\D?(\d{1,2})/;
const MSH_18 = 17;

/** Names of table 0211 by ISO registration, for the sets that escape sequences switch to (ISO 2022). */
const SWITCHED: ReadonlyMap<string, string> = new Map([
  ['', '6'],
  ['ASCII', '6'],
  ['ISOIR6', '6'],
  ['ISOIR14', '13'],
  ['ISOIR87', '87'],
  ['ISOIR159', '159'],
  ['KSX1001', '149'],
]);

/** The repetitions of MSH-18, in whatever bytes the message is: MSH itself is ASCII up to there. */
function namesIn(bytes: Uint8Array): string[] {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 2_000)).toString('latin1');
  const msh = start.slice(Math.max(0, start.indexOf('MSH'))).split(/[\r\n]/, 1)[0] ?? '';
  const fields = msh.split(msh.charAt(3));
  return (fields[MSH_18] ?? '').split(msh.charAt(5));
}

/** The first repetition of MSH-18 that says more than ASCII. */
function declaredIn(bytes: Uint8Array): string {
  return namesIn(bytes).find((name) => name !== '' && name !== 'ASCII') ?? '';
}

/** The ISO registrations that MSH-18 names, where all of its sets are switched and one says more than ASCII. */
function switchedIn(bytes: Uint8Array): string[] {
  const names = namesIn(bytes).map((name) => name.toUpperCase().replace(/[^A-Z0-9]/g, ''));
  const registrations = names.flatMap((name) => SWITCHED.get(name) ?? []);
  return registrations.length === names.length && registrations.some((one) => one !== '6') ? registrations : [];
}

function extensionOf(registrations: readonly string[]): CodeExtension {
  const undesignated = registrations.find((one) => one === '13' || one === '149');
  const lineEnd = (byte: number): boolean => byte === 0x0d || byte === 0x0a;
  return codeExtension({
    registrations,
    undesignated,
    resets: lineEnd,
    restores: (byte) => !/[0-9A-Za-z ]/.test(String.fromCharCode(byte)),
    shifts: true,
  });
}

/** The set that MSH-18 names, where it is one of several bytes or of other letters; as the web names it. */
function declaredSet(bytes: Uint8Array): string | undefined {
  const name = declaredIn(bytes);
  const part = ISO_8859.exec(name)?.[1];
  if (part !== undefined) return `iso-8859-${part}`;
  return /18030/.test(name) ? 'gb18030' : undefined;
}

/** The character set of an HL7 message as the web names it; bytes that are valid UTF-8 are taken for that. */
export function charsetOf(bytes: Uint8Array): string {
  const registrations = switchedIn(bytes);
  if (registrations.includes('149')) return 'euc-kr';
  if (registrations.length > 0) return registrations.join() === '13' ? 'shift_jis' : 'iso-2022-jp';
  const declared = declaredSet(bytes);
  if (declared?.startsWith('iso')) return declared;
  return isUtf8(bytes) ? 'utf-8' : (declared ?? 'iso-8859-1');
}

/** An HL7 message as text, for reading: what its character set does not know is shown as U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  const registrations = switchedIn(bytes);
  const switched = registrations.length > 0 ? extensionOf(registrations).decode(Buffer.from(bytes)) : undefined;
  if (switched !== undefined) return switched;
  try {
    return new TextDecoder(charsetOf(bytes)).decode(bytes);
  } catch {
    // A part of ISO 8859 that does not exist.
    return Buffer.from(bytes).toString('latin1');
  }
}

/** The bytes of a message that came as text, in the set that its MSH-18 names; UTF-8 where that cannot carry it. */
export function bytesOf(text: string): Uint8Array {
  const utf8 = Buffer.from(text, 'utf8');
  const registrations = switchedIn(utf8);
  if (registrations.length > 0) return extensionOf(registrations).encode(text) ?? utf8;
  const charset = declaredSet(utf8);
  if (charset === undefined || !iconv.encodingExists(charset)) return utf8;
  const bytes = iconv.encode(text, charset);
  return iconv.decode(bytes, charset) === text ? bytes : utf8;
}
