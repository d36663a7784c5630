/** Sends a signed command (disable, enable, cancel) to many agents. */
import type { Identity } from '../../pki/identity.ts';
import type { Action, By } from '../../protocol/request.ts';
import type { CommandReply } from '../../protocol/status.ts';
import { SendError, type Sender, type Target } from '../../transport/transport.ts';
import type { Clock } from '../../util/clock.ts';
import { uuidv7 } from '../../util/uuid.ts';
import { sealedCommand } from '../jobs/seal-request.ts';
import { refusalLine } from '../rollout/refusal-words.ts';
import { askEach, type EachHostOptions } from './each-host.ts';

export interface CommandAgentsOptions extends EachHostOptions<CommandAnswer> {
  sender: Sender;
  identity: Identity;
  clock: Clock;
  action: Action;
  by: By;
}

/** What a host answered, or why it did not. */
export interface CommandAnswer {
  target: Target;
  reply?: CommandReply;
  error?: string;
}

/** Returns the answers in the order of the targets. */
export function commandAgents(
  targets: readonly Target[],
  options: CommandAgentsOptions,
): Promise<CommandAnswer[]> {
  const { sender, identity, clock, action, by } = options;
  const job = uuidv7(clock.now());

  async function commandOne(target: Target, signal: AbortSignal): Promise<CommandAnswer> {
    try {
      const body = await sealedCommand(action, target.certname, { identity, by, job, now: clock.now() });
      return { target, reply: await sender.command(target, body, { signal }) };
    } catch (error) {
      if (!(error instanceof SendError)) throw error;
      const { refusal, arrived, message } = error;
      if (refusal !== undefined)
        return { target, error: `refused: ${refusalLine(refusal, { now: clock.now(), action })}` };
      return { target, error: arrived ? `${message}; it may have been done anyway` : message };
    }
  }

  return askEach(targets, commandOne, options);
}
