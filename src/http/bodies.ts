import { z } from 'zod';
import type { DepartmentOrder } from '../transactions/actions.ts';
import { day, localDateTime } from './dates.ts';
import { bytesOf } from './hl7-text.ts';
import { MAX_ID, text } from './route.ts';

/** What the routes that change something take, as schemas: the OpenAPI document is made of them. */

// PS3.5 6.2: a backslash parts values, and LO has 64 characters.
const identifier = text.max(64).refine((value) => !value.includes('\\'), 'may not hold a backslash');

const stationAeTitle = z
  .string()
  .regex(/^(?! )[\x20-\x5b\x5d-\x7e]{1,16}$/, 'an AE title is 1 to 16 printable characters without a backslash');

const uid = z
  .string()
  .max(64)
  .regex(/^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/, 'a UID is numbers and dots')
  .describe('DICOM UID');

const nameParts = {
  family: text.exactOptional(),
  given: text.exactOptional(),
  middle: text.exactOptional(),
  suffix: text.exactOptional(),
  prefix: text.exactOptional(),
  degree: text.exactOptional(),
};

const codedValue = z.strictObject({
  code: identifier,
  scheme: identifier.exactOptional(),
  meaning: text.exactOptional(),
});

/** A modality as DICOM writes it, (0008,0060). */
export const modality = z.string().regex(/^[A-Z0-9 _]{1,16}$/, 'a modality is a DICOM code in capitals');

const sex = z.enum(['F', 'M', 'O', 'U', 'A', 'N']).describe('HL7 table 0001');
const birthDate = day.describe('YYYY-MM-DD');

const patient = z.strictObject({
  identifiers: z
    .array(
      z.strictObject({
        value: identifier.describe('PID-3.1'),
        assigningAuthority: identifier.describe('PID-3.4.1'),
        universalId: identifier.exactOptional(),
        universalIdType: identifier.exactOptional(),
        identifierType: identifier.exactOptional(),
      }),
    )
    .min(1)
    .max(20),
  name: z.strictObject(nameParts).exactOptional().describe('PID-5; may be left out of a patient who is known'),
  birthDate: birthDate.exactOptional(),
  sex: sex.exactOptional(),
});

/** A patient whom the department registers itself. */
export const newTemporaryPatient = z.strictObject({
  number: identifier.exactOptional().describe('Of the list: one that a modality has used; else the next free one'),
  name: z.strictObject(nameParts).exactOptional().describe('PID-5; else temporaryPatients.name and the number'),
  birthDate: birthDate.exactOptional(),
  sex: sex.exactOptional(),
  modality: modality.exactOptional().describe('Where he is examined: takes a number that is not of another modality'),
});

/** Who a temporary patient is. */
export const reconciliation = z.strictObject({
  survivor: z.strictObject({
    value: identifier.describe('PID-3.1'),
    assigningAuthority: identifier.describe('PID-3.4.1'),
  }),
});

const priority = z
  .string()
  .regex(/^[A-Z][A-Z0-9]{0,7}$/, 'a priority is a code of HL7 table 0485 such as R or S')
  .describe('HL7 table 0485');

const anotherPatient = z
  .literal(true)
  .describe('It was performed under the number of another patient who is known, and is not his');

/** An order of the department. */
export const newOrder = z.strictObject({
  patient,
  visitNumber: identifier.exactOptional().describe('PV1-19 of a visit that is known'),
  service: codedValue.describe('OBR-4; the catalogue says what becomes of it'),
  modality: modality.exactOptional().describe('For a service that the catalogue has not'),
  station: stationAeTitle.exactOptional().describe('Scheduled station AE title'),
  start: localDateTime.exactOptional().describe('YYYY-MM-DDTHH:MM[:SS]; now, where it is left out'),
  priority: priority.exactOptional(),
  orderingProvider: z
    .strictObject({ id: identifier.exactOptional(), ...nameParts })
    .exactOptional()
    .describe('ORC-12'),
  enteringOrganisation: codedValue.exactOptional().describe("ORC-17; the department's own, where it is left out"),
  callBackPhone: text.exactOptional().describe('ORC-14'),
  reason: codedValue.exactOptional().describe('OBR-31'),
  relevantClinicalInformation: text.exactOptional().describe('OBR-13'),
  transportationMode: z.enum(['CART', 'PORT', 'WALK', 'WHLC']).exactOptional().describe('OBR-30, HL7 table 0124'),
  studyInstanceUid: uid.exactOptional().describe('Of the study that was made before it was ordered'),
  anotherPatient: anotherPatient.exactOptional(),
  placer: text.exactOptional().describe('Peer that is asked for the placer order number; else the first order placer'),
});

