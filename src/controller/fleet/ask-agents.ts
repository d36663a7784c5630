/** Asks many agents for their state. */
import { SendError, type Sender, type StatusQuestion, type Target } from '../../transport/transport.ts';
import type { Clock } from '../../util/clock.ts';
import type { AgentAnswer } from '../targeting/host-sources.ts';
import { askEach, type EachHostOptions } from './each-host.ts';

export interface AskAgentsOptions extends EachHostOptions<AgentAnswer> {
  sender: Sender;
  clock: Clock;
  /** What to ask for besides the state. */
  question?: StatusQuestion | undefined;
}

/** Returns the answers in the order of the targets. */
export function askAgents(targets: readonly Target[], options: AskAgentsOptions): Promise<AgentAnswer[]> {
  const { sender, clock, question } = options;

  async function askOne(target: Target, signal: AbortSignal): Promise<AgentAnswer> {
    const from = clock.monotonic();
    try {
      const status = await sender.status(target, { signal, ...question });
      return { target, latencyMs: Math.round(clock.monotonic() - from), status };
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      const { refusal, message, failure } = error;
      return { target, error: refusal === undefined ? message : `refused: ${refusal.code}`, failure };
    }
  }

  return askEach(targets, askOne, options);
}
