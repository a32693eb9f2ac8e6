import { z } from 'zod';
import { localTimeOf } from '../platform/clock.ts';
import {
  type Meant,
  type ProcedureView,
  findHistory,
  findProcedure,
  listProcedures,
} from '../store/read-procedures.ts';
import type { Department } from '../transactions/department.ts';
import { transactionsOf } from '../workflow/core-transactions.ts';
import { date, daysOf } from './dates.ts';
import { ProblemError } from './problem.ts';
import { type Route, listOf, optional, paging, route, text } from './route.ts';
import { acquisitionState, historyLine, procedure } from './schemas.ts';

/** How a procedure is named in a path. */
export const procedureId = text.describe('Requested procedure ID; an accession number while it names one procedure');

/** A procedure as the interface answers it. */
export function procedureShown({ context, patientDifferences, ...view }: ProcedureView) {
  return {
    ...view,
    instances: context.instances,
    transactions: transactionsOf(context),
    ...(patientDifferences.length > 0 ? { patientDifferences } : {}),
  };
}

/** The one procedure that an id means. Throws a problem for none and for several. */
export function theOne<T>(meant: Meant<T>): T {
  if ('one' in meant) return meant.one;
  const { several } = meant;
  if (several.length === 0) {
    throw new ProblemError('unknown-key', 'no procedure has this requested procedure ID or accession number');
  }
  const detail = `this accession number names ${several.length} procedures: use the requested procedure ID of one`;
  throw new ProblemError('ambiguous-key', detail, { procedures: several });
}

function startDays(department: Department, asked: string | undefined) {
  if (asked === undefined) return {};
  const today = localTimeOf(department.clock.now(), department.config.organisation.timeZone).date;
  const { from, to } = daysOf(asked, today);
  return { startDateFrom: from, startDateTo: to };
}

/** Requested procedures, with steps, performed steps and what confirmed each transaction. */
export const procedureRoutes: readonly Route[] = [
  route({
    path: '/api/procedures',
    summary: 'Requested procedures, newest first.',
    query: z.strictObject({
      placerOrderNumber: optional(text),
      accessionNumber: optional(text),
      patientId: optional(text).describe('Any identifier value of the patient'),
      state: optional(acquisitionState),
      date: optional(date).describe('A step starts on this day: YYYY-MM-DD, YYYYMMDD, today, or YYYYMMDD-YYYYMMDD'),
      ...paging,
    }),
    response: { name: 'ProcedureList', schema: listOf(procedure) },
    answer: async ({ department }, { query }) => {
      const { limit, after, date: day, ...columns } = query;
      const filter = { ...columns, ...startDays(department, day) };
      const page = await listProcedures(department.store, filter, { limit, after });
      return { json: { ...page, items: page.items.map(procedureShown) } };
    },
  }),
  route({
    path: '/api/procedures/{id}',
    summary: 'One requested procedure.',
    params: z.strictObject({ id: procedureId }),
    response: { name: 'Procedure', schema: procedure },
    problems: [404, 409],
    answer: async ({ department }, { params }) => ({
      json: procedureShown(theOne(await findProcedure(department.store, params.id))),
    }),
  }),
  route({
    path: '/api/procedures/{id}/history',
    summary: 'Each transition of a procedure with its cause, oldest first.',
    params: z.strictObject({ id: procedureId }),
    query: z.strictObject(paging),
    response: { name: 'History', schema: listOf(historyLine) },
    problems: [404, 409],
    answer: async ({ department }, { params, query }) => ({
      json: theOne(await findHistory(department.store, params.id, query)),
    }),
  }),
];
