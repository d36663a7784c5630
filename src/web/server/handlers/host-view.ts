/** What a host is doing, as the API returns it. */
import type * as v from 'valibot';
import { overdueText, stateOf } from '../../../controller/fleet/host-state.ts';
import type { AgentAnswer } from '../../../controller/targeting/host-sources.ts';
import type { StateSchema } from '../../api/fleet.ts';

/** Milliseconds for a connection, and for the answers of all hosts: who has not answered by then is silent. */
const CONNECT_TIMEOUT_MS = 5000;
const ALL_MS = 20_000;
const AT_ONCE = 500;
const SILENT = `no answer within ${ALL_MS / 1000} seconds`;

/** A page does not wait for the slowest host. */
export function within(): { signal: AbortSignal; connectTimeoutMs: number; concurrency: number } {
  return {
    ...{ connectTimeoutMs: CONNECT_TIMEOUT_MS, concurrency: AT_ONCE },
    signal: AbortSignal.timeout(ALL_MS),
  };
}

export function stateLineOf(answer: AgentAnswer): v.InferInput<typeof StateSchema> {
  const { target, latencyMs, status, error } = answer;
  const overdue = overdueText(answer);
  return {
    certname: target.certname,
    state: stateOf(answer),
    ...(latencyMs !== undefined && { latencyMs }),
    ...(status !== undefined && { status }),
    ...(error !== undefined && { error: answer.failure === 'aborted' ? SILENT : error }),
    ...(overdue !== undefined && { overdue }),
  };
}
