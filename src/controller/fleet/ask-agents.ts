/** Many agents asked what they are and do, some at a time: one that hangs costs the others nothing. */
import { setMaxListeners } from 'node:events';
import { SendError, type Sender, type StatusQuestion, type Target } from '../../transport/transport.ts';
import type { Clock } from '../../util/clock.ts';
import { createPlaces } from '../../util/semaphore.ts';
import type { AgentAnswer } from '../targeting/host-sources.ts';

/** Connections at once, unless told. */
export const AT_ONCE = 100;

export interface AskAgentsOptions {
  sender: Sender;
  clock: Clock;
  /** What beside the state they are asked for. */
  question?: StatusQuestion;
  /** Connections at once; `AT_ONCE` unless told. */
  concurrency?: number;
  signal?: AbortSignal;
  /** Called as answers come. */
  onAnswer?(answer: AgentAnswer): void;
}

/** Their answers, in the order of the targets. */
export function askAgents(targets: readonly Target[], options: AskAgentsOptions): Promise<AgentAnswer[]> {
  const { sender, clock, question, signal = new AbortController().signal, onAnswer } = options;
  setMaxListeners(0, signal);
  const places = createPlaces(options.concurrency ?? AT_ONCE);
  return Promise.all(
    targets.map(async (target) => {
      await places.take(signal);
      const answer = await askOne(target, { sender, clock, signal, question });
      places.giveBack();
      onAnswer?.(answer);
      return answer;
    }),
  );
}

interface Asking {
  sender: Sender;
  clock: Clock;
  signal: AbortSignal;
  question: StatusQuestion | undefined;
}

async function askOne(target: Target, { sender, clock, signal, question }: Asking): Promise<AgentAnswer> {
  const from = clock.monotonic();
  try {
    const status = await sender.status(target, signal, question);
    return { target, latencyMs: Math.round(clock.monotonic() - from), status };
  } catch (error) {
    if (!(error instanceof SendError)) throw error;
    const { refusal, message, failure } = error;
    return { target, error: refusal === undefined ? message : `refused: ${refusal.code}`, failure };
  }
}
