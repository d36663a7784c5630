/** The HTTP status of each refusal; the code in the body is what counts. */
import type { RefusalBody, RefusalCode } from '../../../protocol/refusal.ts';

export const REFUSAL_STATUS: Record<RefusalCode, number> = {
  malformed: 400,
  'peer-mismatch': 403,
  signature: 403,
  issuer: 403,
  'controller-not-allowed': 403,
  audience: 403,
  policy: 403,
  expired: 403,
  'clock-skew': 403,
  'unknown-job': 404,
  'job-conflict': 409,
  gone: 410,
  'too-large': 413,
  unsupported: 422,
  internal: 500,
  'no-space': 503,
  'queue-full': 503,
  stopping: 503,
};

/** A request that is refused on HTTP grounds, before the agent is asked. */
export class HttpProblem extends Error {
  readonly status: number;
  readonly body: RefusalBody;
  readonly headers: Record<string, string>;

  constructor(status: number, code: RefusalCode, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = 'HttpProblem';
    this.status = status;
    this.body = { code };
    this.headers = headers;
  }
}
