/** Stores an admitted request in a folder and queues it. */
import { messageOf } from '../../errors.ts';
import { Refusal } from '../../protocol/refusal.ts';
import type { RunRequest } from '../../protocol/request.ts';
import type { Clock } from '../../util/clock.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Queue } from '../queue/queue.ts';
import { type RequestRecord, recordOf } from '../requests/request-record.ts';
import type { RequestStore } from '../requests/request-store.ts';
import type { Audit } from './audit.ts';
import type { RunChecks } from './run-checks.ts';

export interface AcceptDeps {
  requests: Pick<RequestStore, 'create'>;
  queue: Pick<Queue, 'add'>;
  checks: Pick<RunChecks, 'isKnown'>;
  audit: Audit;
  metrics: Pick<Metrics, 'changed'>;
  clock: Clock;
  /** Our version. */
  version: string;
}

/** Stores and queues a request; does nothing if the same one arrived at the same moment. Throws `Refusal`. */
export type Accept = (request: RunRequest, from: string) => Promise<void>;

export function createAccept(deps: AcceptDeps): Accept {
  const { requests, queue, checks, audit, metrics, clock, version } = deps;

  async function isNew(record: RequestRecord): Promise<boolean> {
    try {
      return await requests.create(record, { type: 'accepted', version });
    } catch (error) {
      throw new Refusal('no-space', `cannot store the request: ${messageOf(error)}`);
    }
  }

  return async (request, from) => {
    const record = recordOf(request, clock);
    if (!(await isNew(record))) {
      await checks.isKnown(request);
      return;
    }
    audit.accepted(request, { text: 'accepted', fields: { peer: from } });
    queue.add(record);
    metrics.changed();
  };
}
