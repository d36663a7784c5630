/** What an agent says of itself, as the page reads it: the API passes on what newer agents say as well. */
import type { AgentStatus } from '../../../protocol/status.ts';
import type { FleetHost } from '../api/queries.ts';
import type { Tone } from '../theme/outcomes.ts';

export interface FleetRow extends Omit<FleetHost, 'status'> {
  status: AgentStatus | undefined;
}

export function rowOf(host: FleetHost): FleetRow {
  return { ...host, status: host.status as AgentStatus | undefined };
}

/** Of the catalog of its latest run. */
export const versionOf = ({ status }: FleetRow): string | undefined => status?.lastRun?.configurationVersion;

export function toneOfState(state: string): Tone {
  const tones: Readonly<Record<string, Tone>> = {
    applying: 'live',
    stuck: 'failed',
    disabled: 'held',
    idle: 'ok',
    'no answer': 'missing',
    overdue: 'missing',
  };
  return tones[state] ?? 'open';
}

export function toneOfRun(status: string): Tone {
  const tones: Readonly<Record<string, Tone>> = { failed: 'failed', changed: 'changed', unchanged: 'ok' };
  return tones[status] ?? 'open';
}
