/** A run up to the gate: its folder, its plan, and a wrapper that holds the lock and waits to be let go. */
import { KickError, messageOf } from '../errors.ts';
import type { Holder } from '../protocol/event.ts';
import type { Clock } from '../util/clock.ts';
import { bootId, commOf, holdersOf } from '../util/proc.ts';
import { clip } from '../util/text.ts';
import type { RequestRecord } from './request-store.ts';
import type { RunRecord, RunStore } from './run-store.ts';
import type { Runner, RunPlan } from './runners/runner.ts';
import { type ReadyWrapper, startWrapper } from './wrapper.ts';

export interface PrepareDeps {
  runs: RunStore;
  runner: Runner;
  clock: Clock;
  runLock: string;
}

export type Prepared =
  | { runRecord: RunRecord; wrapper: ReadyWrapper }
  /** The kernel's lock is held. */
  | { holder: Holder }
  /** It cannot be started, and why. */
  | { problem: string };

/** Makes the run that a request asks for. Nothing of Puppet has begun when this resolves. */
export async function prepareRun(
  run: string,
  { request }: RequestRecord,
  { runs, runner, clock, runLock }: PrepareDeps,
): Promise<Prepared> {
  const { action, by, job } = request;
  const dir = runs.liveDir(run);
  let plan: RunPlan;
  try {
    plan = await runner.plan(run, dir, action);
  } catch (error) {
    if (error instanceof KickError) return { problem: error.message };
    throw error;
  }
  const { argv, env, puppet } = plan;
  const timeLimitMs = action.runTimeout === undefined ? plan.timeLimitMs : action.runTimeout * 1000;
  const draft: RunRecord = {
    ...{ run, boot: bootId(), action, createdAt: clock.now(), by, job },
    ...(timeLimitMs !== undefined && { timeLimitMs }),
    ...(puppet !== undefined && { puppet }),
  };
  try {
    await runs.create(draft);
    const wrapper = await startWrapper(dir, runLock, { argv, env, report: puppet?.lastRunReport });
    if (wrapper === 'locked') {
      await runs.discard(run);
      return { holder: leftBehind(runLock) };
    }
    const runRecord = { ...draft, wrapper: wrapper.process };
    try {
      await runs.update(runRecord);
    } catch (error) {
      wrapper.abandon();
      throw error;
    }
    return { runRecord, wrapper };
  } catch (error) {
    await runs.discard(run);
    return { problem: `start the run: ${messageOf(error)}` };
  }
}

/** The kernel's lock is held though no run of ours is known: by what a run has left behind. */
function leftBehind(runLock: string): Holder {
  const [first] = holdersOf(runLock);
  if (first === undefined) return { what: 'a process that a run of kick left behind' };
  return {
    pid: first.pid,
    what: `${clip(commOf(first.pid), 64) || 'a process'}, left behind by a run of kick`,
  };
}
