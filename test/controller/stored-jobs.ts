/** A store of jobs in a folder of its own, and events to keep in it. */
import { expect } from 'vitest';
import type { JobEvent } from '../../src/controller/jobs/job.ts';
import { openJobStore } from '../../src/controller/jobs/job-store.ts';
import type { Lease } from '../../src/controller/jobs/lease.ts';
import type { Before, JobSettings } from '../../src/controller/jobs/stored-job.ts';
import type { Outcome } from '../../src/protocol/outcome.ts';
import { systemClock } from '../../src/util/clock.ts';
import { uuidv7 } from '../../src/util/uuid.ts';
import { tempFolder } from '../support/temp.ts';
import { jobOf } from './scripted.ts';

export const SETTINGS: JobSettings = { lostAfterMs: 1, connectTimeoutMs: 1, accept: [], version: '1' };
export const never = (why: string): void => expect.unreachable(why);
export const DAY_MS = 86_400_000;

export function place() {
  const dir = tempFolder();
  const store = openJobStore(dir, systemClock);
  const leases = new Map<string, Lease>();
  let at = 1_700_000_000_000;
  const make = async (names = ['a', 'b'], more: object = {}) => {
    at += 1000;
    const job = { ...jobOf(names), id: uuidv7(at), ...more };
    leases.set(job.id, await store.create(job, SETTINGS));
    return job;
  };
  const record = (id: string, onTrouble = never, known?: Before) => {
    const lease = leases.get(id);
    if (lease === undefined) throw new Error('not made here');
    return store.recorder(id, { lease, onTrouble, known });
  };
  const release = (id: string) => leases.get(id)?.release();
  return { dir, store, make, record, release };
}

export const dispatched = (certname: string): JobEvent => ({ type: 'host-dispatched', at: 1, certname });
export const signed = (certname: string): JobEvent => ({
  ...{ type: 'request-signed', at: 1, certname },
  jws: Buffer.from(JSON.stringify({ protected: 'h', payload: certname, signature: 's' })),
});
export const event = (certname: string, seq: number): JobEvent => ({
  ...{ type: 'host-event', at: 2, certname },
  event: { type: 'log', seq, at: 2, lines: [{ level: 'notice', message: 'x' }] },
});
export const done = (certname: string, outcome: Outcome = 'changed'): JobEvent => ({
  ...{ type: 'host-done', at: 3 },
  result: { certname, outcome, endedAt: 3 },
});
