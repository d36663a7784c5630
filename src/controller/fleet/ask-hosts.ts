/** Asks hosts, or sends them a signed command, over connections of their own. */
import type { Action, By } from '../../protocol/request.ts';
import type { StatusQuestion, Target } from '../../transport/transport.ts';
import { type Site, withSender } from '../site.ts';
import type { AgentAnswer } from '../targeting/host-sources.ts';
import { askAgents } from './ask-agents.ts';
import { type CommandAnswer, commandAgents } from './command-agents.ts';
import type { EachHostOptions } from './each-host.ts';

export interface AskOptions<Answer> extends EachHostOptions<Answer> {
  /** Milliseconds. */
  connectTimeoutMs?: number | undefined;
}

export interface FleetOrder extends AskOptions<CommandAnswer> {
  action: Action;
  by: By;
}

/** Returns the answers in the order of the targets. */
export function askHosts(
  site: Site,
  targets: readonly Target[],
  { connectTimeoutMs, ...options }: AskOptions<AgentAnswer> & { question?: StatusQuestion },
): Promise<AgentAnswer[]> {
  return withSender(site, connectTimeoutMs, (sender) =>
    askAgents(targets, { ...options, sender, clock: site.clock }),
  );
}

export async function commandHosts(
  site: Site,
  targets: readonly Target[],
  { connectTimeoutMs, ...order }: FleetOrder,
): Promise<CommandAnswer[]> {
  const identity = await site.identity();
  return withSender(site, connectTimeoutMs, (sender) =>
    commandAgents(targets, { ...order, sender, identity, clock: site.clock }),
  );
}
