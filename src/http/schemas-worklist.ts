import { z } from 'zod';
import { step } from './schemas.ts';

/** What is answered about the worklist. */

export const worklist = z.object({
  items: z.array(z.looseObject({})).describe('Worklist items in the DICOM JSON model (PS3.18 Annex F)'),
  next: z.null(),
  truncated: z.boolean().describe('More steps match than the site answers: ask for less.'),
});

const worklistCheck = z.object({
  check: z.string().describe('A key of the query or a rule of the site, in words'),
  keyword: z.string().nullable().describe('DICOM keyword of the key; null for a rule'),
  asked: z.array(z.string()).describe('What the query, or the rule, wants'),
  stored: z.array(z.string()).describe('What the step has there'),
  matches: z.boolean(),
  advice: z.string().nullable().describe('What to know or do about a check that fails'),
});

export const worklistExplanation = z.object({
  summary: z.string().describe('The whole in a sentence'),
  quirks: z.array(z.string()).describe('stations[].quirks of the calling AE title'),
  association: z.array(worklistCheck).describe('Whether the device may associate at all'),
  items: z.array(
    step.extend({
      requestedProcedureId: z.string(),
      accessionNumber: z.string(),
      patientId: z.string().describe('PID-3.1'),
      state: z.string().describe('Of the procedure'),
      listed: z.boolean().describe('The step is on the list of this device with these keys'),
      checks: z.array(worklistCheck),
    }),
  ),
  next: z.null(),
  truncated: z.boolean().describe('There are more steps: name an order or a procedure.'),
});
