/** Starting jobs, and ordering about those that run. */

import type { LockWish } from '../../../controller/job-lock.ts';
import type { Job, Rollout } from '../../../controller/jobs/job.ts';
import { outcomesOf } from '../../../controller/jobs/verdict.ts';
import type { JobWish, Plan } from '../../../controller/plan-job.ts';
import { batchesOf } from '../../../controller/rollout/batches.ts';
import { parseShare } from '../../../util/share.ts';
import { shortId } from '../../../util/uuid.ts';
import type { JobWishBody } from '../../api/job.ts';
import { ApiProblem } from '../../api/problem.ts';
import { accountOf, byOf, type Caller } from '../access/caller.ts';
import { checkAction, checkCount, checkHosts, checkJob, checkOwnJob } from '../access/may.ts';
import type { Handlers, Note, ServerContext } from '../context.ts';
import { allowedHosts, unansweredOf } from './hosts.ts';
import { hostCount, rolloutOf as shownRollout } from './job-view.ts';
import { orConflict, storedJob } from './jobs.ts';

/** As on the command line: --lost-after, --connect-timeout. */
const LOST_AFTER_MS = 600_000;
const CONNECT_TIMEOUT_MS = 10_000;

type Names = 'startJob' | 'rerunJob' | 'resumeJob' | 'stopJob' | 'cancelJob' | 'confirmJob';

export function orderHandlers(context: ServerContext): Handlers<Names> {
  const { controller, running } = context;
  return {
    startJob: ({ body }, caller, note) => startJob(context, body, { caller, note }),
    async rerunJob({ params, body: { outcomes, reason, dryRun } }, caller, note) {
      const before = await storedJob(controller, params.job);
      checkOwnJob(caller, before);
      checkAction(caller, before.job.action);
      const wish = { by: byOf(caller, reason), outcomes, ...accountOf(caller) };
      const rerun = await orConflict(() => controller.rerun(before.job.id, wish));
      if (rerun.targets.length === 0)
        throw new ApiProblem('bad-choice', 'every host of this job did as asked');
      await checkHosts(caller, rerun.targets, controller);
      const plan = await rerun.plan();
      const shown = planOf(plan, { unanswered: [], warnings: [] });
      if (dryRun) return { plan: shown };
      return begin(context, plan, { note, shown });
    },
    async resumeJob({ params }, caller, note) {
      const stored = await storedJob(controller, params.job);
      await checkJob(caller, stored, controller);
      const { job } = stored;
      note.job = job.id;
      await orConflict(() => running.resume(job.id));
      return { job: job.id };
    },
    stopJob: ({ params, body }, caller, note) =>
      stop(context, { ...params, ...body, cancel: false }, { caller, note }),
    cancelJob: ({ params, body }, caller, note) =>
      stop(context, { ...params, ...body, cancel: true }, { caller, note }),
    async confirmJob({ params, body: { goOn } }, caller, note) {
      const stored = await storedJob(controller, params.job);
      await checkJob(caller, stored, controller);
      const { job } = stored;
      note.job = job.id;
      note.detail = goOn ? 'goes on' : 'ends here';
      if (running.answer(job.id, goOn)) return { job: job.id };
      throw new ApiProblem('conflict', `the job ${shortId(job.id)} asks nothing here now`, {
        hint: 'a job that was started on a command line asks there',
      });
    },
  };
}

interface Asking {
  caller: Caller;
  note: Note;
}

/** With `dryRun` it is the plan alone. */
export async function startJob(
  context: ServerContext,
  body: JobWishBody,
  { caller, note }: Asking,
): Promise<Begun> {
  const action: Job['action'] = { op: 'run', ...body.action };
  checkAction(caller, action);
  const { hosts, warnings } = await allowedHosts(context, body.choice, { caller });
  checkCount(caller, hosts.targets.length);
  const plan = await context.controller.plan(hosts, wishOf(body, action, caller));
  const shown = planOf(plan, { unanswered: unansweredOf(hosts), warnings });
  note.detail = `${hostCount(hosts.targets.length)}${body.dryRun ? ', dry run' : ''}`;
  if (body.dryRun) return { plan: shown };
  if (hosts.targets.length === 0) throw new ApiProblem('bad-choice', 'no host is left');
  return begin(context, plan, { note, shown, lock: lockOf(body) });
}

