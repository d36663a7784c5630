/** A job's events as they are written down: what can be told from job.json is left out. */
import * as v from 'valibot';
import { OUTCOME_NAMES } from '../../protocol/outcome.ts';
import type { JobEvent, StopReason } from './job.ts';

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

const at = v.number();
const certname = v.string();
const host = { at, certname };

/** What is looked into when a job is read; the rest of an event is for people, and stays as it is. */
const EventSchema = v.variant('type', [
  v.looseObject({ type: v.literal('job-started'), at }),
  v.looseObject({ type: v.literal('job-done'), at, stopped: v.optional(v.string()) }),
  v.looseObject({ type: v.literal('signer'), protected: v.string() }),
  v.looseObject({ type: v.literal('request-signed'), ...host, payload: v.string(), signature: v.string() }),
  v.looseObject({ type: v.literal('host-dispatched'), ...host }),
  v.looseObject({ type: v.literal('host-retry'), ...host, message: v.string() }),
  v.looseObject({
    type: v.literal('host-event'),
    ...host,
    event: v.looseObject({ type: v.string(), seq: v.number() }),
  }),
  v.looseObject({
    type: v.literal('host-done'),
    at,
    result: v.looseObject({ certname, outcome: v.picklist(OUTCOME_NAMES), endedAt: v.number() }),
  }),
  ...(['batch', 'pause', 'window', 'stopping'] as const).map((type) =>
    v.looseObject({ type: v.literal(type), at }),
  ),
]);

/** Undefined for a line that is damaged, or of a later version. */
export function decodeStored(line: string): StoredJobEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return v.is(EventSchema, value) ? (value as StoredJobEvent) : undefined;
}
