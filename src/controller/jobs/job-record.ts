/** A job's events as they are written down: what can be told from job.json is left out. */
import type { HostResult, JobEvent, StopReason } from './job.ts';

/** An event that was read back. */
export type StoredJobEvent =
  | { type: 'job-started'; at: number }
  | { type: 'job-done'; at: number; stopped?: StopReason }
  /** The protected header of the requests that follow: the signer's certificates are kept once. */
  | { type: 'signer'; protected: string }
  | { type: 'request-signed'; at: number; certname: string; payload: string; signature: string }
  | Exclude<JobEvent, { type: 'job-started' | 'job-done' | 'request-signed' }>;

interface Jws {
  protected: string;
  payload: string;
  signature: string;
}

/** Gives the lines of an event; one encoder a file, since it remembers whose requests it has written. */
export function encodeStored(): (event: JobEvent) => string[] {
  let signer = '';
  const line = (event: StoredJobEvent) => `${JSON.stringify(event)}\n`;
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

const TYPES: readonly string[] = [
  ...['job-started', 'job-done', 'signer', 'request-signed', 'host-dispatched', 'host-event', 'host-retry'],
  ...['host-done', 'batch', 'pause', 'window', 'stopping'],
];

/** An event that we have written ourselves; undefined for a line that is damaged. */
export function decodeStored(line: string): StoredJobEvent | undefined {
  try {
    const value = JSON.parse(line) as StoredJobEvent | null;
    if (typeof value !== 'object' || value === null || !TYPES.includes(value.type)) return undefined;
    if (value.type === 'host-done' && !isResult(value.result)) return undefined;
    if (value.type === 'host-event' && typeof value.event?.seq !== 'number') return undefined;
    return value;
  } catch {
    return undefined;
  }
}

function isResult(value: unknown): value is HostResult {
  return typeof value === 'object' && value !== null && 'certname' in value && 'outcome' in value;
}
