import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

// Tests that do the same many times to meet a race, or go through a long table: here as often as they say (test/support/until.ts).
const longer = [
  'test/http/exceptions.test.ts',
  'test/transactions/commit.test.ts',
  'test/transactions/duplicates.test.ts',
  'test/transactions/order-status.test.ts',
  'test/transactions/rad-01-patient.test.ts',
  'test/transactions/rad-02-order.test.ts',
  'test/transactions/rad-06-07-mpps.test.ts',
  'test/transactions/rad-12-at-once.test.ts',
  'test/transactions/rad-49-availability.test.ts',
];

// `npm run torture`: what takes too long to be asked for with every change.
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    ...base.test,
    include: ['test/torture/**/*.torture.ts', ...longer],
    testNamePattern: /kill -9|same instant|at once|at that moment|longer ways|the embedded database|what staff may do/,
    testTimeout: 120_000,
    env: { SWF_TORTURE: '1' },
  },
});
