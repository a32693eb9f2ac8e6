import { isUtf8 } from 'node:buffer';
import { createHash, timingSafeEqual } from 'node:crypto';
import express from 'express';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';
import type { z } from 'zod';
import { SwfError, describeError } from '../platform/errors.ts';
import { storeError } from '../store/prisma.ts';
import { createPreview } from '../transactions/preview.ts';
import { bodyReader } from './body.ts';
import { ownPagesOnly } from './origin.ts';
import { type Place, type Problem, ProblemError, parameterProblem, problemOf } from './problem.ts';
import { previewShown } from './preview-shown.ts';
import { type AppDeps, type Reply, type Route, onlyLooks, reasonHeaderOf } from './route.ts';
import { routes } from './routes.ts';

export type { AppDeps, Check } from './route.ts';

function answerProblem(response: Response, problem: Problem): void {
  response
    .status(problem.status)
    .type('application/problem+json')
    .send(Buffer.from(JSON.stringify(problem)));
}

/** What holds for every answer: it is what it says it is, and nobody in between keeps patient data. */
const safeHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  });
  next();
};

/** One line a request, with the pattern of its route: a real path may hold a patient's identifier. */
function requestLog({ department }: AppDeps): RequestHandler {
  return (_request, response, next) => {
    const start = department.clock.now().getTime();
    response.once('close', () => {
      const path = typeof response.locals['path'] === 'string' ? response.locals['path'] : 'unknown route';
      const durationMs = department.clock.now().getTime() - start;
      department.log.info({ path, status: response.statusCode, durationMs }, 'http request');
    });
    next();
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Lets in who knows the token. Digests have one length, so that comparing them takes one time. */
function requireToken(token: string): RequestHandler {
  const expected = digest(token);
  return (request, response, next) => {
    const given = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given !== undefined && timingSafeEqual(digest(given), expected)) {
      next();
      return;
    }
    response.set('WWW-Authenticate', 'Bearer realm="swf-orchestrator"');
    const detail = given === undefined ? 'send the token as Authorization: Bearer TOKEN' : 'the token is not valid';
    throw new ProblemError('unauthorized', detail);
  };
}

function checked<T extends Route['query']>(schema: T, values: object, place: Place): z.output<T> {
  const parsed = schema.safeParse(values);
  if (!parsed.success) throw parameterProblem(parsed.error, place, Object.keys(schema.shape));
  return parsed.data;
}

/** `X-Reason`; Node hands headers over as Latin-1, whatever they were sent in. */
function reasonOf(route: Route, { headers }: Request): string | undefined {
  const header = reasonHeaderOf(route);
  if (!header) return undefined;
  const bytes = Buffer.from([headers['x-reason'] ?? ''].flat().join(', '), 'latin1');
  const given = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
  if (given === '' && route.reason === 'required')
    throw new ProblemError('required-field-missing', 'say why, in the header X-Reason: it is kept in the history');
  return checked(header, given === '' ? { 'X-Reason': undefined } : { 'X-Reason': given }, 'header')['X-Reason'];
}

function answer(response: Response, reply: Reply<unknown>, status = 200): void {
  if ('json' in reply) {
    if (reply.location !== undefined) response.location(reply.location);
    response.status(reply.status ?? status).json(reply.json);
    return;
  }
  response.type(reply.type).send(Buffer.from(reply.body));
}

function handlerFor(route: Route, deps: AppDeps): RequestHandler {
  const { params, query, status } = route;
  const types = ['application/json', ...(route.texts ?? [])];
  const bodyOf = bodyReader(route, deps.department.config.limits.hl7.messageBytes);
  return async (request: Request, response) => {
    const call = {
      params: checked(params, request.params, 'path') as never,
      query: checked(query, request.query, 'query') as never,
      body: (await bodyOf(request, response)) as never,
      // Nobody signs in.
      actor: { name: 'department', reason: reasonOf(route, request) },
      wantsText: request.accepts(types) === 'text/plain',
    };
    const preview = route.act && onlyLooks(call.query) ? createPreview() : undefined;
    const acting = preview ? { ...deps, department: { ...deps.department, preview } } : deps;
    const done = await route.act?.(acting, call);
    if (preview) answer(response, { json: previewShown(preview) });
    else answer(response, await route.answer(deps, call, done as never), status);
  };
}

/** A path that is there, asked by another method (RFC 9110 15.5.6). */
function otherMethod(allowed: readonly string[]): RequestHandler {
  const allow = allowed.join(', ');
  return (_request, response) => {
    response.set('Allow', allow);
    throw new ProblemError('method-not-allowed', `this path takes ${allow}`);
  };
}

/** Adds the routes of one path, and the answer to all other methods. */
function addPath(app: Express, deps: AppDeps, routes: readonly Route[]): void {
  const [{ path } = { path: '' }] = routes;
  const pattern = path.replace(/\{(\w+)\}/g, ':$1');
  app.all(pattern, (_request, response, next) => {
    response.locals['path'] = path;
    next();
  });
  for (const route of routes) {
    if (route.method === 'get') app.get(pattern, handlerFor(route, deps));
    else app.post(pattern, ownPagesOnly(deps.token), handlerFor(route, deps));
  }
  app.all(pattern, otherMethod(routes.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : ['POST']))));
}

function addRoutes(app: Express, deps: AppDeps, routes: readonly Route[]): void {
  for (const path of new Set(routes.map((route) => route.path))) {
    addPath(
      app,
      deps,
      routes.filter((route) => route.path === path),
    );
  }
}

const unknownRoute: RequestHandler = () => {
  throw new ProblemError('unknown-route', 'there is no such route: GET /docs lists them all');
};

/** Express takes a handler of four parameters for an error handler. */
function errorHandler({ department }: AppDeps): ErrorRequestHandler {
  return (thrown: unknown, _request, response, next) => {
    const error = storeError(thrown);
    const foreseen = error instanceof ProblemError || error instanceof SwfError || error instanceof URIError;
    if (!foreseen) department.log.error(describeError(error), 'a request could not be answered');
    if (response.headersSent) next(error);
    else answerProblem(response, problemOf(error));
  };
}

/** The web interface, or that of another table, as an Express app that listens to nothing. */
export function createApp(deps: AppDeps, table: readonly Route[] = routes): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.use(requestLog(deps), safeHeaders);
  const open = table.filter((route) => route.open);
  addRoutes(app, deps, open);
  if (deps.token !== undefined) app.use(requireToken(deps.token));
  addRoutes(
    app,
    deps,
    table.filter((route) => !route.open),
  );
  // Who types the address that the start prints wants to see what there is.
  app.get('/', (_request, response) => response.redirect('/docs'));
  app.use(unknownRoute, errorHandler(deps));
  return app;
}
