/** Disables and enables Puppet on request, and enables it again once the given time is over. */
import { lstat } from 'node:fs/promises';
import { KickError, messageOf } from '../errors.ts';
import { Refusal } from '../protocol/refusal.ts';
import { type DisableAction, describeBy, type EnableAction, type Request } from '../protocol/request.ts';
import type { CommandReply, Disabled } from '../protocol/status.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import { isoTime } from '../util/times.ts';
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
  /** Enables Puppet if the given time is over. */
  expire(): Promise<void>;
  /** Whether Puppet is to be enabled again at some time, or whether that cannot be told. */
  isTimed(): Promise<boolean>;
  /** Why it was disabled before it was last enabled from here, if that was after `at` (milliseconds since 1970). */
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

/** In UTC: the reader may be in another time zone than the agent. */
export const utc = (ms: number) => `${isoTime(ms).slice(0, 16).replace('T', ' ')} UTC`;

export function createDisabling(deps: DisablingDeps): Disabling {
  const { lockPath, clock, log } = deps;
  const own: OwnSwitch = { last: undefined };
  const whileReading = createComplaint(log, 'cannot tell whether Puppet is disabled');
  const whileEnabling = createComplaint(
    log,
    'cannot enable Puppet, though the time for which it was disabled is over',
  );
  return {
    disable: (request) => answered(() => disable(request, deps)),
    enable: (request) => answered(() => enable(request, own, deps)),
    async expire() {
      const where = await lockPath().catch(() => undefined);
      if (where === undefined) return; // no Puppet yet, so nothing is disabled
      const found = await whileReading(() => readDisabled(where));
      if (found?.until === undefined || found.until > clock.now()) return;
      if ((await whileEnabling(() => enableAgain(where, { disabled: found, own, clock }))) !== true) return;
      const { reason, by, until } = found;
      log.info(
        { audit: 'enabled', reason, by, until: utc(until) },
        'enabled: the time for which it was disabled is over',
      );
    },
    async isTimed() {
      const where = await lockPath().catch(() => undefined);
      if (where === undefined) return false;
      const found = await readDisabled(where).catch(() => 'unclear' as const);
      return found === 'unclear' || found?.until !== undefined;
    },
    enabledSince: (at) => (own.last !== undefined && own.last.at >= at ? own.last.disabled : undefined),
  };
}

/** When it was last enabled from here, and why it had been disabled. */
interface OwnSwitch {
  last: { at: number; disabled: Disabled } | undefined;
}

/** Logs what goes wrong with the lock, once per reason, and returns undefined: it is retried every few seconds. */
function createComplaint(log: Log, what: string) {
  let known = '';
  return async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      const done = await work();
      known = '';
      return done;
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== known) log.error({ error: reason }, what);
      known = reason;
      return undefined;
    }
  };
}

/** A lock that cannot be read, made or removed is reported to the requester, with its own reason. */
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
    return {
      result: 'nothing',
      message: `its end (${utc(until * 1000)}) is in the past by this host's clock`,
    };
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
  await enableAgain(where, { disabled: found, own, clock: deps.clock });
  return { result: 'done', message: `enabled; it was disabled: ${disabledText(found)}` };
}

async function enableAgain(
  where: string,
  { disabled, own, clock }: { disabled: Disabled; own: OwnSwitch; clock: Clock },
): Promise<boolean> {
  // Recorded before it is done: a run that was disabled may end right after it.
  const before = own.last;
  own.last = { at: clock.now(), disabled };
  try {
    return await removeDisabled(where);
  } catch (error) {
    own.last = before;
    throw error;
  }
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
    ? `"${where}" is a symbolic link that leads nowhere: Puppet counts as enabled, and cannot be disabled until it is removed`
    : 'it was enabled at the same moment';
  return { result: 'nothing', message };
}

/** True for a link that leads nowhere as well. */
async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}
