/** The request of a job for one host: made and signed when it is sent, so that it is fresh (DESIGN 5). */
import type { Identity } from '../pki/identity.ts';
import { LIFETIME_S, type RunRequest } from '../protocol/request.ts';
import { seal } from '../protocol/seal.ts';
import { uuidv7 } from '../util/uuid.ts';
import type { Job } from './job.ts';

/** The first try of a job; a deliberate new one would raise it. */
const ATTEMPT = 1;

export interface DispatchOptions {
  identity: Identity;
  /** Milliseconds since 1970. */
  now: number;
}

export async function sealedRequest(
  job: Job,
  certname: string,
  { identity, now }: DispatchOptions,
): Promise<Uint8Array> {
  const iat = Math.floor(now / 1000);
  const request: RunRequest = {
    v: 1,
    jti: uuidv7(now),
    job: job.id,
    attempt: ATTEMPT,
    iss: job.controller,
    aud: certname,
    iat,
    exp: iat + LIFETIME_S,
    action: job.action,
    ...(job.queue !== undefined && { queue: job.queue }),
    by: job.by,
  };
  return seal(request, { key: identity.key, chain: identity.chain });
}
