/** An agent in two processes (DESIGN 14), the listener and its helper, each to be killed by itself. */
import { join } from 'node:path';
import type { Identity } from '../../src/pki/identity.ts';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import type { Sender, Target } from '../../src/transport/transport.ts';
import type { AgentProcess, StartOptions } from '../../tools/agent-process.ts';
import { KICK } from '../../tools/program.ts';
import { type AgentSite, agentSite, NAME, startRealAgent } from './real-agent.ts';

type Starter = (words: readonly string[]) => string[];

const itself: Starter = (words) => [...words];

export interface SeparatedAgent extends AgentSite {
  readonly controller: Identity;
  readonly sender: Sender;
  /** The helper's socket. */
  readonly socket: string;
  /** `by`: what starts the command; defaults to itself. */
  startHelper(by?: Starter, options?: Pick<StartOptions, 'inherit'>): Promise<AgentProcess>;
  /** On the port of the first one. */
  startListener(by?: Starter): Promise<AgentProcess>;
  target(): Target;
}

/** What both need, below `folder`. `config`: of agent.yaml; `kick`: what runs the program. */
export async function separatedAgent(
  folder: string,
  config: object,
  kick: readonly string[] = KICK,
): Promise<SeparatedAgent> {
  const site = agentSite(folder, { kill_grace: '1s', ...config });
  const controller = await site.ca.identity('puppet.example.com');
  const socket = join(folder, 'helper.sock');
  let port = 0;
  return {
    ...{ ...site, controller, socket },
    sender: httpsSender({ identity: controller }),
    startHelper: (by = itself, options = {}) =>
      startRealAgent(by([...site.command({ kick }), '--take-from', socket]), options),
    async startListener(by = itself) {
      const words = [...site.command({ port, kick }), '--pass-to', socket];
      const listener = await startRealAgent(by(words));
      port = listener.port;
      return listener;
    },
    target: () => ({ certname: NAME, host: '127.0.0.1', port }),
  };
}
