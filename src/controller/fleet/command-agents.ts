/** A signed command (disable, enable, cancel) for many agents, some at a time. */
import { setMaxListeners } from 'node:events';
import type { Identity } from '../../pki/identity.ts';
import type { Action, By } from '../../protocol/request.ts';
import type { CommandReply } from '../../protocol/status.ts';
import { SendError, type Sender, type Target } from '../../transport/transport.ts';
import type { Clock } from '../../util/clock.ts';
import { createPlaces } from '../../util/semaphore.ts';
import { uuidv7 } from '../../util/uuid.ts';
import { sealedCommand } from '../jobs/seal-request.ts';
import { refusalLine } from '../rollout/refusal-words.ts';
import { AT_ONCE } from './ask-agents.ts';

export interface CommandAgentsOptions {
  sender: Sender;
  identity: Identity;
  clock: Clock;
  by: By;
  /** Connections at once; `AT_ONCE` unless told. */
  concurrency?: number | undefined;
  signal?: AbortSignal;
  /** Called as answers come. */
  onAnswer?(answer: CommandAnswer): void;
}

/** What a host answered, or why it did not. */
export interface CommandAnswer {
  target: Target;
  reply?: CommandReply;
  error?: string;
}

/** Their answers, in the order of the targets. One that hangs costs the others nothing. */
export function commandAgents(
  targets: readonly Target[],
  action: Action,
  options: CommandAgentsOptions,
): Promise<CommandAnswer[]> {
  const { sender, identity, clock, by, concurrency, onAnswer } = options;
  const signal = options.signal ?? new AbortController().signal;
  setMaxListeners(0, signal);
  const places = createPlaces(concurrency ?? AT_ONCE);
  const job = uuidv7(clock.now());

  async function commandOne(target: Target): Promise<CommandAnswer> {
    try {
      const body = await sealedCommand(action, target.certname, { identity, by, job, now: clock.now() });
      return { target, reply: await sender.command(target, body, signal) };
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      const { refusal, arrived, message } = error;
      if (refusal !== undefined) return { target, error: `refused: ${refusalLine(refusal, clock.now())}` };
      return { target, error: arrived ? `${message}; it may have been done all the same` : message };
    }
  }

  return Promise.all(
    targets.map(async (target) => {
      await places.take(signal);
      const answer = await commandOne(target);
      places.giveBack();
      onAnswer?.(answer);
      return answer;
    }),
  );
}
