/** The request of a job for one host, signed when it is sent, so that it is fresh (DESIGN 5). */
import type { Identity } from '../../pki/identity.ts';
import { type Action, LIFETIME_S, type Request } from '../../protocol/request.ts';
import { seal } from '../../protocol/seal.ts';
import { uuidv7 } from '../../util/uuid.ts';
import type { Job } from './job.ts';

/** The first attempt of a job; a deliberate new one would raise it. */
const ATTEMPT = 1;

export interface DispatchOptions {
  identity: Identity;
  /** Milliseconds since 1970. */
  now: number;
}

export function sealedRequest(job: Job, certname: string, options: DispatchOptions): Promise<Uint8Array> {
  return sealFor(job, certname, { ...options, action: job.action, queue: job.queue });
}

/** Takes this job's request off its run; the run is ended if no other job wants it (DESIGN 4). */
export function sealedCancel(job: Job, certname: string, options: DispatchOptions): Promise<Uint8Array> {
  return sealFor(job, certname, { ...options, action: { op: 'cancel', job: job.id } });
}

/** A command for one host. `job` identifies this one order in the hosts' logs. */
export function sealedCommand(
  action: Action,
  certname: string,
  order: DispatchOptions & Pick<Request, 'job' | 'by'>,
): Promise<Uint8Array> {
  const { certname: controller } = order.identity;
  return sealFor({ id: order.job, controller, by: order.by }, certname, { ...order, action });
}

async function sealFor(
  job: Pick<Job, 'id' | 'controller' | 'by'>,
  certname: string,
  { identity, now, action, queue }: DispatchOptions & { action: Action; queue?: Request['queue'] },
): Promise<Uint8Array> {
  const iat = Math.floor(now / 1000);
  const request: Request = {
    v: 1,
    jti: uuidv7(now),
    job: job.id,
    attempt: ATTEMPT,
    iss: job.controller,
    aud: certname,
    iat,
    exp: iat + LIFETIME_S,
    action,
    ...(queue !== undefined && { queue }),
    by: job.by,
  };
  return seal(request, { key: identity.key, chain: identity.chain });
}
