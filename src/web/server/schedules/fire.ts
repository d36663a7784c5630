/** Starts the job of a schedule, with the rights that its owner has now. */
import { KickError, messageOf } from '../../../errors.ts';
import { type Caller, isAtLeast } from '../access/caller.ts';
import type { Note, ServerContext } from '../context.ts';
import { startJob } from '../handlers/orders.ts';
import type { Pass, SchedulerOptions } from './scheduler.ts';
import type { StoredSchedule } from './stored-schedule.ts';

export function firing(context: ServerContext): SchedulerOptions['fire'] {
  /** Schedules that wait for their job before. */
  const waiting = new Set<string>();
  return async (schedule, onWaiting) => {
    const { wish, history, waitsFor } = schedule;
    const caller = await callerOf(context, schedule);
    // An earlier server waited for it already.
    const before = waitsFor ?? history.find(({ job }) => job !== undefined)?.job;
    if (caller === undefined || before === undefined) return start(context, schedule, caller);
    if (waitsFor === undefined) {
      if (!(await context.running.isBusy(before))) return start(context, schedule, caller);
      if (wish.ifStillRunning === 'skip')
        return { result: 'skipped', message: 'the job before it still runs' };
    }
    if (waiting.has(wish.name)) return { result: 'skipped', message: 'one waits already' };
    waiting.add(wish.name);
    try {
      const isNoted = await noteWaiting(context, wish.name, before);
      onWaiting?.(before);
      if (wish.ifStillRunning === 'replace') await cancel(context, before, caller);
      await context.running.over(before);
      if (isNoted && !(await mayStart(context, wish.name)))
        return { result: 'skipped', message: 'it was deleted, or another server runs it' };
    } finally {
      waiting.delete(wish.name);
    }
    // That may have taken hours.
    return start(context, schedule, await callerOf(context, schedule));
  };
}

/** With the rights that the owner has now; undefined if they may start no jobs. */
async function callerOf(
  { doors }: ServerContext,
  { wish, owner, limits }: StoredSchedule,
): Promise<Caller | undefined> {
  const account = await doors.accounts.find(owner);
  if (account === undefined || !isAtLeast(account.role, 'operator')) return undefined;
  return {
    ...{ name: owner, role: account.role, limits: [account.limits, ...limits] },
    ...{ via: 'schedule', id: wish.name, address: '' },
  };
}

/** So that the next server waits on, should this one be killed. Returns false if it cannot be noted. */
async function noteWaiting(
  { schedules, log }: ServerContext,
  name: string,
  waitsFor: string,
): Promise<boolean> {
  try {
    await schedules.change((all) => all.map((one) => (one.wish.name === name ? { ...one, waitsFor } : one)));
    return true;
  } catch (error) {
    log.warn({ schedule: name, reason: messageOf(error) }, 'a server that is killed will not wait on');
    return false;
  }
}

/** Once for all servers that waited. If it cannot be noted, it starts all the same. */
async function mayStart({ schedules, log }: ServerContext, name: string): Promise<boolean> {
  let isOurs = false;
  try {
    await schedules.change((all) =>
      all.map((one) => {
        if (one.wish.name !== name) return one;
        const { waitsFor, ...rest } = one;
        isOurs = waitsFor !== undefined;
        return rest;
      }),
    );
    return isOurs;
  } catch (error) {
    log.warn({ schedule: name, reason: messageOf(error) }, 'the schedules cannot be written');
    return true;
  }
}

async function start(
  context: ServerContext,
  { wish, owner }: StoredSchedule,
  caller: Caller | undefined,
): Promise<Pass> {
  if (caller === undefined)
    return { result: 'failed', message: `its owner, ${owner}, may start no jobs now` };
  const { name, choice, action, rollout, lock, reason = `schedule ${name}` } = wish;
  const note: Note = {};
  const body = { choice, action, rollout, reason, dryRun: false, ...(lock !== undefined && { lock }) };
  try {
    const { job } = await startJob(context, body, { caller, note });
    await context.audit.add({ ...auditOf(caller), status: 202, ...note });
    return { result: 'started', ...(job !== undefined && { job }) };
  } catch (error) {
    if (error instanceof KickError && error.code === 'locked')
      return { result: 'skipped', message: error.message };
    throw error;
  }
}

const auditOf = ({ name, via, id }: Caller) => ({ who: name, via, address: '', what: `schedule ${id}` });

async function cancel({ controller }: ServerContext, job: string, { name }: Caller): Promise<void> {
  const by = { user: name, uid: 0, host: 'schedule', reason: 'its schedule starts the next' };
  // It may be over by now.
  await controller.stop(job, { by, cancel: true }).catch(() => undefined);
}
