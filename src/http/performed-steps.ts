import { z } from 'zod';
import { performedStepAsJson } from '../transactions/mpps-retrieve.ts';
import { ProblemError } from './problem.ts';
import { type Route, route, text } from './route.ts';
import { performedStep } from './schemas.ts';

/** Performed procedure steps, as the modalities report them. */
export const performedStepRoutes: readonly Route[] = [
  route({
    path: '/api/performed-steps/{sopInstanceUid}',
    summary: 'One performed step (MPPS) with everything that the modality said of it, as DICOM JSON.',
    params: z.strictObject({ sopInstanceUid: text.describe('SOP Instance UID of the MPPS') }),
    response: { name: 'PerformedStep', schema: performedStep },
    problems: [404],
    answer: async ({ department }, { params }) => {
      const found = await performedStepAsJson(department, params.sopInstanceUid);
      if (!found) throw new ProblemError('unknown-key', 'no performed step has this SOP Instance UID');
      return { json: { ...found, dataset: { ...found.dataset } } };
    },
  }),
];
