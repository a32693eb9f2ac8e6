import { z } from 'zod';
import { exceptionRoutes } from './exceptions.ts';
import { departmentRoutes } from './department.ts';
import { destinationRoutes } from './destinations.ts';
import { docsPage } from './docs-page.ts';
import { healthRoutes } from './health.ts';
import { messageActionRoutes } from './message-actions.ts';
import { messageRoutes } from './messages.ts';
import { describeRoutes } from './describe-routes.ts';
import { orderActionRoutes } from './order-actions.ts';
import { orderRoutes } from './orders.ts';
import { performedStepRoutes } from './performed-steps.ts';
import { procedureActionRoutes } from './procedure-actions.ts';
import { procedureRoutes } from './procedures.ts';
import { type Route, route } from './route.ts';
import { temporaryPatientRoutes } from './temporary-patients.ts';
import { timerRoutes } from './timers.ts';
import { worklistRoutes } from './worklist.ts';

const documentRoutes: readonly Route[] = [
  route({
    path: '/openapi.json',
    summary: 'This interface as an OpenAPI 3.1 document.',
    response: { name: 'OpenApiDocument', schema: z.looseObject({}) },
    answer: async ({ version }) => ({ json: { ...describeRoutes(routes, version) } }),
  }),
  route({
    path: '/docs',
    summary: 'This interface as a page.',
    texts: ['text/html'],
    answer: async ({ version }) => ({ type: 'text/html; charset=utf-8', body: docsPage(routes, version) }),
  }),
];

/** Every route of the interface. */
export const routes: readonly Route[] = [
  ...healthRoutes,
  ...documentRoutes,
  ...orderRoutes,
  ...orderActionRoutes,
  ...procedureRoutes,
  ...procedureActionRoutes,
  ...performedStepRoutes,
  ...worklistRoutes,
  ...exceptionRoutes,
  ...departmentRoutes,
  ...destinationRoutes,
  ...temporaryPatientRoutes,
  ...timerRoutes,
  ...messageRoutes,
  ...messageActionRoutes,
];
