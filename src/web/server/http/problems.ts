/** What was thrown, as an RFC 9457 answer. */
import type { Response } from 'express';
import { KickError, messageOf, systemCode } from '../../../errors.ts';
import type { Log } from '../../../util/log.ts';
import { NotAFile } from '../../../util/regular-file.ts';
import { StoredProblem } from '../../../util/stored-json.ts';
import { ApiProblem, type ProblemCode } from '../../api/problem.ts';

/** What each `KickError` is to who uses the API. */
export const BY_CODE: Readonly<Record<KickError['code'], ProblemCode>> = {
  usage: 'bad-request',
  input: 'bad-request',
  state: 'conflict',
  locked: 'conflict',
  config: 'unavailable',
  identity: 'unavailable',
  inventory: 'unavailable',
  pki: 'unavailable',
  puppet: 'unavailable',
  puppetdb: 'unavailable',
  untrusted: 'unavailable',
  internal: 'internal',
};

const CANNOT_WRITE = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EMFILE', 'ENOTDIR'];

/** Who asks may be a stranger: which file, and why, is not shown. */
function isDamage(error: unknown): boolean {
  const cause = error instanceof KickError ? error.cause : error;
  return cause instanceof StoredProblem || cause instanceof NotAFile;
}

/** What we did not expect is logged, and not shown. */
export function problemOf(error: unknown, log: Log): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (isDamage(error)) {
    log.error({ reason: messageOf(error) }, 'a file of the server cannot be used');
    return new ApiProblem('unavailable', 'a file of the server cannot be used', {
      hint: 'see the log of the server',
    });
  }
  if (error instanceof KickError)
    return new ApiProblem(BY_CODE[error.code], error.message, { hint: error.hint });
  const code = systemCode(error);
  if (code !== undefined && CANNOT_WRITE.includes(code)) {
    log.error({ reason: messageOf(error) }, 'the state directory cannot be written');
    return new ApiProblem('unavailable', `the state directory cannot be written (${code})`, {
      hint: 'is the disk full? jobs run all the same, and are not remembered',
    });
  }
  log.error(
    { reason: messageOf(error), stack: error instanceof Error ? error.stack : undefined },
    'a request failed',
  );
  return new ApiProblem('internal', 'see the log of the server');
}

export function sendProblem(response: Response, problem: ApiProblem): void {
  const { retryAfter } = problem.options;
  if (retryAfter !== undefined) response.setHeader('Retry-After', String(retryAfter));
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem.body()));
}
