import { localTimeOf, offsetOf } from '../platform/clock.ts';
import { SwfError } from '../platform/errors.ts';

/** A time stamp as it was sent (TS, HL7 v2.5.1 chapter 2A). */
export interface Timestamp {
  /** `YYYY-MM-DD` */
  readonly date: string;
  /** `HH:MM:SS`; fractions of a second are dropped, a missing minute or second is 00. */
  readonly time?: string;
  /** `+HHMM` or `-HHMM` */
  readonly offset?: string;
}

const pattern = /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.\d{1,6})?)?)?)?([+-]\d{4})?$/;

function invalid(): SwfError {
  return new SwfError('data-type', 'a time stamp is YYYYMMDD[HH[MM[SS[.SSSS]]]][+/-ZZZZ] and a day of the calendar');
}

/** True for a day that the calendar has. */
function isDate(date: string): boolean {
  const milliseconds = Date.parse(`${date}T00:00:00Z`);
  return Number.isFinite(milliseconds) && new Date(milliseconds).toISOString().startsWith(date);
}

/** Zones of the earth lie between -1200 and +1400. */
function isOffset(offset: string): boolean {
  const hours = Number(offset.slice(0, 3));
  const minutes = Number(offset.slice(3));
  const total = Math.abs(hours) * 60 + minutes;
  return minutes < 60 && total <= (offset.startsWith('-') ? 12 : 14) * 60;
}

/**
 * Reads a time stamp of at least a day.
 * @throws SwfError 'data-type' without a location, which only the caller knows
 */
export function readTimestamp(text: string): Timestamp {
  const match = pattern.exec(text.trim());
  if (!match) throw invalid();
  const [, year, month, day, hour, minute = '00', second = '00', offset] = match;
  const date = `${year}-${month}-${day}`;
  if (year === '0000' || !isDate(date) || Number(hour ?? 0) > 23 || Number(minute) > 59 || Number(second) > 59)
    throw invalid();
  if (offset !== undefined && !isOffset(offset)) throw invalid();
  return {
    date,
    ...(hour === undefined ? {} : { time: `${hour}:${minute}:${second}` }),
    ...(offset === undefined ? {} : { offset }),
  };
}

/** The wall clock of a site (IANA zone) for a time stamp; one without time or offset is of the site already. */
export function siteTimeOf(timestamp: Timestamp, timeZone: string): { date: string; time?: string } {
  const { date, time, offset } = timestamp;
  if (time === undefined) return { date };
  if (offset === undefined) return { date, time };
  const instant = new Date(`${date}T${time}${offset.slice(0, 3)}:${offset.slice(3)}`);
  return localTimeOf(instant, timeZone);
}

/** An instant on the wall clock of a zone (IANA name) with its offset: `20260105090500+0100`. */
export function formatTimestamp(instant: Date, timeZone: string): string {
  return formatLocalTimestamp(localTimeOf(instant, timeZone)) + offsetOf(instant, timeZone);
}

/** A local date `YYYY-MM-DD` and time `HH:MM:SS` without offset: `20260105093000`. */
export function formatLocalTimestamp(local: { readonly date: string; readonly time?: string }): string {
  return (local.date + (local.time ?? '')).replace(/[-:]/g, '');
}
