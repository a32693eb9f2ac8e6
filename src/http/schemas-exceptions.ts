import { z } from 'zod';
import { exceptionKindNames } from '../workflow/exceptions.ts';
import { instant } from './schemas.ts';

/** What is answered about exceptions. */

export const exceptionKind = z.enum(exceptionKindNames);

const nextStep = z.object({
  action: z.string(),
  summary: z.string(),
  method: z.literal('POST'),
  path: z.string(),
  body: z.looseObject({}).nullable().describe('What it takes; empty texts have to be filled, or left out'),
  reason: z.enum(['required', 'optional']).describe('Whether X-Reason has to be given'),
});

export const exception = z.object({
  id: z.string(),
  kind: exceptionKind,
  since: instant,
  sentence: z.string().describe('What it is'),
  detail: z.string().nullable().describe('What its kind does not say: the alarm, the error of the peer, the reason'),
  requestedProcedureId: z.string().nullable().describe('The first of `requestedProcedureIds`'),
  requestedProcedureIds: z.array(z.string()).describe('Procedures that it concerns'),
  placerOrderNumber: z.string().nullable(),
  fillerOrderNumber: z.string().nullable(),
  accessionNumber: z.string().nullable(),
  mppsUid: z.string().nullable().describe('SOP Instance UID of the MPPS'),
  destination: z.string().nullable().describe('Delivery lane'),
  messageId: z.int().nullable().describe('Entry of the journal'),
  transaction: z.string().nullable().describe('RAD-n'),
  nextSteps: z.array(nextStep).describe('What is allowed in its present state, what usually helps first'),
});

export const settled = z.object({ id: z.string(), kind: exceptionKind, settled: z.literal(true) });
