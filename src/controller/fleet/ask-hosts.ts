/** Hosts asked, or given a signed command, over connections of their own. */
import type { Action, By } from '../../protocol/request.ts';
import type { StatusQuestion, Target } from '../../transport/transport.ts';
import { type Site, withSender } from '../site.ts';
import type { AgentAnswer } from '../targeting/host-sources.ts';
import { askAgents } from './ask-agents.ts';
import { type CommandAnswer, commandAgents } from './command-agents.ts';

export interface AskOptions<Answer> {
  /** Milliseconds to connect. */
  connectTimeoutMs?: number | undefined;
  /** Hosts asked at once. */
  concurrency?: number | undefined;
  /** Called as answers come. */
  onAnswer?: ((answer: Answer) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface FleetOrder extends AskOptions<CommandAnswer> {
  action: Action;
  by: By;
}

/** Their answers, in the order of the targets. */
export function askHosts(
  site: Site,
  targets: readonly Target[],
  { question, ...options }: AskOptions<AgentAnswer> & { question?: StatusQuestion },
): Promise<AgentAnswer[]> {
  const { connectTimeoutMs, concurrency, onAnswer, signal } = options;
  return withSender(site, connectTimeoutMs, (sender) =>
    askAgents(targets, {
      sender,
      clock: site.clock,
      ...(question !== undefined && { question }),
      ...(concurrency !== undefined && { concurrency }),
      ...(onAnswer !== undefined && { onAnswer }),
      ...(signal !== undefined && { signal }),
    }),
  );
}

export async function commandHosts(
  site: Site,
  targets: readonly Target[],
  order: FleetOrder,
): Promise<CommandAnswer[]> {
  const { action, by, connectTimeoutMs, concurrency, onAnswer, signal } = order;
  const identity = await site.identity();
  return withSender(site, connectTimeoutMs, (sender) =>
    commandAgents(targets, action, {
      sender,
      identity,
      clock: site.clock,
      by,
      concurrency,
      ...(onAnswer !== undefined && { onAnswer }),
      ...(signal !== undefined && { signal }),
    }),
  );
}
