import { z } from 'zod';
import type { ExceptionPlace } from '../store/exception-sources.ts';
import { type ExceptionView, listExceptions } from '../store/read-exceptions.ts';
import { settleException } from '../transactions/settle-exception.ts';
import { exceptionKinds } from '../workflow/exceptions.ts';
import { nothing } from './bodies.ts';
import { exceptionsPage } from './exceptions-page.ts';
import { httpAddress } from './next-step-command.ts';
import { nextStepsOf } from './next-steps.ts';
import { type AppDeps, type Route, listOf, optional, paging, route, text } from './route.ts';
import { exception, exceptionKind, settled } from './schemas-exceptions.ts';

function exceptionShown(view: ExceptionView) {
  const { facts: _facts, subject: _subject, studyInstanceUid: _study, ...said } = view;
  const { sentence } = exceptionKinds[view.kind];
  const [requestedProcedureId = null] = view.requestedProcedureIds;
  return { ...said, sentence, requestedProcedureId, nextSteps: nextStepsOf(view) };
}

// Far beyond any day that a calendar has, and within what a Date can carry.
const CURSOR = /^(\d{1,14})\.([a-z]+-\d{1,10}(?:-[a-z-]{1,30})?)$/;

const cursorOf = (place: ExceptionPlace | null): string | null => place && `${place.since.getTime()}.${place.id}`;

/** Several sources have no ids in common: a place in the list is an instant and the id of a case. */
const cursor = z.string().regex(CURSOR, 'must be `next` of the page before');

function placeOf(given: string | undefined): ExceptionPlace | undefined {
  const [, since, id] = CURSOR.exec(given ?? '') ?? [];
  return since === undefined || id === undefined ? undefined : { since: new Date(Number(since)), id };
}

const query = z.strictObject({
  kind: optional(exceptionKind),
  requestedProcedureId: optional(text).describe('What concerns this procedure'),
  limit: paging.limit,
  after: optional(cursor).describe('`next` of the page before.'),
});

type Query = z.output<typeof query>;

const pageOf = ({ department }: AppDeps, { limit, after, ...filter }: Query) =>
  listExceptions(department.store, filter, { limit, after: placeOf(after) });

/** Where the next page is. */
function linkTo(next: ExceptionPlace | null, { kind, requestedProcedureId, limit }: Query): string | undefined {
  const after = cursorOf(next);
  if (after === null) return undefined;
  const wanted = { kind, requestedProcedureId, limit: String(limit), after };
  const given = Object.entries(wanted).filter((one): one is [string, string] => one[1] !== undefined);
  return `/exceptions?${new URLSearchParams(given).toString()}`;
}

/** Everything that a person has to look at, and what can be done about it. */
export const exceptionRoutes: readonly Route[] = [
  route({
    path: '/exceptions',
    summary: 'Everything that a person has to look at, as a page, with the commands to type.',
    query,
    texts: ['text/html'],
    answer: async (deps, call) => {
      const { items, next } = await pageOf(deps, call.query);
      const { organisation, http } = deps.department.config;
      const address = httpAddress(http.host, deps.ports()['http'] ?? http.port);
      const shown = { address, token: deps.token, timeZone: organisation.timeZone };
      const body = exceptionsPage({ items, more: linkTo(next, call.query) }, shown);
      return { type: 'text/html; charset=utf-8', body };
    },
  }),
  route({
    path: '/api/exceptions',
    summary: 'Everything that a person has to look at, newest first, with what can be done about it now.',
    query,
    response: { name: 'ExceptionList', schema: listOf(exception) },
    answer: async (deps, call) => {
      const page = await pageOf(deps, call.query);
      return { json: { items: page.items.map(exceptionShown), next: cursorOf(page.next) } };
    },
  }),
  route({
    method: 'post',
    path: '/api/exceptions/{id}/settle',
    summary: 'Closes an exception because nothing else is to be done.',
    params: z.strictObject({ id: text.describe('`id` of GET /api/exceptions') }),
    body: nothing,
    reason: 'required',
    response: { name: 'SettledException', schema: settled },
    problems: [404, 409],
    act: ({ department }, { params, actor }) => settleException(department, params.id, actor),
    answer: (_, __, { id, kind }) => Promise.resolve({ json: { id, kind, settled: true as const } }),
  }),
];
