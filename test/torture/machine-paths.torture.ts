import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDepartment, startDepartment } from '../http/support.ts';
import { walkAll } from '../workflow/machine-walk.ts';

/** test/workflow/machine-paths.test.ts, as deep as there is time for. */

let at: TestDepartment;
beforeAll(async () => {
  at = await startDepartment({ policy: { autoSchedule: false } });
});
afterAll(() => at.stop());

describe('longer ways through the machine, walked in a department', () => {
  it.each([
    { steps: 1, depth: 4 },
    { steps: 2, depth: 3 },
  ])(
    'given a procedure of $steps steps, then $depth events lead where the model says',
    async ({ steps, depth }) => {
      expect(await walkAll(at, steps, depth)).toBeGreaterThan(200);
    },
    1_800_000,
  );
});
