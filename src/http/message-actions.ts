import { z } from 'zod';
import { dryRun } from '../transactions/dry-run.ts';
import { replay } from '../transactions/replay.ts';
import { hl7Message, nothing } from './bodies.ts';
import { MAX_ID, type Route, route, whole } from './route.ts';
import { dryRun as dryRunSchema, replayed } from './schemas-messages.ts';

/** What can be done with messages beside reading them. */
export const messageActionRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/api/messages/{id}/replay',
    summary: 'Carries out a stored inbound message again, as if it came now.',
    params: z.strictObject({ id: whole(1, MAX_ID) }),
    body: nothing,
    response: { name: 'Replayed', schema: replayed },
    status: 202,
    problems: [404, 409],
    answer: async ({ department }, { params }) => ({ json: await replay(department, params.id) }),
  }),
  route({
    method: 'post',
    path: '/api/dry-run',
    summary: 'What an HL7 message would do, had it come by MLLP. Nothing is stored or sent.',
    body: { name: 'Hl7Message', schema: hl7Message, ofText: (message) => ({ message }) },
    response: { name: 'DryRun', schema: dryRunSchema },
    answer: async ({ department }, { body }) => ({ json: await dryRun(department, body.message) }),
  }),
];
