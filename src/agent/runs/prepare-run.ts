/** Prepares a run: its folder, its plan, and a wrapper that holds the lock and waits to be released. */
import { messageAndHint, messageOf } from '../../errors.ts';
import type { Holder } from '../../protocol/event.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { bootId } from '../../util/proc.ts';
import type { RequestRecord } from '../requests/request-record.ts';
import type { Runner, RunPlan } from '../runners/runner.ts';
import { keeperOf } from './run-lock.ts';
import type { RunRecord } from './run-record.ts';
import type { RunStore } from './run-store.ts';
import { type ReadyWrapper, startWrapper, type WrapperCommand } from './wrapper.ts';

export interface PrepareDeps {
  runs: RunStore;
  runner: Runner;
  clock: Clock;
  log: Log;
  runLock: string;
}

export type Prepared =
  | { runRecord: RunRecord; wrapper: ReadyWrapper }
  /** The lock is held. */
  | { holder: Holder }
  /** It cannot be started. */
  | { problem: string };

/** Prepares the run that a request asks for. Puppet has not started when this resolves. Never rejects. */
export async function prepareRun(
  run: string,
  { request }: RequestRecord,
  deps: PrepareDeps,
): Promise<Prepared> {
  const { runs, runner, clock } = deps;
  const { action, by, job } = request;
  const dir = runs.liveDir(run);
  let plan: RunPlan;
  try {
    plan = await runner.plan({ run, dir, action });
  } catch (error) {
    return { problem: messageAndHint(error) };
  }
  const { argv, env, puppet } = plan;
  const timeLimitMs = action.runTimeout === undefined ? plan.timeLimitMs : action.runTimeout * 1000;
  const draft: RunRecord = {
    run,
    boot: bootId(),
    action,
    createdAt: clock.now(),
    by,
    job,
    ...(timeLimitMs !== undefined && { timeLimitMs }),
    ...(puppet !== undefined && { puppet }),
  };
  try {
    await runs.create(draft);
    const wrapper = await takeLock(dir, { argv, env, puppet }, deps);
    if ('holder' in wrapper) {
      await runs.discard(run);
      return wrapper;
    }
    const runRecord = { ...draft, wrapper: wrapper.process, inner: wrapper.inner };
    try {
      await runs.update(runRecord);
    } catch (error) {
      wrapper.abandon();
      throw error;
    }
    return { runRecord, wrapper };
  } catch (error) {
    const problem = `start the run: ${messageOf(error)}`;
    try {
      await runs.discard(run);
    } catch (left) {
      deps.log.warn({ run, error: messageOf(left) }, 'cannot remove the folder of a run that did not start');
    }
    return { problem };
  }
}

/** Processes left behind by a run do not keep the next one from starting, and are not ended. */
async function takeLock(
  dir: string,
  command: WrapperCommand,
  { runLock, runner, log }: PrepareDeps,
): Promise<ReadyWrapper | { holder: Holder }> {
  const look = () => keeperOf(runLock, { runsPuppet: runner.name !== 'command' });
  let wrapper = await startWrapper(dir, runLock, command);
  if (wrapper === 'left-behind') {
    const holder = look();
    if (holder !== undefined) return { holder };
    log.info({}, 'taking the lock over from a process that an earlier run has left behind');
    wrapper = await startWrapper(dir, runLock, { ...command, takeOver: true });
  }
  if (typeof wrapper === 'object') return wrapper;
  return { holder: look() ?? { what: 'a run of kick' } };
}
