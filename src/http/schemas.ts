import { z } from 'zod';
import { coreTransactions } from '../workflow/core-transactions.ts';
import { problemCodes } from './problem.ts';

/** What the interface answers, as schemas: the OpenAPI document is made of them. */

export const instant = z.string().describe('ISO 8601, UTC');
export const uid = z.string().describe('DICOM UID');

export const acquisitionState = z.enum([
  'planned',
  'scheduled',
  'held',
  'inProgress',
  'completed',
  'discontinued',
  'cancelled',
]);

export const orderStatus = z.enum(['SC', 'IP', 'CM', 'DC', 'CA', 'HD']);

const stepStatus = z.enum([
  'SCHEDULED',
  'ARRIVED',
  'READY',
  'STARTED',
  'DEPARTED',
  'COMPLETED',
  'CANCELLED',
  'DISCONTINUED',
]);

const orderNumbers = {
  accessionNumber: z.string().describe('OBR-18 / IPC-1'),
  placerOrderNumber: z.string().nullable().describe('ORC-2.1; null while an order of the department waits for it'),
  fillerOrderNumber: z.string().describe('ORC-3.1'),
};

const patientDifferences = z
  .array(z.string())
  .describe("Names of the fields in which the order's PID differs from the registered patient.");

export const order = z.object({
  ...orderNumbers,
  placerOrderIssuer: z.string().nullable().describe('ORC-2.2, else MSH-3 of the message that brought the order'),
  patientId: z.string().describe('PID-3.1'),
  orderStatus: z.string().describe('ORC-5, HL7 table 0038'),
  reportedOrderStatus: z.string().nullable().describe('ORC-5 as RAD-3 last reported it'),
  numberPending: z.boolean().describe('The order placer has been asked for its number and has not answered (RAD-3 SN)'),
  alarm: z.string().nullable().describe('What a person has to do; null when nothing'),
  visitStatus: z.string().nullable().describe('PREADMIT, OPEN, CLOSED, CANCELLED; null without a visit'),
  patientDifferences,
  procedures: z.array(z.object({ requestedProcedureId: z.string(), state: z.string() })),
  createdAt: instant,
});

export const step = z.object({
  scheduledProcedureStepId: z.string().describe('OBR-20 / IPC-4'),
  stepStatus,
  modality: z.string(),
  scheduledStationAeTitles: z.array(z.string()),
  start: z.string().describe("YYYY-MM-DDTHH:MM:SS on the site's wall clock"),
});

const confirmation = z.object({
  kind: z.enum(['ack', 'response', 'notification', 'query']),
  peer: z.string(),
  messageId: z.int().describe('Entry of the journal'),
  code: z.string().describe('MSA-1, or a DIMSE status in four hexadecimal digits'),
});

const transaction = z.object({
  step: z.int().min(1).max(8),
  transaction: z.enum(coreTransactions),
  happened: z.boolean(),
  at: instant.nullable(),
  confirmedBy: z.array(confirmation),
});

export const procedure = z.object({
  requestedProcedureId: z.string().describe('OBR-19 / IPC-2'),
  ...orderNumbers,
  studyInstanceUid: uid,
  patientId: z.string().describe('PID-3.1'),
  orderStatus: z.string().nullable().describe('ORC-5, HL7 table 0038; null while nobody has ordered it'),
  unreconciled: z.literal(true).optional().describe('Performed unscheduled; waits to be bound to an order'),
  state: z.string().describe(acquisitionState.options.join(', ')),
  availability: z.string().describe('unknown, partial, available'),
  report: z.string().describe('none, preliminary, final, corrected, cancelled'),
  instances: z.object({ named: z.int(), available: z.int() }),
  steps: z.array(step),
  performedSteps: z.array(z.object({ sopInstanceUid: uid, performedProcedureStepStatus: z.string() })),
  transactions: z.array(transaction).describe('The eight transactions of the simple case'),
  patientDifferences: patientDifferences.optional(),
});

export const historyLine = z.object({
  at: instant,
  event: z.string(),
  from: z.string(),
  to: z.string(),
  cause: z.object({
    messageId: z.int().nullable(),
    transaction: z.string().nullable(),
    by: z.string().nullable().describe('Peer, AE title or person'),
  }),
  remark: z.string().nullable(),
});

export const unscheduledStep = z.object({
  sopInstanceUid: uid,
  exception: z.string().describe('Why a person should look at it'),
  performedProcedureStepStatus: z.string(),
  performedProcedureStepId: z.string(),
  performedStationAeTitle: z.string(),
  callingAeTitle: z.string(),
  modality: z.string(),
  patientId: z.string().nullable().describe('(0010,0020) as the modality sent it'),
  studyInstanceUids: z.array(z.string()),
  scheduledProcedureStepIds: z.array(z.string()).describe('Scheduled steps that it performs'),
  requestedProcedureIds: z
    .array(z.string())
    .describe('Procedures of these steps, and those of whose images it is evidence'),
  suggestedProcedureStepIds: z
    .array(z.string())
    .describe('Open steps of that patient at that station within four hours: for a person to judge'),
  discontinuation: z
    .object({
      code: z.string().nullable(),
      scheme: z.string().nullable(),
      meaning: z.string().nullable(),
      proposal: z.string().describe('What departments usually do next: none, reschedule, change, continue, look'),
    })
    .nullable()
    .describe('(0040,0281); null unless it was discontinued for a reason'),
  createdAt: instant,
  updatedAt: instant,
});

