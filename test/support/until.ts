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

/** The same piece of work many times, one after the other. */
export async function times(count: number, work: (round: number) => Promise<void>): Promise<void> {
  for (let round = 1; round <= count; round++) await work(round);
}