/** The order in the department's words. */
export function departmentOrder({ patient: who, ...order }: z.output<typeof newOrder>): DepartmentOrder {
  const { identifiers, name = {}, birthDate, sex } = who;
  return { ...order, patient: { identifiers, name, birthDate, sex, demographics: {} } };
}

const step = text.max(16).describe('Scheduled procedure step ID; every step, where it is left out');

const placement = z.strictObject({
  step: step.exactOptional(),
  start: localDateTime.exactOptional().describe('YYYY-MM-DDTHH:MM[:SS]; with several steps, of the first'),
  station: stationAeTitle.exactOptional().describe('Scheduled station AE title'),
  location: identifier.max(16).exactOptional().describe('(0040,0011): the room, at most 16 characters'),
});

/** What each action on a procedure takes. */
export const procedureBodies = {
  schedule: { name: 'Schedule', schema: placement },
  reschedule: {
    name: 'Reschedule',
    schema: placement.refine(
      ({ start, station, location }) => (start ?? station ?? location) !== undefined,
      'say where or when: station, location, start',
    ),
  },
  change: { name: 'Change', schema: z.strictObject({ code: codedValue.describe('OBR-44: what is done instead') }) },
  depart: { name: 'Depart', schema: z.strictObject({ step: step.exactOptional() }) },
  decide: {
    name: 'Decide',
    schema: z.strictObject({
      decision: z.enum(['complete', 'repeat']).describe('It was enough, or the step is performed again'),
      step: step.exactOptional(),
    }),
  },
  reorder: {
    name: 'Reorder',
    schema: z.strictObject({
      service: codedValue.describe('OBR-4; the catalogue says what becomes of it'),
      modality: modality.exactOptional().describe('For a service that the catalogue has not'),
      station: stationAeTitle.exactOptional().describe('Scheduled station AE title'),
      start: localDateTime
        .exactOptional()
        .describe('YYYY-MM-DDTHH:MM[:SS]; when the order was to start, where left out'),
      priority: priority.exactOptional(),
      reason: codedValue.exactOptional().describe('OBR-31; that of the order, where left out'),
      relevantClinicalInformation: text.exactOptional().describe('OBR-13; that of the order, where left out'),
    }),
  },
  arrive: { name: 'Arrive', schema: z.strictObject({ step: step.exactOptional() }) },
} as const;

/** The order to which what was performed is bound: one of its numbers. */
export const match = {
  name: 'Match',
  schema: z
    .strictObject({
      placerOrderNumber: text.exactOptional().describe('ORC-2.1'),
      placerOrderIssuer: text.exactOptional().describe('ORC-2.2, else MSH-3; where several issuers gave the number'),
      fillerOrderNumber: text.exactOptional().describe('ORC-3.1'),
      accessionNumber: text.exactOptional().describe('OBR-18 / IPC-1'),
      requestedProcedureId: text.exactOptional().describe('OBR-19 / IPC-2: one procedure of it, where several wait'),
      anotherPatient: anotherPatient.exactOptional(),
    })
    .refine(
      (named) =>
        [named.placerOrderNumber, named.fillerOrderNumber, named.accessionNumber, named.requestedProcedureId].some(
          (number) => number !== undefined,
        ),
      'name the order: placerOrderNumber, fillerOrderNumber, accessionNumber or requestedProcedureId',
    ),
};

const messageId = z.int().min(1).max(MAX_ID);

/** A message of a delivery lane; its number may be a text, as what scripts have taken from an answer often is. */
export const laneMessage = {
  name: 'LaneMessage',
  schema: z.strictObject({
    messageId: z
      .union([
        messageId,
        z
          .string()
          .regex(/^[1-9]\d{0,9}$/)
          .transform(Number)
          .pipe(messageId),
      ])
      .exactOptional()
      .describe('Entry of the journal; else the oldest that was refused'),
  }),
};

/** For what needs no further word. */
export const nothing = { name: 'Nothing', schema: z.strictObject({}) };

/** An HL7 message as JSON carries it: its bytes are those of the set that its MSH-18 names. */
export const hl7Message = z.strictObject({ message: z.string().min(1).transform(bytesOf) });