type Begun = { job?: string; plan: ReturnType<typeof planOf> };

interface Beginning {
  note: Note;
  shown: ReturnType<typeof planOf>;
  lock?: LockWish | undefined;
}

async function begin({ running }: ServerContext, plan: Plan, { note, shown, lock }: Beginning) {
  const answer = { job: plan.job.id, plan: shown };
  note.job = answer.job;
  await note.begins?.(answer);
  await running.start(plan, lock);
  const trouble = running.trouble(answer.job);
  if (trouble === undefined) return answer;
  return { ...answer, plan: { ...shown, warnings: [...shown.warnings, trouble] } };
}

function lockOf({ lock, lockWait }: JobWishBody): LockWish | undefined {
  return lock === undefined ? undefined : { name: lock, waitMs: (lockWait ?? 0) * 1000 };
}

function wishOf(body: JobWishBody, action: Job['action'], caller: Caller): JobWish {
  const { concurrency, lock, wait, ifRunning, timeout, success } = body;
  const queue = {
    ...(ifRunning === 'skip' && { ifRunning }),
    ...(wait !== undefined && { wait }),
  };
  return {
    action,
    by: byOf(caller, body.reason),
    rollout: rolloutOf(body.rollout),
    concurrency,
    name: lock,
    ...(Object.keys(queue).length > 0 && { queue }),
    settings: {
      lostAfterMs: LOST_AFTER_MS,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      accept: outcomesOf(body.accept ?? [], 'accept'),
      ...(timeout !== undefined && { timeoutMs: timeout * 1000 }),
      ...(success !== undefined && { success }),
      ...accountOf(caller),
    },
  };
}

function rolloutOf({
  batches,
  pause,
  maxFailures,
  maxUnreachable,
  deadline,
  ...rest
}: JobWishBody['rollout']): Rollout {
  const shareOf = (text: string | undefined) => (text === undefined ? undefined : parseShare(text));
  const [failures, unreachable] = [shareOf(maxFailures), shareOf(maxUnreachable)];
  const sizes = batches?.map(shareOf).filter((size) => size !== undefined);
  const { canary, confirm, retry, expectVersion } = rest;
  return {
    ...(canary !== undefined && { canary }),
    ...(sizes !== undefined && { batches: sizes }),
    ...(pause !== undefined && { pauseMs: pause * 1000 }),
    ...(confirm === true && { confirm }),
    ...(failures !== undefined && { maxFailures: failures }),
    ...(unreachable !== undefined && { maxUnreachable: unreachable }),
    ...(retry !== undefined && { retry }),
    ...(deadline !== undefined && { deadlineMs: deadline * 1000 }),
    ...(expectVersion !== undefined && { expectVersion }),
  };
}

interface Beside {
  unanswered: { certname: string; error: string }[];
  warnings: string[];
}

function planOf({ job }: Plan, { unanswered, warnings }: Beside) {
  const { action, rollout, concurrency, targets, maintenance = [] } = job;
  return {
    action,
    ...(rollout !== undefined && { rollout: shownRollout(rollout) }),
    concurrency,
    hosts: targets.map(({ certname }) => certname),
    batches: batchesOf(targets, rollout ?? {}).map(({ targets: hosts, isCanary }) => ({
      size: hosts.length,
      isCanary,
    })),
    maintenance: [...maintenance],
    unanswered,
    warnings,
  };
}

interface StopWish {
  job: string;
  reason?: string | undefined;
  cancel: boolean;
}

async function stop(
  { controller }: ServerContext,
  { job: text, reason, cancel }: StopWish,
  { caller, note }: Asking,
) {
  const stored = await storedJob(controller, text);
  await checkJob(caller, stored, controller);
  note.job = stored.job.id;
  const stopped = await orConflict(() =>
    controller.stop(stored.job.id, { by: byOf(caller, reason), cancel }),
  );
  const hosts = stopped.how === 'cancelled' ? stopped.answers : [];
  return { job: stopped.job, how: stopped.how, hosts };
}
