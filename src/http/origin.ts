import type { Request, RequestHandler } from 'express';
import { ProblemError } from './problem.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

function originOf({ headers }: Request): URL | undefined {
  return URL.canParse(headers.origin ?? '') ? new URL(headers.origin ?? '') : undefined;
}

/**
 * Refuses what a browser sends for a page that is not ours (RFC 6454): without a token every page that a user of this
 * machine opens could otherwise give orders. A name that its owner points at this machine counts as not ours, so without a
 * token the page has to be at a loopback address.
 */
export function ownPagesOnly(token: string | undefined): RequestHandler {
  return (request, _response, next) => {
    if (request.headers.origin === undefined) return next();
    const origin = originOf(request);
    const own = origin !== undefined && origin.host === (request.headers.host ?? '').toLowerCase();
    if (own && (token !== undefined || LOOPBACK.test(origin.hostname))) return next();
    throw new ProblemError('foreign-origin', 'a page of another origin may not change anything here');
  };
}
