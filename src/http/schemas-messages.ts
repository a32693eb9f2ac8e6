import { z } from 'zod';
import { destination, historyLine, instant, procedure, step } from './schemas.ts';

/** What is answered about messages. */

const delivery = z.object({
  destination: z.string(),
  effect: z.string(),
  deliveryStatus: z.string().describe('PENDING, DELIVERED, REFUSED, SKIPPED'),
  attempts: z.int(),
  lastAttemptAt: instant.nullable(),
  settledAt: instant.nullable(),
  lastError: z.string().nullable(),
  lastAction: z
    .object({ action: z.enum(['retry', 'skip']), by: z.string(), at: instant, reason: z.string().nullable() })
    .nullable()
    .describe('What a person last did with it'),
});

export const message = z.object({
  id: z.int(),
  direction: z.enum(['in', 'out']),
  protocol: z.enum(['HL7', 'DICOM']),
  transaction: z.string().nullable().describe('RAD-n'),
  messageType: z.string().describe('MSH-9 or the DIMSE request'),
  controlId: z.string().describe('MSH-10, or the affected SOP Instance UID'),
  sendingApplication: z.string(),
  sendingFacility: z.string(),
  peer: z.string().describe('Whom it came from or went to'),
  at: instant,
  outcome: z.enum(['accepted', 'refused', 'waiting', 'skipped']),
  answerCode: z.string().nullable().describe('MSA-1, or a DIMSE status in four hexadecimal digits'),
  controlIdReused: z.boolean(),
  remarks: z.array(z.string()),
});

export const wholeMessage = message.extend({
  encoding: z.enum(['text', 'base64']).describe('Of `raw` and `answer`: HL7 is text, DICOM is base64'),
  raw: z.string().describe('What stood on the wire'),
  answer: z.string().nullable(),
  transferSyntaxUid: z.string().nullable(),
  delivery: delivery.nullable(),
  requestedProcedureIds: z.array(z.string()).describe('Requested procedures that it moved or announces'),
});

export const replayed = z.object({
  messageId: z.int().describe('Its new entry of the journal'),
  answerCode: z.string().describe('MSA-1, or a DIMSE status in four hexadecimal digits'),
});

const laneCounts = destination.pick({ paused: true, pending: true, refused: true });

const procedureShown = procedure
  .pick({ requestedProcedureId: true, accessionNumber: true, studyInstanceUid: true, state: true })
  .extend({
    orderStatus: z.string().describe('ORC-5, HL7 table 0038'),
    steps: z.array(step.extend({ stepStatus: z.string() })),
  });

const historyShown = historyLine
  .pick({ event: true, from: true, to: true, remark: true })
  .extend({ requestedProcedureId: z.string() });

const messageShown = z.object({
  destination: z.string(),
  transaction: z.string(),
  messageType: z.string(),
  text: z.string().describe('A segment a line'),
});

export const preview = z.object({
  dryRun: z.literal(true).describe('Nothing of this was stored or sent'),
  procedures: z.array(
    z.object({
      requestedProcedureId: z.string(),
      before: procedureShown.nullable().describe('null for one that it would make'),
      after: procedureShown,
    }),
  ),
  history: z.array(historyShown),
  messages: z.array(messageShown).describe('Messages that would go out'),
  destinations: z
    .array(z.object({ name: z.string(), before: laneCounts, after: laneCounts }))
    .describe('Delivery lanes that it concerns'),
});

export const dryRun = z.object({
  answer: z.string().describe('The acknowledgement, a segment a line'),
  answerCode: z.string().describe('MSA-1'),
  transaction: z.string().optional().describe('RAD-n'),
  rules: z.array(z.string()).describe('Which rules fired, what is missing or odd'),
  procedures: z.array(procedureShown),
  history: z.array(historyShown),
  messages: z.array(messageShown),
});
