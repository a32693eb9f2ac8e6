const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** How durations are written, for whoever wrote one otherwise. */
export const durationUsage = 'a duration is a whole number and a unit: 500ms, 15s, 1m';

/** `500ms`, `15s`, `1m` in milliseconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+)(ms|s|m)$/.exec(text);
  return match ? Number(match[1]) * (units[match[2] ?? ''] ?? 1) : undefined;
}
