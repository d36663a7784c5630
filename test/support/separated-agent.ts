/** An agent in two processes (DESIGN 14), the listener and its helper, each to be killed by itself. */
import { join } from 'node:path';
import type { Identity } from '../../src/pki/identity.ts';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import type { Sender, Target } from '../../src/transport/transport.ts';
import type { AgentProcess } from '../../tools/agent-process.ts';
import { type AgentSite, agentSite, NAME, startRealAgent } from './real-agent.ts';

export interface SeparatedAgent extends AgentSite {
  readonly controller: Identity;
  readonly sender: Sender;
  /** The helper's socket. */
  readonly socket: string;
  startHelper(): Promise<AgentProcess>;
  /** On the port of the first one. */
  startListener(): Promise<AgentProcess>;
  target(): Target;
}

/** What both need, below `folder`. `config`: of agent.yaml. */
export async function separatedAgent(folder: string, config: object): Promise<SeparatedAgent> {
  const site = agentSite(folder, { kill_grace: '1s', ...config });
  const controller = await site.ca.identity('puppet.example.com');
  const socket = join(folder, 'helper.sock');
  let port = 0;
  return {
    ...{ ...site, controller, socket },
    sender: httpsSender({ identity: controller }),
    startHelper: () => startRealAgent([...site.command(), '--take-from', socket]),
    async startListener() {
      const listener = await startRealAgent([...site.command({ port }), '--pass-to', socket]);
      port = listener.port;
      return listener;
    },
    target: () => ({ certname: NAME, host: '127.0.0.1', port }),
  };
}
