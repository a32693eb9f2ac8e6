import { z } from 'zod';
import { describeError } from '../platform/errors.ts';
import { type AppDeps, type Check, type Route, route } from './route.ts';
import { readiness } from './schemas.ts';

/** The checks; one that cannot even be made counts as failed. */
async function checksOf({ readiness: check, department }: AppDeps): Promise<readonly Check[]> {
  try {
    return await check();
  } catch (error) {
    department.log.error(describeError(error), 'readiness could not be checked');
    return [{ name: 'readiness', ok: false, detail: 'the checks could not be made' }];
  }
}

/** Whether the process lives, and whether it can work. */
export const healthRoutes: readonly Route[] = [
  route({
    path: '/livez',
    summary: '200 while the event loop turns; checks nothing else.',
    response: { name: 'Liveness', schema: z.object({ live: z.boolean() }) },
    open: true,
    answer: async () => ({ json: { live: true } }),
  }),
  route({
    path: '/readyz',
    summary: '200 when everything is there to work with, else 503. A peer that is down is not unreadiness.',
    query: z.strictObject({
      verbose: z.enum(['', 'true', 'false']).optional().describe('Each check and the ports in use'),
    }),
    response: { name: 'Readiness', schema: readiness },
    answer: async (deps, { query }) => {
      const checks = await checksOf(deps);
      const ready = checks.every((check) => check.ok);
      const verbose = query.verbose !== undefined && query.verbose !== 'false';
      return { status: ready ? 200 : 503, json: verbose ? { ready, checks, ports: deps.ports() } : { ready } };
    },
  }),
];
