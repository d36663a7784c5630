/** Making, pausing and running schedules. */
import { isDeepStrictEqual } from 'node:util';
import { isoTime } from '../../../util/times.ts';
import { shortId } from '../../../util/uuid.ts';
import type { Limits } from '../../api/access.ts';
import { ApiProblem } from '../../api/problem.ts';
import type { ScheduleWish } from '../../api/schedule.ts';
import { type Caller, isAtLeast } from '../access/caller.ts';
import { checkAction, isLimited } from '../access/may.ts';
import { checkChoice } from '../choices.ts';
import type { Handlers, ServerContext } from '../context.ts';
import type { Pass } from '../schedules/scheduler.ts';
import type { StoredSchedule } from '../schedules/stored-schedule.ts';
import { cronProblem, nextTimes } from '../schedules/times.ts';

const MAX_SCHEDULES = 200;
const SHOWN_TIMES = 5;

/** Milliseconds that a request waits for a job that was cancelled. */
const CANCELLED_MS = 5000;

type Names = 'listSchedules' | 'putSchedule' | 'pauseSchedule' | 'runSchedule' | 'deleteSchedule';

export function scheduleHandlers(context: ServerContext): Handlers<Names> {
  const { schedules, scheduler, clock } = context;
  const find = async (name: string, caller?: Caller): Promise<StoredSchedule> => {
    const found = (await schedules.read()).find(({ wish }) => wish.name === name);
    if (found === undefined) throw new ApiProblem('not-found', `there is no schedule "${name}"`);
    if (caller !== undefined) checkOwner(caller, found);
    return found;
  };
  const shown = (schedule: StoredSchedule) => viewOf(schedule, clock.now());
  return {
    listSchedules: async () => ({ schedules: (await schedules.read()).map(shown) }),
    async putSchedule({ body }, caller, note) {
      note.detail = `schedule ${body.name}: ${body.cron} ${body.zone}`;
      return shown(await put(context, body, caller));
    },
    async pauseSchedule({ params: { name }, body: { paused } }, caller, note) {
      await find(name, caller);
      note.detail = `schedule ${name}: ${paused ? 'paused' : 'goes on'}`;
      // What passed while it was paused is not made up for.
      const now = clock.now();
      await schedules.change((all) =>
        all.map((one) =>
          one.wish.name === name ? { ...one, doneUntil: now, wish: { ...one.wish, paused } } : one,
        ),
      );
      return shown(await find(name));
    },
    async runSchedule({ params: { name } }, caller, note) {
      const { job, message } = await runNow(scheduler, await find(name, caller));
      note.detail = `schedule ${name}`;
      if (job !== undefined) note.job = job;
      return { ...(job !== undefined && { job }), ...(message !== undefined && { message }) };
    },
    async deleteSchedule({ params: { name } }, caller, note) {
      await find(name, caller);
      note.detail = `schedule ${name}`;
      await schedules.change((all) => all.filter(({ wish }) => wish.name !== name));
      return undefined;
    },
  };
}

/** What became of it, or which job it waits for: that may take hours. One that is cancelled is over soon. */
function runNow(
  scheduler: ServerContext['scheduler'],
  schedule: StoredSchedule,
): Promise<Omit<Pass, 'result'>> {
  const patience = schedule.wish.ifStillRunning === 'replace' ? CANCELLED_MS : 0;
  return new Promise((resolve, reject) => {
    const onWaiting = (job: string) => {
      const message = `it waits for the end of job ${shortId(job)}`;
      setTimeout(() => resolve({ message }), patience).unref();
    };
    scheduler.run(schedule, onWaiting).then(resolve, reject);
  });
}

/** Throws `ApiProblem` for one that could not run. */
async function put(
  { schedules, doors, clock }: ServerContext,
  wish: ScheduleWish,
  caller: Caller,
): Promise<StoredSchedule> {
  const problem = cronProblem(wish.cron, wish.zone);
  if (problem !== undefined) throw fieldProblem(problem.field, problem.message);
  checkChoice(wish.choice);
  checkAction(caller, { op: 'run', ...wish.action });
  if ((await doors.accounts.find(caller.name)) === undefined) {
    throw new ApiProblem(
      'not-allowed',
      `schedules: ${caller.name} has no account here, with whose rights it would run`,
    );
  }
  const now = clock.now();
  const limits = tokenLimits(caller);
  let kept: StoredSchedule = {
    wish,
    owner: caller.name,
    limits,
    createdAt: now,
    doneUntil: now,
    history: [],
  };
  await schedules.change((all) => {
    const before = all.find((one) => one.wish.name === wish.name);
    if (before !== undefined) checkOwner(caller, before);
    else if (all.length >= MAX_SCHEDULES)
      throw new ApiProblem('conflict', `there are ${MAX_SCHEDULES} schedules`);
    const { history = [], waitsFor } = before ?? {};
    kept = { ...kept, history, ...(waitsFor !== undefined && { waitsFor }) };
    return [...all.filter((one) => one !== before), kept];
  });
  return kept;
}

/** An admin without limits changes all of them, others their own; a token with limits only those that have the same. */
function checkOwner(caller: Caller, { owner, wish, limits }: StoredSchedule): void {
  const { name, role } = caller;
  if (owner !== name && (!isAtLeast(role, 'admin') || isLimited(caller)))
    throw new ApiProblem('not-allowed', `own schedules: ${owner} made "${wish.name}"`);
  const isKept = (one: Limits) =>
    Object.keys(one).length === 0 || limits.some((other) => isDeepStrictEqual(one, other));
  if (tokenLimits(caller).every(isKept)) return;
  throw new ApiProblem('not-allowed', `limits: "${wish.name}" may do more than this token`);
}

/** What narrows the account's rights. */
const tokenLimits = ({ limits }: Caller) => limits.slice(1);

function viewOf({ wish, owner, createdAt, history }: StoredSchedule, now: number) {
  return {
    ...wish,
    owner,
    createdAt: isoTime(createdAt),
    next: wish.paused ? [] : nextTimes(wish, now, SHOWN_TIMES).map(isoTime),
    history: history.map(({ at, ...pass }) => ({ at: isoTime(at), ...pass })),
  };
}

function fieldProblem(field: string, message: string): ApiProblem {
  return new ApiProblem('bad-request', `body.${field}: ${message}`, {
    errors: [{ path: `body.${field}`, message }],
  });
}
