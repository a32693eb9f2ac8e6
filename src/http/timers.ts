import { z } from 'zod';
import { listTimers } from '../store/read-timers.ts';
import { timerKinds } from '../workflow/timers.ts';
import { type Route, listOf, optional, paging, route } from './route.ts';
import { instant, uid } from './schemas.ts';

const kind = z.enum(timerKinds);
const state = z.enum(['pending', 'fired', 'settled']);

const timer = z.object({
  kind,
  state: state.describe(
    'pending: waited for; fired: it did not come in time; settled: it came after all, or was seen to',
  ),
  effect: z
    .string()
    .nullable()
    .describe('What was done: alarm, noShow, cancel, discontinue, schedule; askAgain while it is pending once more'),
  requestedProcedureIds: z.array(z.string()),
  scheduledProcedureStepId: z.string().nullable().describe('Of a step that is not started'),
  sopInstanceUid: uid.nullable().describe('Of an MPPS that is not ended'),
  fillerOrderNumber: z.string().nullable().describe('ORC-3.1'),
  since: instant.describe('From when its age counts'),
  dueAt: instant.nullable(),
  firedAt: instant.nullable(),
  settledAt: instant.nullable(),
});

/** What is waited for, and what did not come. */
export const timerRoutes: readonly Route[] = [
  route({
    path: '/api/timers',
    summary: 'What is waited for, and what did not come in time (`timers` of the site file), newest first.',
    query: z.strictObject({ kind: optional(kind), state: optional(state), ...paging }),
    response: { name: 'TimerList', schema: listOf(timer) },
    answer: async ({ department }, { query }) => {
      const { limit, after, ...filter } = query;
      return { json: await listTimers(department.store, filter, { limit, after }) };
    },
  }),
];
