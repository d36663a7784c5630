/** One question to a listener of its own, and all that was heard. */
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { type AgentOptions, type Rudeness, speak, startAgent } from './support.ts';

export const ca = mintCa();
export const agentIdentity = ca.agent();
export const controller = ca.controller();

export async function ask(say: Rudeness['say'], options: AgentOptions & { every?: number } = {}) {
  const agent = await startAgent(agentIdentity, options);
  const { every } = options;
  const heard = await speak(agent.listener.port, {
    identity: controller,
    ...(say !== undefined && { say }),
    ...(every !== undefined && { every }),
  });
  const [top = '', body = ''] = heard.text.split(/\r\n\r\n/);
  return { ...heard, top, body, agent };
}
