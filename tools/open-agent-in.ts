/** The one way to open an agent in this process: without a transport, its folders below one of ours. */
import { join } from 'node:path';
import { type Agent, openAgent } from '../src/agent/agent.ts';
import type { AgentOptions } from '../src/agent/options.ts';
import type { Runner } from '../src/agent/runners/runner.ts';
import { systemClock } from '../src/util/clock.ts';
import { silentLog } from '../src/util/log.ts';

export type OpenAgentOptions = Partial<AgentOptions> & { certname: string; runner: Runner };

/** It obeys controllers that Puppet marks as administrators, and logs nothing. The caller stops it. */
export async function openAgentIn(
  folder: string,
  { certname, ...options }: OpenAgentOptions,
): Promise<Agent> {
  const agent = await openAgent({
    stateDir: join(folder, 'state'),
    runDir: join(folder, 'run'),
    policy: { controllers: [], trustPpCliAuth: true },
    version: '0.0.0-test',
    clock: systemClock,
    log: silentLog,
    queueSize: 10,
    killGraceMs: 300,
    ...options,
  });
  agent.setCertname(certname);
  return agent;
}
