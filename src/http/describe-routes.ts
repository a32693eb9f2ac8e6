import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { bodyTypes } from './body.ts';
import { type Route, reasonHeaderOf } from './route.ts';
import { problem } from './schemas.ts';
import { preview } from './schemas-messages.ts';

/** A JSON Schema as OpenAPI 3.1 takes it. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly type?: string | readonly string[];
  readonly $ref?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly default?: string | number | undefined;
}

/** A parameter as the document describes it. */
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

export const COMPONENTS = '#/components/schemas/';
// Beside its own: a wrong parameter, a missing token, a database that is down.
const PROBLEMS_OF_ALL = [400, 401, 503];
// Beside those: a page of somebody else's, a body that is too large or of another type.
const PROBLEMS_OF_POST = [403, 413, 415];

/** The parameters of a route, those of the path first. */
export function parametersOf(route: Route): Parameter[] {
  const places = [
    ['path', route.params],
    ['query', route.query],
    ['header', reasonHeaderOf(route) ?? z.strictObject({})],
  ] as const;
  return places.flatMap(([place, shape]) => {
    const schema = z.toJSONSchema(shape) as JsonSchema;
    return Object.entries(schema.properties ?? {}).map(([name, { description, ...rest }]) => ({
      name,
      in: place,
      required: place === 'path' || (place === 'header' && (schema.required ?? []).includes(name)),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    }));
  });
}

/** The schemas of all bodies and answers by their names; those that hold one another refer to it. */
export function componentsOf(routes: readonly Route[]): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  registry.add(problem, { id: 'Problem' });
  if (routes.some(({ act }) => act)) registry.add(preview, { id: 'Preview' });
  for (const { response, body } of routes) {
    if (response) registry.add(response.schema, { id: response.name });
    if (body) registry.add(body.schema, { id: body.name });
  }
  const made = z.toJSONSchema(registry, { io: 'input', uri: (id) => `${COMPONENTS}${id}` });
  const entries = Object.entries(made.schemas as Record<string, JsonSchema>).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([id, schema]) => [id, withoutIdentity(schema)]));
}

/** OpenAPI says where a schema is and which dialect it is in (OAS 3.1 4.8.24). */
function withoutIdentity(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== '$schema' && keyword !== '$id'));
}

function problemStatuses(route: Route): number[] {
  const all = route.open ? [] : route.path.startsWith('/api/') ? PROBLEMS_OF_ALL : [400, 401];
  const posted = route.method === 'post' ? PROBLEMS_OF_POST : [];
  return [...new Set([...all, ...posted, ...(route.problems ?? [])])].sort((a, b) => a - b);
}

const refTo = (name: string) => ({ $ref: `${COMPONENTS}${name}` });

/** What a preview answers has status 200, whatever status the deed has. */
function previewOf({ act, status }: Route): Record<string, object> {
  if (!act || status === undefined) return {};
  const content = { 'application/json': { schema: refTo('Preview') } };
  return { 200: { description: 'With dryRun=true: what it would do', content } };
}

function responsesOf(route: Route): Record<string, object> {
  const { response, act, status: own } = route;
  const either = act && own === undefined;
  const json = response && {
    'application/json': {
      schema: either ? { anyOf: [refTo(response.name), refTo('Preview')] } : refTo(response.name),
    },
  };
  const texts = (route.texts ?? []).map((type) => [type, { schema: { type: 'string' } }] as const);
  const { status = 200 } = route;
  const ok = { description: STATUS_CODES[status] ?? '', content: { ...json, ...Object.fromEntries(texts) } };
  const content = { 'application/problem+json': { schema: { $ref: `${COMPONENTS}Problem` } } };
  const problems = problemStatuses(route).map(
    (status) => [String(status), { description: STATUS_CODES[status] ?? '', content }] as const,
  );
  // /readyz says why it is not ready in the same shape.
  const unready = route.path === '/readyz' ? { 503: { ...ok, description: 'Not ready' } } : {};
  return { ...previewOf(route), [status]: ok, ...Object.fromEntries(problems), ...unready };
}

function requestBodyOf(route: Route): object {
  const { body } = route;
  if (!body) return {};
  const json = { schema: { $ref: `${COMPONENTS}${body.name}` } };
  const contents = bodyTypes(route).map((type) => [
    type,
    type.endsWith('json') ? json : { schema: { type: 'string' } },
  ]);
  const required = !body.schema.safeParse({}).success;
  return { requestBody: { required, content: Object.fromEntries(contents) as object } };
}

function operationId({ method, path }: Route): string {
  const words = path.split(/[^A-Za-z]+/).filter((word) => word !== '' && word !== 'api');
  return `${method}${words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join('')}`;
}

function operationOf(route: Route): object {
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(route.open ? { security: [] } : {}),
    parameters: parametersOf(route),
    ...requestBodyOf(route),
    responses: responsesOf(route),
  };
}

/** The OpenAPI 3.1 document of a table of routes. */
export function describeRoutes(routes: readonly Route[], version: string): object {
  const paths: Record<string, object> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'swf-orchestrator',
      version,
      description: 'Orders, requested procedures, worklist, journal and delivery lanes of the department.',
    },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Needed when the server was given a token.' },
      },
      schemas: componentsOf(routes),
    },
  };
}
