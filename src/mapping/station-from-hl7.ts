import { parsePlace } from '../hl7/message.ts';
import type { Reading } from './reader.ts';
import type { FirstSegments } from './structure-from-hl7.ts';

/** An application entity title as DICOM writes it (AE, PS3.5 6.2). */
export function isAeTitle(text: string): boolean {
  return /^[\x20-\x5b\x5d-\x7e]{1,16}$/.test(text);
}

/**
 * The scheduled station that the sender's rule names, looked for in the first of the scopes that has its segment:
 * undefined without a rule or a value, null where the sender clears it (`""`).
 */
export function stationsFromHl7(reading: Reading, scopes: readonly FirstSegments[]): string[] | null | undefined {
  const { station } = reading.rules;
  const place = station === undefined ? undefined : parsePlace(station);
  if (!place) return undefined;
  const scope = scopes.find((segments) => segments.has(place.segment));
  const value = scope?.get(place.segment)?.get(place.field, place.component);
  if (typeof value !== 'string') return value;
  if (isAeTitle(value)) return [value];
  reading.remarks.push(`${station} is not an AE title and is not used`);
  return undefined;
}
