/** What every answer says, and what no request may do, whoever sends it. */
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import { ApiProblem } from '../../api/problem.ts';

/** Mantine sets styles on elements: `style-src` allows them inline, scripts never are. */
export function securityHeaders() {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'", "'unsafe-inline'"],
        'img-src': ["'self'", 'data:'],
        'font-src': ["'self'"],
        'connect-src': ["'self'"],
        'base-uri': ["'none'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'none'"],
      },
    },
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
  });
}

const SAFE = ['GET', 'HEAD', 'OPTIONS'];

/**
 * A page of another site must not use the session of whoever looks at it: browsers say where a request comes from
 * (Fetch Metadata), or at least its Origin. Programs say neither, and use tokens.
 */
export function sameOrigin(request: Request, _response: Response, next: NextFunction): void {
  const { method, headers } = request;
  const isOurs = SAFE.includes(method) || isFromHere(headers);
  next(isOurs ? undefined : new ApiProblem('wrong-origin', 'it does not come from this page'));
}

function isFromHere({ 'sec-fetch-site': site, origin, host }: Request['headers']): boolean {
  return site === undefined ? isSame(origin, host) : site === 'same-origin' || site === 'none';
}

function isSame(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true;
  try {
    return new URL(origin).host === host;
  } catch {
    return false; // `null`, as of a sandboxed frame
  }
}
