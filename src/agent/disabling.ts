/** Switching Puppet off and on by request, and on again when its time has come. */
import { lstat } from 'node:fs/promises';
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

export function createDisabling(deps: DisablingDeps): Disabling {
  const { lockPath, clock, log } = deps;
  const own: OwnSwitch = { last: undefined };
  const complain = createComplaint(log);
  return {
    disable: (request) => answered(() => disable(request, deps)),
    enable: (request) => answered(() => enable(request, own, deps)),
    async expire() {
      const where = await lockPath().catch(() => undefined);
      if (where === undefined) return; // no Puppet yet: nothing of it is disabled
      const found = await complain(() => readDisabled(where));
      if (found?.until === undefined || found.until > clock.now()) return;
      await enableAgain(where, found, own, clock);
      const { reason, by, until } = found;
      log.info(
        { audit: 'enabled', reason, by, until: utc(until) },
        'enabled: the time for which it was disabled is over',
      );
    },
    enabledSince: (at) => (own.last !== undefined && own.last.at >= at ? own.last.disabled : undefined),
  };
}

/** When it was last enabled from here, and what it had been disabled for. */
interface OwnSwitch {
  last: { at: number; disabled: Disabled } | undefined;
}

/** Logs a lock that cannot be read, once for each reason. */
function createComplaint(log: Log) {
  let unreadable = '';
  return async (read: () => Promise<Disabled | undefined>): Promise<Disabled | undefined> => {
    try {
      const found = await read();
      unreadable = '';
      return found;
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== unreadable) log.error({ error: reason }, 'cannot tell whether Puppet is disabled');
      unreadable = reason;
      return undefined;
    }
  };
}

/** A lock that cannot be read is reported to the requester, with its own reason. */
async function answered(work: () => Promise<CommandReply>): Promise<CommandReply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KickError)) throw error;
    return { result: 'nothing', message: messageOf(error) };
  }
}

async function disable(
  { action, by }: Request & { action: DisableAction },
  deps: DisablingDeps,
): Promise<CommandReply> {
  const { reason, until } = action;
  const now = deps.clock.now();
  if (until !== undefined && until * 1000 <= now) {
    return { result: 'nothing', message: `its end (${utc(until * 1000)}) is past on this host's clock` };
  }
  const disabled = {
    reason,
    by: describeBy(by),
    since: now,
    ...(until !== undefined && { until: until * 1000 }),
  };
  const where = await pathOf(deps);
  if (!(await writeDisabled(where, disabled))) return already(where);
  return { result: 'done', message: `disabled: ${disabledText(disabled)}` };
}

async function enable(
  { action, by }: Request & { action: EnableAction },
  own: OwnSwitch,
  deps: DisablingDeps,
): Promise<CommandReply> {
  const where = await pathOf(deps);
  const found = await readDisabled(where);
  if (found === undefined) return { result: 'already', message: 'it was enabled already' };
  const owner = found.by ?? 'somebody on the host itself';
  if (owner !== describeBy(by) && action.force !== true) {
    return { result: 'held', message: `${owner} has disabled it: ${found.reason}` };
  }
  await enableAgain(where, found, own, deps.clock);
  return { result: 'done', message: `enabled; it was disabled: ${disabledText(found)}` };
}

async function enableAgain(where: string, disabled: Disabled, own: OwnSwitch, clock: Clock): Promise<void> {
  own.last = { at: clock.now(), disabled };
  await removeDisabled(where);
}

async function pathOf({ lockPath }: DisablingDeps): Promise<string> {
  try {
    return await lockPath();
  } catch (error) {
    if (error instanceof KickError) throw new Refusal('unsupported', messageOf(error));
    throw error;
  }
}

async function already(where: string): Promise<CommandReply> {
  const found = await readDisabled(where);
  if (found !== undefined)
    return { result: 'already', message: `it was disabled already: ${disabledText(found)}` };
  const message = (await isThere(where))
    ? `"${where}" is a symbolic link that leads nowhere: Puppet takes it for enabled, and cannot be disabled until it is removed`
    : 'it was enabled at the same moment';
  return { result: 'nothing', message };
}

/** Also a link that leads nowhere. */
async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}
