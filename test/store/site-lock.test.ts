import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeSiteLock } from '../../src/store/site-lock.ts';
import { emptyDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await emptyDatabase();
});
afterAll(() => database.drop());

describe('the lock of the process that serves a database', () => {
  it('given one process holds it, when a second asks, then it gets nothing until the first lets go', async () => {
    const first = await takeSiteLock(database.url);
    expect(first).toBeDefined();
    expect(await takeSiteLock(database.url)).toBeUndefined();
    await first?.release();
    const second = await takeSiteLock(database.url);
    expect(second).toBeDefined();
    await second?.release();
  });
});
