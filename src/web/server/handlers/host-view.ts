/** What a host is doing, as the API returns it. */
import type * as v from 'valibot';
import { overdueText, stateOf } from '../../../controller/fleet/host-state.ts';
import type { AgentAnswer } from '../../../controller/targeting/host-sources.ts';
import type { StateSchema } from '../../api/fleet.ts';

export function stateLineOf(answer: AgentAnswer): v.InferInput<typeof StateSchema> {
  const { target, latencyMs, status, error } = answer;
  const overdue = overdueText(answer);
  return {
    certname: target.certname,
    state: stateOf(answer),
    ...(latencyMs !== undefined && { latencyMs }),
    ...(status !== undefined && { status }),
    ...(error !== undefined && { error }),
    ...(overdue !== undefined && { overdue }),
  };
}
