import { createHash, timingSafeEqual } from 'node:crypto';
import express from 'express';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';
import { SwfError, describeError } from '../platform/errors.ts';
import { storeError } from '../store/prisma.ts';
import { type Problem, ProblemError, parameterProblem, problemOf } from './problem.ts';
import type { AppDeps, Reply, Route } from './route.ts';
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

function checked(schema: Route['query'], values: object, place: 'path' | 'query'): never {
  const parsed = schema.safeParse(values);
  if (!parsed.success) throw parameterProblem(parsed.error, place, Object.keys(schema.shape));
  return parsed.data as never;
}

function answer(response: Response, reply: Reply<unknown>): void {
  if ('json' in reply) {
    response.status(reply.status ?? 200).json(reply.json);
    return;
  }
  response.type(reply.type).send(Buffer.from(reply.body));
}

function handlerFor(route: Route, deps: AppDeps): RequestHandler {
  const { params, query } = route;
  const types = ['application/json', ...(route.texts ?? [])];
  return async (request: Request, response) => {
    const call = {
      params: checked(params, request.params, 'path'),
      query: checked(query, request.query, 'query'),
      wantsText: request.accepts(types) === 'text/plain',
    };
    answer(response, await route.answer(deps, call));
  };
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

/** The web interface as an Express app that listens to nothing. */
export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.use(requestLog(deps), safeHeaders);
  const add = (route: Route): void => {
    const named: RequestHandler = (_request, response, next) => {
      response.locals['path'] = route.path;
      next();
    };
    app.get(route.path.replace(/\{(\w+)\}/g, ':$1'), named, handlerFor(route, deps));
  };
  routes.filter((route) => route.open).forEach(add);
  if (deps.token !== undefined) app.use(requireToken(deps.token));
  routes.filter((route) => !route.open).forEach(add);
  // Who types the address that the start prints wants to see what there is.
  app.get('/', (_request, response) => response.redirect('/docs'));
  app.use(unknownRoute, errorHandler(deps));
  return app;
}
