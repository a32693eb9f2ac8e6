/** The time, handed in: nothing outside this file asks the machine for it. */
export interface Clock {
  /** The present instant. */
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** A clock for tests that stands still until it is moved. */
export function fixedClock(start: string | Date): Clock & { advance(milliseconds: number): void } {
  let instant = new Date(start).getTime();
  return {
    now: () => new Date(instant),
    advance: (milliseconds) => {
      instant += milliseconds;
    },
  };
}

/** A site-local date and time without zone: what a worklist shows (PS3.5 DA and TM). */
export interface LocalDateTime {
  /** `YYYY-MM-DD` */
  readonly date: string;
  /** `HH:MM:SS` */
  readonly time: string;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formatters.set(timeZone, formatter);
  }
  return formatter;
}

/** The wall clock of a time zone (IANA name) at an instant. */
export function localTimeOf(instant: Date, timeZone: string): LocalDateTime {
  const parts = new Map(
    formatterOf(timeZone)
      .formatToParts(instant)
      .map((part) => [part.type, part.value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '00';
  return {
    date: `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`,
    time: `${part('hour')}:${part('minute')}:${part('second')}`,
  };
}

/** An instant as people read it, on the wall clock of a zone: `YYYY-MM-DD HH:MM:SS`. */
export function wallClock(instant: Date, timeZone: string): string {
  const { date, time } = localTimeOf(instant, timeZone);
  return `${date} ${time}`;
}

/** The offset of a zone from UTC at an instant, as HL7 and DICOM write it: `+0100`. */
export function offsetOf(instant: Date, timeZone: string): string {
  const local = localTimeOf(instant, timeZone);
  const asUtc = Date.parse(`${local.date}T${local.time}Z`);
  const minutes = Math.round((asUtc - Math.floor(instant.getTime() / 1000) * 1000) / 60_000);
  const absolute = Math.abs(minutes);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(absolute / 60))}${two(absolute % 60)}`;
}

/** The offset of a zone from UTC when its wall clock shows a local time: `+0100`. In an hour that comes twice, the first. */
export function offsetAt(local: LocalDateTime, timeZone: string): string {
  const asUtc = wall(local);
  // A day earlier and later have the offsets of both sides of any change in between.
  const candidates = [asUtc - DAY_MS, asUtc, asUtc + DAY_MS].map((instant) => offsetOf(new Date(instant), timeZone));
  const shows = (offset: string): boolean => {
    const shown = localTimeOf(new Date(asUtc - minutesOf(offset) * 60_000), timeZone);
    return shown.date === local.date && shown.time === local.time;
  };
  return candidates.find(shows) ?? candidates[0] ?? '+0000';
}

/** The instant at which the wall clock of a time zone shows a local time; one that a change of the clocks skips is as late. */
export function instantOf(local: LocalDateTime, timeZone: string): Date {
  return new Date(wall(local) - minutesOf(offsetAt(local, timeZone)) * 60_000);
}

const units = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1000, 's'],
] as const;

/** A duration in milliseconds as the site file writes it: `24h`, of two days and more `2d`. */
export function durationText(milliseconds: number): string {
  const fits = units.find(([unit]) => milliseconds % unit === 0 && milliseconds >= unit * (unit === DAY_MS ? 2 : 1));
  return fits ? `${milliseconds / fits[0]}${fits[1]}` : `${milliseconds}ms`;
}

const DAY_MS = 86_400_000;

function minutesOf(offset: string): number {
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3));
  return offset.startsWith('-') ? -minutes : minutes;
}

// The wall clock alone, without a zone: as if it were UTC.
const wall = ({ date, time }: LocalDateTime): number => Date.parse(`${date}T${time}Z`);

/** A local date and time some seconds later, on the wall clock. */
export function plusSeconds(start: LocalDateTime, seconds: number): LocalDateTime {
  const moved = new Date(wall(start) + seconds * 1000).toISOString();
  return { date: moved.slice(0, 10), time: moved.slice(11, 19) };
}

/** A local date and time some minutes later, on the wall clock. */
export function plusMinutes(start: LocalDateTime, minutes: number): LocalDateTime {
  return plusSeconds(start, minutes * 60);
}

/** How many seconds one local date and time is behind another, on the wall clock. */
export function secondsBetween(from: LocalDateTime, to: LocalDateTime): number {
  return (wall(to) - wall(from)) / 1000;
}
