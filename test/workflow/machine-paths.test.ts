import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDepartment, startDepartment } from '../http/support.ts';
import { walkAll } from './machine-walk.ts';

/**
 * The machine as a model of the department: what it says of every order of messages and staff actions up to a depth is
 * what HL7, MPPS, notifications, reports and people bring about in the store and the lanes.
 */

let at: TestDepartment;
beforeAll(async () => {
  at = await startDepartment({ policy: { autoSchedule: false } });
});
afterAll(() => at.stop());

describe('every way through the machine, walked in a department (docs/workflow.md)', () => {
  it.each([
    { steps: 1, depth: 2, least: 30 },
    { steps: 2, depth: 1, least: 7 },
  ])(
    'given a procedure of $steps steps, then every way to depth $depth leads where the model says',
    async ({ steps, depth, least }) => {
      expect(await walkAll(at, steps, depth)).toBeGreaterThan(least);
    },
  );
});
