import { z } from 'zod';
import type { Actor } from '../transactions/actions.ts';
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

/** What a route answers: JSON of its schema, or a text as it is; `status` is the route's own where it is left out. */
export type Reply<T> =
  | { readonly json: T; readonly status?: number; readonly location?: string }
  | { readonly type: string; readonly body: string | Uint8Array };

/** A value that is only looked at. */
type Shown<T> = T extends readonly (infer Item)[]
  ? readonly Shown<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Shown<T[Key]> }
    : T;

/** The checked parameters and the checked body of a request. */
export interface Call<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** Who acts, with `X-Reason` where the route keeps it and the client gave one. */
  readonly actor: Actor;
  /** The client prefers `text/plain` to JSON. */
  readonly wantsText: boolean;
}

type Shape = z.ZodObject<z.ZodRawShape>;

export type Method = 'get' | 'post';

/** What a POST takes: JSON; one that is left out is an empty object. */
interface Body<B extends Shape> {
  readonly name: string;
  readonly schema: B;
  /** Takes text/plain as well, as large as an HL7 message may be; the bytes become what the schema makes of JSON. */
  readonly ofText?: (bytes: Uint8Array) => z.output<B>;
}

/** The parts of a request that have a schema. */
interface Taken<P extends Shape, Q extends Shape, B extends Shape> {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: Body<B>;
}

interface Definition<R extends z.ZodType> {
  /** `get` where it is left out. */
  readonly method?: Method;
  /** In the words of OpenAPI: `/api/orders/{placerOrderNumber}`. */
  readonly path: string;
  readonly summary: string;
  /** JSON of the answer; a route without it answers text. */
  readonly response?: { readonly name: string; readonly schema: R };
  /** Status of an answer that is no problem; 200 where it is left out. */
  readonly status?: 201 | 202;
  /** Media types beside JSON. */
  readonly texts?: readonly string[];
  /** Statuses of problems that this route has beside those of all. */
  readonly problems?: readonly number[];
  /** Keeps why somebody did it: the header `X-Reason`. */
  readonly reason?: true | 'required';
  /** Answered without the token. */
  readonly open?: boolean;
}

/** Does what a POST asks for; with `?dryRun=true` in a department that only looks. */
type Act<C, D> = (deps: AppDeps, call: C) => Promise<D>;

/** Answers a request; `done` is what its act gave. */
type Answer<C, D, R> = (deps: AppDeps, call: C, done: D) => Promise<Reply<R>>;

/** An empty value (`?date=`) asks for nothing, like one that is left out. */
export function optional<T extends z.ZodType>(inner: T) {
  return z.preprocess((value) => (value === '' ? undefined : value), inner.optional());
}

/** A row of the one table that routing, checking and the OpenAPI document are made of. */
export interface Route extends Definition<z.ZodType> {
  readonly method: Method;
  readonly params: Shape;
  readonly query: Shape;
  readonly body?: Body<Shape>;
  readonly act?: Act<Call<never, never, never>, unknown>;
  readonly answer: Answer<Call<never, never, never>, never, unknown>;
}

const nothing = z.strictObject({});

/** What every route with an `act` takes. */
const looking = {
  dryRun: optional(z.enum(['true', 'false'])).describe(
    'true: answer what it would do (Preview); nothing is stored or sent',
  ),
};

/** Whether a request only wants to see what its act would do. */
export function onlyLooks(query: object): boolean {
  return 'dryRun' in query && query.dryRun === 'true';
}

/** A route whose answer is checked against its schemas by the compiler. */
export function route<
  P extends Shape = Shape,
  Q extends Shape = Shape,
  B extends Shape = Shape,
  R extends z.ZodType = z.ZodType,
  D = undefined,
>(
  definition: Definition<R> &
    Taken<P, Q, B> & {
      readonly act?: Act<Call<z.output<P>, z.output<Q>, z.output<B>>, D>;
      readonly answer: Answer<Call<z.output<P>, z.output<Q>, z.output<B>>, D, Shown<z.input<R>>>;
    },
): Route {
  const { method = 'get', params = nothing, query = nothing, act } = definition;
  return { ...definition, method, params, query: act ? query.extend(looking) : query };
}

/** A text that the database can look for: no control characters, of a length that some field can have. */
export const text = z
  .string()
  .min(1, 'must not be empty')
  .max(250)
  .refine((value) => !/\p{Cc}/u.test(value), 'may not hold control characters');

const why = text.describe('Why; kept in the history.');

/** The header that routes with `reason` keep. */
export const reasonHeaders = {
  optional: z.strictObject({ 'X-Reason': why.optional() }),
  required: z.strictObject({ 'X-Reason': why }),
} as const;

/** The header of a route; undefined where it keeps none. */
export function reasonHeaderOf({ reason }: Pick<Route, 'reason'>) {
  return reason && reasonHeaders[reason === 'required' ? 'required' : 'optional'];
}

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
