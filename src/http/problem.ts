import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';
import { type FailureCode, failures, toSwfError } from '../platform/errors.ts';

/** Failures that only a web client can cause, with their HTTP status; all others are rows of platform/errors.ts. */
const requestFailures = {
  'unknown-parameter': 400,
  'malformed-json': 400,
  unauthorized: 401,
  'foreign-origin': 403,
  'unknown-route': 404,
  'method-not-allowed': 405,
  'not-acceptable': 406,
  'too-large': 413,
  'unsupported-media-type': 415,
} as const satisfies Record<string, number>;

export type ProblemCode = FailureCode | keyof typeof requestFailures;

/** Every `type` that a problem can have. */
export const problemCodes = [...Object.keys(failures), ...Object.keys(requestFailures)] as ProblemCode[];

/** The body of an error answer (RFC 9457); `type` is the code of the failure. */
export interface Problem {
  readonly type: ProblemCode;
  readonly title: string;
  readonly status: number;
  /** What, where and what to do next, without patient data. */
  readonly detail: string;
  readonly [member: string]: unknown;
}

/** Thrown to answer a request with a problem; `members` say more in a form that programs read. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(code: ProblemCode, detail: string, members: Readonly<Record<string, unknown>> = {}) {
    super(detail);
    this.name = 'ProblemError';
    const status = statusOf(code);
    this.problem = { type: code, title: STATUS_CODES[status] ?? 'Error', status, detail, ...members };
  }
}

function statusOf(code: ProblemCode): number {
  return code in failures ? failures[code as FailureCode].http : requestFailures[code as keyof typeof requestFailures];
}

/** Whatever was thrown, as a problem: what nobody foresaw says nothing of its cause. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof ProblemError) return thrown.problem;
  // Express throws this for a path or query that is not percent-encoded UTF-8 (RFC 3986 2.1).
  if (thrown instanceof URIError) return problemOf(new ProblemError('data-type', 'the path is not valid UTF-8'));
  const { code, message } = toSwfError(thrown);
  return new ProblemError(code, message).problem;
}

/** Where a value of a request stands. */
export type Place = 'path' | 'query' | 'body' | 'header';

const keyName: Readonly<Record<Place, string>> = {
  path: 'path parameter',
  query: 'query parameter',
  body: 'member of the body',
  header: 'header',
};

/** Members that nobody knows, those of an object in the body with the way to it. */
function unknownKeys({ issues }: z.ZodError): string[] {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key].join('.')) : [],
  );
}

/** What is wrong with the parameters or the body of a request: every mistake at once, the values never quoted. */
export function parameterProblem(error: z.ZodError, place: Place, known: readonly string[]): ProblemError {
  const unknown = unknownKeys(error);
  if (unknown.length > 0) {
    const names = unknown.map((name) => `'${name.slice(0, 40)}'`).join(', ');
    const usable = known.length > 0 ? `this route knows ${known.join(', ')}` : 'this route knows none';
    return new ProblemError('unknown-parameter', `unknown ${keyName[place]} ${names}: ${usable}`);
  }
  const mistakes = error.issues.map((issue) => {
    const twice = place === 'query' && issue.code === 'invalid_type' && issue.message.endsWith('received array');
    return `${issue.path.join('.') || place}: ${twice ? 'is given more than once' : issue.message}`;
  });
  const what = place === 'body' ? 'wrong body' : `wrong ${keyName[place]}`;
  return new ProblemError('data-type', `${what}: ${mistakes.join('; ')}`);
}
