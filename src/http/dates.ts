import { z } from 'zod';
import type { LocalDateTime } from '../platform/clock.ts';
import { SwfError } from '../platform/errors.ts';
import { worklistDate } from '../transactions/rad-05-worklist.ts';

const DAY = /^(\d{4})(\d{2})(\d{2})$/;

/** `YYYYMMDD` as `YYYY-MM-DD`; undefined when the calendar has no such day. */
function dayOf(compact: string): string | undefined {
  const day = compact.replace(DAY, '$1-$2-$3');
  const instant = new Date(`${day}T00:00:00Z`);
  const real = !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(day);
  return real && !day.startsWith('0000') ? day : undefined;
}

/** Days from and to, `YYYY-MM-DD`, both included; an open end is undefined. */
export interface Days {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** What a `date` parameter asks for; `today` is the day on the site's wall clock. Throws 'data-type'. */
export function daysOf(date: string, today: string): Days {
  const [first = '', last = first] = worklistDate(date, today).split('-');
  const days = [first, last].map((end) => (end === '' ? undefined : dayOf(end)));
  if ([first, last].some((end, index) => end !== '' && days[index] === undefined)) {
    throw new SwfError('data-type', 'the calendar has no such day');
  }
  return { from: days[0], to: days[1] };
}

function isDate(value: string): boolean {
  try {
    daysOf(value, '2000-01-01');
    return true;
  } catch {
    return false;
  }
}

/** A `date` parameter: a day, `today`, or a range (PS3.4 C.2.2.2.5.1). */
export const date = z
  .string()
  .refine(isDate, 'must be YYYY-MM-DD, YYYYMMDD, today, or a range YYYYMMDD-YYYYMMDD of real days');

function isDay(value: string): boolean {
  return dayOf(value.replaceAll('-', '')) === value;
}

/** A day of the calendar, `YYYY-MM-DD`. */
export const day = z.string().refine(isDay, 'must be a real day, YYYY-MM-DD');

const LOCAL = /^(\d{4}-\d{2}-\d{2})T((?:[01]\d|2[0-3]):[0-5]\d)(:[0-5]\d)?$/;

/** `YYYY-MM-DDTHH:MM[:SS]` on the site's wall clock. */
export const localDateTime = z
  .string()
  .refine((value) => isDay(LOCAL.exec(value)?.[1] ?? ''), 'must be YYYY-MM-DDTHH:MM[:SS] of a real day, without a zone')
  .transform((value): LocalDateTime => {
    const [, date = '', minutes = '', seconds = ':00'] = LOCAL.exec(value) ?? [];
    return { date, time: `${minutes}${seconds}` };
  });
