/** Matching of single values: wildcards, names, dates and times (PS3.4 C.2.2.2). Pure. */

/** True when a key is `*` alone: the same as no value (PS3.4 C.2.2.2.4). */
export const isUniversal = (key: string): boolean => /^\*+$/.test(key);

export const hasWildcard = (key: string): boolean => /[*?]/.test(key);

/** `*` stands for any characters, also none, `?` for one (PS3.4 C.2.2.2.4). Needs no more than both lengths multiplied. */
export function matchesWildcard(value: string, key: string): boolean {
  let at = 0;
  let keyAt = 0;
  let star = -1;
  let resume = 0;
  while (at < value.length) {
    const wanted = key[keyAt];
    if (wanted === '*') {
      star = keyAt++;
      resume = at;
    } else if (wanted === '?' || (wanted !== undefined && wanted === value[at])) {
      at += 1;
      keyAt += 1;
    } else if (star >= 0) {
      // Let the last star take one character more.
      keyAt = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (key[keyAt] === '*') keyAt += 1;
  return keyAt === key.length;
}

// Names are compared without case, as one Unicode form, without padding of components and empty trailing ones.
function normalGroup(group: string): string {
  const components = group
    .normalize('NFC')
    .toLowerCase()
    // How a sigma is written depends on what follows, which a wildcard hides.
    .replaceAll('ς', 'σ')
    .split('^')
    .map((component) => component.trim());
  while (components.length > 1 && components.at(-1) === '') components.pop();
  return components.join('^');
}

const caretsOf = (text: string): number => text.split('^').length - 1;

function matchesNameGroup(value: string, key: string): boolean {
  const stored = normalGroup(value);
  const wanted = normalGroup(key);
  if (stored === '') return false;
  if (!hasWildcard(wanted)) return stored === wanted;
  // Trailing empty components may be left out of a name (PS3.5 6.2.1), so `ADAMS^*` means `ADAMS` as well.
  const padded = stored + '^'.repeat(Math.max(0, caretsOf(wanted) - caretsOf(stored)));
  return matchesWildcard(stored, wanted) || matchesWildcard(padded, wanted);
}

// These have neither case nor, in a normal form, more than one spelling: whoever compares them, they compare alike.
const PLAIN = /^[ -)+->@-~\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]+/u;

/**
 * What the family name of the first group of a key begins with, in lower case and without a pattern, as far as a
 * database compares it as we do: by ASCII and East Asian characters. Empty: nothing to search by.
 */
export function namePrefixOf(key: string): string {
  const family = key.normalize('NFC').split('=')[0]?.split('^')[0]?.trim() ?? '';
  return PLAIN.exec(family)?.[0].toLowerCase() ?? '';
}

/**
 * PN (PS3.5 6.2.1): a key without `=` means any group of the name; one with `=` each of its groups, an empty one
 * matching everything.
 */
export function matchesName(value: string, key: string): boolean {
  const stored = value.split('=');
  if (!key.includes('=')) return stored.some((group) => matchesNameGroup(group, key));
  return key.split('=').every((group, index) => {
    const wanted = group.trim();
    return wanted === '' || isUniversal(wanted) || matchesNameGroup(stored[index] ?? '', wanted);
  });
}

/** Both ends of a range as sent, empty when open; a single value is both. Undefined: not one range (PS3.4 C.2.2.2.5). */
export function rangeOf(key: string): readonly [from: string, to: string] | undefined {
  const parts = key.split('-').map((part) => part.trim());
  const [from = '', to] = parts;
  if (to === undefined) return [from, from];
  return parts.length === 2 && (from !== '' || to !== '') ? [from, to] : undefined;
}

export const isRange = (key: string): boolean => key.includes('-');

/** A DA value as `YYYYMMDD`, also from the old form with dots; undefined when it is no day of the calendar. */
export function dayOf(text: string): string | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(text.trim().replace(/^(\d{4})\.(\d{2})\.(\d{2})$/, '$1$2$3'));
  if (!match) return undefined;
  const [whole, year, month, day] = match;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  const exists = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(`${year}-${month}-${day}`);
  return exists ? whole : undefined;
}

const TIME = /^([01]\d|2[0-3])(?:([0-5]\d)(?:([0-5]\d|60)(?:\.(\d{1,6}))?)?)?$/;

/** A TM value as the first and last moment it may mean, each `HHMMSSffffff`; undefined when it is no time. */
export function momentsOf(text: string): readonly [first: string, last: string] | undefined {
  const match = TIME.exec(text.trim().replaceAll(':', ''));
  if (!match) return undefined;
  const [, hour, minute, second, fraction] = match;
  const first = `${hour}${minute ?? '00'}${second ?? '00'}${(fraction ?? '').padEnd(6, '0')}`;
  // Components that are left out are not known (PS3.5 6.2 TM): 1030 lasts until 10:30:59.999999.
  return [first, `${hour}${minute ?? '59'}${second ?? '59'}${(fraction ?? '').padEnd(6, fraction ? '0' : '9')}`];
}

const FIRST_MOMENT = '000000000000';
const LAST_MOMENT = '235960999999';

/** Whether a DA value lies in a key, ends included. */
export function matchesDate(value: string, key: string): boolean {
  const day = dayOf(value);
  const range = rangeOf(key);
  if (day === undefined || !range) return false;
  const [from, to] = range.map((end) => (end === '' ? '' : dayOf(end)));
  return from !== undefined && to !== undefined && (from === '' || day >= from) && (to === '' || day <= to);
}

// A time as sort key: the first moment of the lower end, the last moment of the upper end.
function timeBounds(range: readonly [string, string]): readonly [string, string] | undefined {
  const first = range[0] === '' ? FIRST_MOMENT : momentsOf(range[0])?.[0];
  const last = range[1] === '' ? LAST_MOMENT : momentsOf(range[1])?.[1];
  return first === undefined || last === undefined ? undefined : [first, last];
}

/** Whether a TM value lies in a key, ends included. */
export function matchesTime(value: string, key: string): boolean {
  const moment = momentsOf(value)?.[0];
  const range = rangeOf(key);
  const bounds = range && timeBounds(range);
  return moment !== undefined && bounds !== undefined && bounds[0] <= moment && moment <= bounds[1];
}

/** A date range and a time range together are one interval from date1 time1 to date2 time2 (PS3.4 K.2.2.1.2). */
export function matchesInterval(stored: { date: string; time: string }, key: { date: string; time: string }): boolean {
  const day = dayOf(stored.date);
  const moment = momentsOf(stored.time)?.[0];
  const days = rangeOf(key.date);
  const times = rangeOf(key.time);
  const bounds = times && timeBounds(times);
  if (day === undefined || moment === undefined || !days || !bounds) return false;
  const [from, to] = days.map((end) => (end === '' ? '' : dayOf(end)));
  if (from === undefined || to === undefined) return false;
  const at = day + moment;
  return (from === '' || at >= from + bounds[0]) && (to === '' || at <= to + bounds[1]);
}
