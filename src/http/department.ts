import { z } from 'zod';
import { type PatientMeant, type PatientView, findPatientView } from '../store/read-patients.ts';
import { listUnscheduled } from '../store/read-performed-steps.ts';
import { ProblemError } from './problem.ts';
import { type Route, listOf, optional, paging, route, text } from './route.ts';
import { patient, unscheduledStep } from './schemas.ts';

/** The one patient that an identifier means. Throws a problem for none and for several. */
export function patientShown(meant: PatientMeant): PatientView {
  if ('patient' in meant) return meant.patient;
  const { assigningAuthorities } = meant;
  if (assigningAuthorities === 0) throw new ProblemError('unknown-key', 'no patient has this identifier (PID-3)');
  const detail = `${assigningAuthorities} assigning authorities gave this identifier to different patients: choose one with ?assigningAuthority=`;
  throw new ProblemError('ambiguous-key', detail, { assigningAuthorities });
}

/** What fitted no step, and the patients. */
export const departmentRoutes: readonly Route[] = [
  route({
    path: '/api/unscheduled',
    summary: 'Performed steps that a person should look at: they fit no open step, or were discontinued.',
    query: z.strictObject(paging),
    response: { name: 'UnscheduledList', schema: listOf(unscheduledStep) },
    answer: async ({ department }, { query }) => ({ json: await listUnscheduled(department.store, query) }),
  }),
  route({
    path: '/api/patients/{id}',
    summary: 'One patient with identifiers, visits and orders.',
    params: z.strictObject({ id: text.describe('PID-3.1') }),
    query: z.strictObject({ assigningAuthority: optional(text).describe('PID-3.4') }),
    response: { name: 'Patient', schema: patient },
    problems: [404, 409],
    answer: async ({ department }, { params, query }) => ({
      json: patientShown(await findPatientView(department.store, params.id, query.assigningAuthority)),
    }),
  }),
];
