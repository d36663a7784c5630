/** An agent in two processes (DESIGN 14), the listener and its helper, each to be killed by itself. */
import { join } from 'node:path';
import type { Identity } from '../../src/pki/identity.ts';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import type { Sender, Target } from '../../src/transport/transport.ts';
import type { AgentProcess, StartOptions } from '../../tools/agent-process.ts';
import { freePort } from '../../tools/loopback.ts';
import { KICK } from '../../tools/program.ts';
import { unitCommand } from '../../tools/unit-command.ts';
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
  /** Always on the same port. */
  startListener(by?: Starter, options?: Pick<StartOptions, 'onLine'>): Promise<AgentProcess>;
  target(): Target;
}

// prctl(2), PR_SET_MDWE: what MemoryDenyWriteExecute= forbids, and what is started inherits it.
const MDWE =
  'import ctypes,os,sys; ctypes.CDLL(None).prctl(65,1,0,0,0) and sys.exit("no PR_SET_MDWE"); os.execvp(sys.argv[1],sys.argv[1:])';

/** As the unit starts it, without memory that can be written and executed. */
export const listenerAsUnit: Starter = (words) => [
  ...['python3', '-c', MDWE],
  ...unitCommand(words, 'kick-listener'),
];

export const helperAsUnit: Starter = (words) => unitCommand(words, 'kick-helper');

/** What both need, below `folder`. `config`: of agent.yaml; `kick`: what runs the program. */
export async function separatedAgent(
  folder: string,
  config: object,
  kick: readonly string[] = KICK,
): Promise<SeparatedAgent> {
  const site = agentSite(folder, { kill_grace: '1s', ...config });
  const controller = await site.ca.identity('puppet.example.com');
  const socket = join(folder, 'helper.sock');
  const port = await freePort();
  return {
    ...{ ...site, controller, socket },
    sender: httpsSender({ identity: controller }),
    startHelper: (by = itself, options = {}) =>
      startRealAgent(by([...site.command({ kick }), '--take-from', socket]), options),
    startListener(by = itself, options = {}) {
      const words = [...site.command({ port, kick }), '--pass-to', socket];
      return startRealAgent(by(words), options);
    },
    target: () => ({ certname: NAME, host: '127.0.0.1', port }),
  };
}
