import { z } from 'zod';
import { SwfError } from '../platform/errors.ts';
import { findPatientView } from '../store/read-patients.ts';
import { type NumberFilter, listTemporaryNumbers } from '../store/read-temporary-patients.ts';
import { type Department, listedNumbers } from '../transactions/department.ts';
import { reconcile } from '../transactions/reconciliation.ts';
import { registerTemporaryPatient } from '../transactions/temporary-patients.ts';
import { modality, newTemporaryPatient, reconciliation } from './bodies.ts';
import { patientShown } from './department.ts';
import { type Route, listOf, optional, paging, route, text } from './route.ts';
import { numberState, patient, temporaryNumber } from './schemas.ts';

const numbers = (department: Department, filter: NumberFilter, page: { limit: number; after?: number | undefined }) =>
  listTemporaryNumbers(department.store, listedNumbers(department.config), filter, page);

async function numberNamed(department: Department, number: string) {
  const { items } = await numbers(department, { number }, { limit: 1 });
  if (items[0]) return items[0];
  throw new SwfError('internal', 'the number was taken and cannot be read: GET /api/temporary-patients lists it');
}

/** Patients whom nobody has registered: the list of their numbers, and who they are (PIR cases 4 and 5). */
export const temporaryPatientRoutes: readonly Route[] = [
  route({
    path: '/api/temporary-patients',
    summary: 'The register of temporary patients: every number of the list, in its order.',
    query: z.strictObject({
      number: optional(text).describe('PID-3.1'),
      state: optional(numberState),
      modality: optional(modality),
      ...paging,
    }),
    response: { name: 'TemporaryPatientList', schema: listOf(temporaryNumber) },
    answer: async ({ department }, { query }) => {
      const { limit, after, ...filter } = query;
      return { json: await numbers(department, filter, { limit, after }) };
    },
  }),
  route({
    method: 'post',
    path: '/api/temporary-patients',
    summary: 'Registers a patient in the department alone, under the next free number of the list.',
    body: { name: 'NewTemporaryPatient', schema: newTemporaryPatient },
    reason: true,
    response: { name: 'TemporaryPatient', schema: temporaryNumber },
    status: 201,
    problems: [409],
    act: ({ department }, { body, actor }) => registerTemporaryPatient(department, body, actor),
    answer: async ({ department }, _, number) => {
      const location = `/api/temporary-patients?number=${encodeURIComponent(number)}`;
      return { json: await numberNamed(department, number), location };
    },
  }),
  route({
    method: 'post',
    path: '/api/patients/{id}/reconcile',
    summary: 'Says who a temporary patient is: everything of his is the survivor’s (RAD-12 A40).',
    params: z.strictObject({ id: text.describe('PID-3.1 of the temporary patient') }),
    query: z.strictObject({ assigningAuthority: optional(text).describe('PID-3.4') }),
    body: { name: 'Reconcile', schema: reconciliation },
    reason: true,
    response: { name: 'Patient', schema: patient },
    problems: [404, 409],
    act: ({ department }, { params, query, body, actor }) => {
      const temporary = { value: params.id, assigningAuthority: query.assigningAuthority };
      return reconcile(department, { temporary, survivor: body.survivor }, actor);
    },
    answer: async ({ department }, { body: { survivor } }) => ({
      json: patientShown(await findPatientView(department.store, survivor.value, survivor.assigningAuthority)),
    }),
  }),
];
