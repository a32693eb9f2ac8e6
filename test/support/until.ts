const INTERVAL_MS = 10;

/** Asks for a fact until it is there and gives it; fails with its name when it does not come in time. */
export async function until<T>(
  what: string,
  fact: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 10_000,
): Promise<NonNullable<T>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const found = await fact();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > end) throw new Error(`it did not happen in ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
}

/** `npm run torture` has the time that `npm test` has not. */
const patient = process.env.SWF_TORTURE !== undefined;

/** The same piece of work many times, one after the other; in `npm test` a quarter of them, three at least. */
export async function times(count: number, work: (round: number) => Promise<void>): Promise<void> {
  const rounds = patient ? count : Math.min(count, Math.max(3, Math.ceil(count / 4)));
  for (let round = 1; round <= rounds; round++) await work(round);
}

/** Cases of a table: every third in `npm test`, all in `npm run torture`. */
export function sampled<T>(cases: readonly T[]): T[] {
  return cases.filter((_, index) => patient || index % 3 === 0);
}
