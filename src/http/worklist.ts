import { z } from 'zod';
import { worklistAsJson } from '../transactions/rad-05-worklist.ts';
import { explainWorklist } from '../transactions/worklist-explanation.ts';
import { date } from './dates.ts';
import { type Route, optional, route, text } from './route.ts';
import { worklist, worklistExplanation } from './schemas-worklist.ts';

const keys = {
  scheduledStationAeTitle: optional(text),
  date: optional(date).describe('YYYY-MM-DD, YYYYMMDD, today, or YYYYMMDD-YYYYMMDD'),
  modality: optional(text),
  patientId: optional(text),
  accessionNumber: optional(text),
};

const aeTitle = optional(z.string().regex(/^[\x20-\x5b\x5d-\x7e]{1,16}$/, 'must be an AE title'));

/** The modality worklist as devices see it, and why a step is on it or not. */
export const worklistRoutes: readonly Route[] = [
  route({
    path: '/api/worklist',
    summary: 'What C-FIND on the modality worklist would answer, as DICOM JSON.',
    query: z.strictObject(keys),
    response: { name: 'Worklist', schema: worklist },
    answer: async ({ department }, { query }) => {
      const { items, truncated } = await worklistAsJson(department, query);
      return { json: { items: items.map((item) => ({ ...item })), next: null, truncated } };
    },
  }),
  route({
    path: '/api/worklist/explain',
    summary: 'Why each step of a procedure, an order or a patient is on the worklist of a device, or is not.',
    query: z.strictObject({
      ...keys,
      requestedProcedureId: optional(text).describe('Names the steps; else the accession number, else the patient id'),
      callingAeTitle: optional(aeTitle).describe('The device that asks'),
      calledAeTitle: optional(aeTitle).describe('dicom.aeTitle, or one of worklists[]; the first where it is left out'),
    }),
    response: { name: 'WorklistExplanation', schema: worklistExplanation },
    answer: async ({ department }, { query }) => ({
      json: { ...(await explainWorklist(department, query)), next: null },
    }),
  }),
];
