import express from 'express';
import type { Request, RequestHandler, Response } from 'express';
import { ProblemError, parameterProblem } from './problem.ts';
import type { Route } from './route.ts';

// Far more than an order of the department needs.
const USUAL_BYTES = 65_536;

const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain';

/** The media types that a route takes. */
export function bodyTypes({ body }: Pick<Route, 'body'>): string[] {
  if (!body) return [];
  return body.ofText ? [JSON_TYPE, TEXT_TYPE] : [JSON_TYPE];
}

/** Nothing was sent: a POST without a body need not name a type. */
function isEmpty({ headers }: Request): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
}

/** What the parser of Express threw, as a problem; its text may quote the body. */
function problemOfParser(thrown: unknown, limit: number): unknown {
  const status = (thrown as { status?: unknown } | null)?.status;
  if (status === 413) return new ProblemError('too-large', `the body may have ${limit} bytes at most`);
  if (status === 415) {
    return new ProblemError('unsupported-media-type', 'send the body in UTF-8 and without Content-Encoding');
  }
  return status === 400 ? new ProblemError('malformed-json', 'the body is not JSON, or was cut off') : thrown;
}

function parsed(parser: RequestHandler, request: Request, response: Response): Promise<unknown> {
  return new Promise((resolve, reject) => {
    void parser(request, response, (error?: unknown) => {
      // The parser hands over what went wrong as it is.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      if (error) reject(error);
      else resolve(request.body);
    });
  });
}

function checked(body: NonNullable<Route['body']>, value: unknown): unknown {
  const result = body.schema.safeParse(value);
  if (!result.success) throw parameterProblem(result.error, 'body', Object.keys(body.schema.shape));
  return result.data;
}

type ReadBody = (request: Request, response: Response) => Promise<unknown>;

/**
 * Reads and checks the body of a POST; `messageBytes` is the largest HL7 message. Throws a problem: 400 for what is no
 * JSON or not of the schema, 413, 415. A page of somebody else's cannot send `application/json` without asking first
 * (Fetch 4.10), and is not answered when it asks.
 */
export function bodyReader(route: Route, messageBytes: number): ReadBody {
  const { body } = route;
  if (!body) return () => Promise.resolve(undefined);
  const limit = body.ofText ? messageBytes : USUAL_BYTES;
  const types = bodyTypes(route);
  const parsers: Readonly<Record<string, RequestHandler>> = {
    [JSON_TYPE]: express.json({ limit, inflate: false, type: () => true }),
    [TEXT_TYPE]: express.raw({ limit, inflate: false, type: () => true }),
  };
  return async (request, response) => {
    if (isEmpty(request)) return checked(body, {});
    const type = request.is(types);
    const parser = typeof type === 'string' ? parsers[type] : undefined;
    if (!parser) {
      throw new ProblemError('unsupported-media-type', `send the body with Content-Type: ${types.join(' or ')}`);
    }
    const value = await parsed(parser, request, response).catch((thrown: unknown) => {
      throw problemOfParser(thrown, limit);
    });
    return type === TEXT_TYPE ? body.ofText?.(value as Uint8Array) : checked(body, value);
  };
}
