interface Pool<T, R> {
  /** How many at a time. */
  readonly jobs: number;
  /** Whether nothing may happen beside it. */
  readonly isAlone: (item: T) => boolean;
  readonly work: (item: T) => Promise<R>;
  /** Begins no more. */
  readonly signal: AbortSignal;
}

/**
 * Works through a list, several at a time, begun in its order; gives the results in its order. The first that rejects
 * rejects it, when those that were begun are over.
 */
export async function inParallel<T, R>(items: readonly T[], pool: Pool<T, R>): Promise<R[]> {
  const running = new Set<Promise<void>>();
  const results: R[] = [];
  const failures: unknown[] = [];
  const begin = (item: T, index: number): void => {
    const job = pool
      .work(item)
      .then((result) => void (results[index] = result))
      .catch((error: unknown) => void failures.push(error))
      .finally(() => running.delete(job));
    running.add(job);
  };
  let isExclusive = false;
  for (const [index, item] of items.entries()) {
    const isAlone = pool.isAlone(item);
    const most = isAlone || isExclusive ? 1 : pool.jobs;
    while (running.size >= most) await Promise.race(running);
    if (pool.signal.aborted || failures.length > 0) break;
    begin(item, index);
    isExclusive = isAlone;
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
  return results;
}
