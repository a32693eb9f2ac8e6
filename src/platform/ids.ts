import { randomBytes, randomUUID } from 'node:crypto';

/** Identifiers that need chance; numbers that need order come from the database (store/numbers.ts). */
export interface Ids {
  /** A DICOM UID below `2.25.` from a random UUID (PS3.5 B.2), or below the site's own root. */
  uid(): string;
  /** An HL7 message control id, at most 20 characters (MSH-10). */
  controlId(): string;
}

/** A UUID as the decimal number that follows `2.25.` (PS3.5 B.2). */
export function uuidToUid(uuid: string, root = '2.25'): string {
  return `${root}.${BigInt(`0x${uuid.replaceAll('-', '')}`).toString(10)}`;
}

/** Random identifiers below a UID root; a root too long for a whole UUID gets as many bits as fit in 64 characters. */
export function randomIds(uidRoot = '2.25'): Ids {
  return {
    uid: () => uuidToUid(randomUUID(), uidRoot).slice(0, 64),
    controlId: () => `S${randomBytes(9).toString('hex').toUpperCase()}`,
  };
}

/** Counted identifiers for tests: the same on every run. */
export function countedIds(): Ids {
  let uids = 0;
  let controlIds = 0;
  return {
    uid: () => `2.25.${++uids}`,
    controlId: () => `C${String(++controlIds).padStart(6, '0')}`,
  };
}

/**
 * True for a UID as PS3.5 9.1 allows it: digits and dots, no empty or zero-led component, at most 64 characters. One of
 * nothing but zeros names nothing.
 */
export function isUid(text: string): boolean {
  return text.length <= 64 && /^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/.test(text) && /[1-9]/.test(text);
}
