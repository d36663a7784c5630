/** Switching Puppet off and on by request, and on again when its time has come. */
import { KickError, messageOf } from '../errors.ts';
import { Refusal } from '../protocol/refusal.ts';
import { type DisableAction, describeBy, type EnableAction, type Request } from '../protocol/request.ts';
import type { CommandReply, Disabled } from '../protocol/status.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { readDisabled, removeDisabled, writeDisabled } from './puppet/disabled-lock.ts';

export interface DisablingDeps {
  /** Where Puppet's agent_disabled.lock is. */
  lockPath(): Promise<string>;
  clock: Clock;
  log: Log;
}

export interface Disabling {
  disable(request: Request & { action: DisableAction }): Promise<CommandReply>;
  enable(request: Request & { action: EnableAction }): Promise<CommandReply>;
  /** Enables when the end has come. */
  expire(): Promise<void>;
  /** What it was disabled for when it was last enabled from here, if that was after `at` (milliseconds since 1970). */
  enabledSince(at: number): Disabled | undefined;
}

/** `maintenance (by root@puppet, until 2026-11-25 18:00 UTC)`: why a host did not run. */
export function disabledText({ reason, by, until }: Disabled): string {
  const more = [
    ...(by === undefined ? [] : [`by ${by}`]),
    ...(until === undefined ? [] : [`until ${utc(until)}`]),
  ];
  return more.length === 0 ? reason : `${reason} (${more.join(', ')})`;
}

/** The agent's own time zone is nobody's business who reads it elsewhere. */
export const utc = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

export function createDisabling({ lockPath, clock, log }: DisablingDeps): Disabling {
  let last: { at: number; disabled: Disabled } | undefined;

  async function enableAgain(where: string, disabled: Disabled): Promise<void> {
    last = { at: clock.now(), disabled };
    await removeDisabled(where);
  }

  async function path(): Promise<string> {
    try {
      return await lockPath();
    } catch (error) {
      if (error instanceof KickError) throw new Refusal('unsupported', messageOf(error));
      throw error;
    }
  }

  async function already(where: string): Promise<CommandReply> {
    const found = await readDisabled(where);
    if (found === undefined) return { result: 'nothing', message: 'it was enabled at the same moment' };
    return { result: 'already', message: `it was disabled already: ${disabledText(found)}` };
  }

  return {
    async disable({ action, by }) {
      const { reason, until } = action;
      const now = clock.now();
      if (until !== undefined && until * 1000 <= now) {
        return { result: 'nothing', message: `its end (${utc(until * 1000)}) is past on this host's clock` };
      }
      const disabled = {
        ...{ reason, by: describeBy(by), since: now },
        ...(until !== undefined && { until: until * 1000 }),
      };
      const where = await path();
      if (!(await writeDisabled(where, disabled))) return already(where);
      return { result: 'done', message: `disabled: ${disabledText(disabled)}` };
    },
    async enable({ action, by }) {
      const where = await path();
      const found = await readDisabled(where);
      if (found === undefined) return { result: 'already', message: 'it was enabled already' };
      const owner = found.by ?? 'somebody on the host itself';
      if (owner !== describeBy(by) && action.force !== true) {
        return { result: 'held', message: `${owner} has disabled it: ${found.reason}` };
      }
      await enableAgain(where, found);
      return { result: 'done', message: `enabled; it was disabled: ${disabledText(found)}` };
    },
    async expire() {
      let where: string;
      try {
        where = await lockPath();
      } catch {
        return; // no Puppet yet: nothing of it is disabled
      }
      const found = await readDisabled(where);
      if (found?.until === undefined || found.until > clock.now()) return;
      await enableAgain(where, found);
      const { reason, by, until } = found;
      log.info(
        { audit: 'enabled', reason, by, until: utc(until) },
        'enabled: the time for which it was disabled is over',
      );
    },
    enabledSince: (at) => (last !== undefined && last.at >= at ? last.disabled : undefined),
  };
}