export const performedStep = z.object({
  sopInstanceUid: uid,
  performedProcedureStepStatus: z.string().describe('(0040,0252): IN PROGRESS, COMPLETED, DISCONTINUED'),
  exception: z.string().nullable().describe('Why a person should look at it; null when nobody need'),
  callingAeTitle: z.string(),
  scheduledSteps: z
    .array(z.object({ scheduledProcedureStepId: z.string(), stepStatus, requestedProcedureId: z.string() }))
    .describe('Scheduled steps that it performs'),
  dataset: z
    .looseObject({})
    .describe(
      'N-CREATE with every N-SET applied, in the DICOM JSON model (PS3.18 Annex F): dose, billing and material too',
    ),
  createdAt: instant,
  updatedAt: instant,
});

export const destination = z.object({
  name: z.string(),
  actor: z.string().nullable().describe('null when the site file no longer names it'),
  address: z.string().nullable().describe('HOST:PORT'),
  paused: z.boolean().describe('A person has stopped it: nothing is sent until it is resumed'),
  pausedSince: instant.nullable(),
  pausedBy: z.string().nullable(),
  pauseReason: z.string().nullable(),
  pending: z.int(),
  oldestPendingSeconds: z.int().nullable().describe('How long its oldest message has been waiting'),
  refused: z.int().describe('Messages that the peer refused'),
  characterSetProblems: z
    .int()
    .describe("Messages with text that the peer's character set could not carry: they were written in UNICODE UTF-8"),
  lastSuccessAt: instant.nullable(),
  lastError: z.string().nullable(),
  lastErrorAt: instant.nullable(),
});

export const handledLane = destination.extend({
  message: z
    .object({
      messageId: z.int().describe('Entry of the journal'),
      transaction: z.string(),
      deliveryStatus: z.string().describe('PENDING, SKIPPED'),
    })
    .nullable()
    .describe('The message that was handled; null for the lane as a whole'),
});

const identifier = z.object({
  value: z.string().describe('PID-3.1'),
  assigningAuthority: z.string().describe('PID-3.4.1'),
  universalId: z.string().optional(),
  universalIdType: z.string().optional(),
  identifierType: z.string().optional(),
});

export const patient = z.object({
  identifiers: z.array(identifier),
  formerIdentifiers: z
    .array(identifier)
    .describe('Replaced by a merge or a change (ADT^A40, A47); they still find the patient'),
  merges: z
    .array(z.object({ at: instant, messageId: z.int().nullable().describe('Entry of the journal') }))
    .describe('Patients who were merged into this one'),
  name: z
    .object({
      family: z.string().optional(),
      given: z.string().optional(),
      middle: z.string().optional(),
      suffix: z.string().optional(),
      prefix: z.string().optional(),
      degree: z.string().optional(),
    })
    .describe('PID-5'),
  birthDate: z.string().nullable().describe('YYYY-MM-DD'),
  sex: z.string().nullable().describe('HL7 table 0001'),
  registeredAt: instant.nullable().describe('By RAD-1; null while only orders have named the patient'),
  visits: z.array(
    z.object({
      visitNumber: z.string().nullable(),
      assigningAuthority: z.string(),
      visitStatus: z.string(),
      patientClass: z.string().nullable(),
      updatedAt: instant,
    }),
  ),
  orders: z.array(
    order.pick({ placerOrderNumber: true, placerOrderIssuer: true, accessionNumber: true, orderStatus: true }),
  ),
});

export const numberState = z.enum(['free', 'used', 'reconciled']);

export const temporaryNumber = z.object({
  number: z.string().describe('PID-3.1'),
  assigningAuthority: z.string().describe('PID-3.4.1'),
  state: numberState.describe('free: never used; used: somebody’s; reconciled: may be given to somebody again'),
  modality: z.string().nullable().describe('Where its patient is examined, else whose part of the list it is on'),
  since: instant.nullable().describe('Since when it is, or was, in use'),
  takenBy: z.string().nullable().describe('Who took it: a person, or the AE title of a modality'),
  reconciledAt: instant.nullable(),
  survivorId: z.string().nullable().describe('PID-3.1 of the patient who its last one is'),
  procedures: z.int().describe('Procedures of its patient'),
});

export const problem = z.looseObject({
  type: z.enum(problemCodes),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('What is wrong and what to do next'),
});

export const readiness = z.object({
  ready: z.boolean(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string().optional() })).optional(),
  ports: z.record(z.string(), z.int()).optional(),
});
