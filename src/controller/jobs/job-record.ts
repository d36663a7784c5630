/** A job's events as they are stored: what job.json holds is left out. job-schema.ts reads them. */
import { withLineSum } from '../../util/line-sum.ts';
import type { JobEvent } from './job.ts';
import type { StoredJobEvent } from './job-schema.ts';

interface Jws {
  protected: string;
  payload: string;
  signature: string;
}

/** An event as it is written. */
type Written =
  | Exclude<JobEvent, { type: 'job-started' | 'job-done' | 'request-signed' }>
  | Extract<StoredJobEvent, { type: 'job-started' | 'job-done' | 'request-signed' | 'signer' }>;

/** Returns an encoder of events into lines; one per file, since it remembers the last signer written. */
export function encodeStored(): (event: JobEvent) => string[] {
  let signer = '';
  const line = (event: Written) => `${withLineSum(JSON.stringify(event))}\n`;
  return (event) => {
    switch (event.type) {
      case 'job-started':
        return [line({ type: 'job-started', at: event.at })];
      case 'job-done': {
        const { at, stopped } = event;
        return [line({ type: 'job-done', at, ...(stopped !== undefined && { stopped }) })];
      }
      case 'request-signed': {
        const jws = JSON.parse(Buffer.from(event.jws).toString('utf8')) as Jws;
        const { at, certname } = event;
        const { payload, signature } = jws;
        const lines = jws.protected === signer ? [] : [line({ type: 'signer', protected: jws.protected })];
        signer = jws.protected;
        return [...lines, line({ type: 'request-signed', at, certname, payload, signature })];
      }
      default:
        return [line(event)];
    }
  };
}
