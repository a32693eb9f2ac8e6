import { z } from 'zod';
import type { Department } from '../transactions/department.ts';

/** One readiness check: what it is, whether it passed, and why not. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

/** What the web interface works with. */
export interface AppDeps {
  readonly department: Department;
  readonly readiness: () => Promise<readonly Check[]>;
  /** The ports in use, by what listens on them. */
  readonly ports: () => Readonly<Record<string, number>>;
  /** Undefined lets everybody in: the configuration allows that on loopback only. */
  readonly token: string | undefined;
  readonly version: string;
}

/** What a route answers: JSON of its schema, or a text as it is. */
export type Reply<T> =
  { readonly json: T; readonly status?: number } | { readonly type: string; readonly body: string | Uint8Array };

/** A value that is only looked at. */
type Shown<T> = T extends readonly (infer Item)[]
  ? readonly Shown<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Shown<T[Key]> }
    : T;

/** The checked parameters of a request. */
export interface Call<P, Q> {
  readonly params: P;
  readonly query: Q;
  /** The client prefers `text/plain` to JSON. */
  readonly wantsText: boolean;
}

type Shape = z.ZodObject<z.ZodRawShape>;

interface Definition<P extends Shape, Q extends Shape, R extends z.ZodType> {
  /** In the words of OpenAPI: `/api/orders/{placerOrderNumber}`. */
  readonly path: string;
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  /** JSON of a 200; a route without it answers text. */
  readonly response?: { readonly name: string; readonly schema: R };
  /** Media types beside JSON. */
  readonly texts?: readonly string[];
  /** Statuses of problems that this route has beside those of all. */
  readonly problems?: readonly number[];
  /** Answered without the token. */
  readonly open?: boolean;
  readonly answer: (deps: AppDeps, call: Call<z.output<P>, z.output<Q>>) => Promise<Reply<Shown<z.input<R>>>>;
}

/** A row of the one table that routing, checking and the OpenAPI document are made of; every route is a GET. */
export interface Route extends Omit<Definition<Shape, Shape, z.ZodType>, 'answer' | 'params' | 'query'> {
  readonly params: Shape;
  readonly query: Shape;
  readonly answer: (deps: AppDeps, call: Call<never, never>) => Promise<Reply<unknown>>;
}

/** A route whose answer is checked against its schemas by the compiler. */
export function route<P extends Shape = Shape, Q extends Shape = Shape, R extends z.ZodType = z.ZodType>(
  definition: Definition<P, Q, R>,
): Route {
  const nothing = z.strictObject({});
  return { ...definition, params: definition.params ?? nothing, query: definition.query ?? nothing };
}

/** An empty value (`?date=`) asks for nothing, like one that is left out. */
export function optional<T extends z.ZodType>(inner: T) {
  return z.preprocess((value) => (value === '' ? undefined : value), inner.optional());
}

/** A text that the database can look for: no control characters, of a length that some field can have. */
export const text = z
  .string()
  .min(1)
  .max(250)
  .refine((value) => !/\p{Cc}/u.test(value), 'may not hold control characters');

/** A whole number of a path or query. */
export function whole(least: number, most: number) {
  return z
    .string()
    .regex(/^\d{1,10}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .pipe(z.int().min(least).max(most));
}

/** The largest id that the database gives. */
export const MAX_ID = 2_147_483_647;

const MOST_ITEMS = 500;
const USUAL_ITEMS = 100;

/** `limit` and `after` of a list. */
export const paging = {
  limit: z
    .preprocess((value) => (value === '' ? undefined : value), whole(1, MOST_ITEMS).default(USUAL_ITEMS))
    .describe('How many items at most.'),
  after: optional(whole(1, MAX_ID)).describe('`next` of the page before.'),
};

/** A list as every list answers. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().describe('Give it as `after` for the items that follow; null when there are none.'),
  });
}
