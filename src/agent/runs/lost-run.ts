/**
 * A run whose folder is gone, through a reboot (it is on a tmpfs) or by hand, or whose wrapper could not record how it
 * ended. Puppet's own report survives both, and decides if it belongs to this run.
 */
import type { RunAction } from '../../protocol/request.ts';
import type { Clock } from '../../util/clock.ts';
import { bootId, isAlive } from '../../util/proc.ts';
import type { Ending, Verdict } from '../judge/evidence.ts';
import { createLogReader } from '../judge/log-findings.ts';
import type { Assignment, RequestRecord } from '../requests/request-record.ts';
import type { EndedRun, PlannedRun, Runner, RunPlan } from '../runners/runner.ts';
import type { RunRecord } from './run-record.ts';
import type { RunStore } from './run-store.ts';

const REBOOTED: Ending = { outcome: 'interrupted', message: 'the host was restarted during the run' };

const VANISHED: Ending = {
  outcome: 'interrupted',
  message: "the run's folder has vanished, and no report of it is left: what became of it is not known",
};

/** The ending of a run of which nothing is known. `boot` is the boot it was started in. */
function nothingKnown(boot: string): Ending {
  return boot === bootId() ? VANISHED : REBOOTED;
}

/** Corrects a verdict on a run that has left nothing but its report: verdicts based on missing traces are worthless. */
export function onReportAlone(verdict: Verdict, boot: string): Ending {
  return verdict.outcome === 'race-lost' || verdict.outcome === 'interrupted' ? nothingKnown(boot) : verdict;
}

interface LostDeps {
  runs: RunStore;
  runner: Runner;
  clock: Clock;
}

/** Rebuilds the record of a run that is alive without its folder; undefined if it is not alive. */
export async function recordOfLost(
  assignment: Assignment,
  request: RequestRecord,
  deps: LostDeps,
): Promise<RunRecord | undefined> {
  const { boot, wrapper, inner } = assignment;
  const isLive = [wrapper, inner].some((process) => process !== undefined && isAlive(process));
  return boot === bootId() && isLive ? rebuiltRecord(assignment, request, deps) : undefined;
}

/** The record of a run, as far as a request that it serves knows it. */
export async function rebuiltRecord(
  { run, boot, wrapper, inner }: Assignment,
  { request, acceptedAt }: RequestRecord,
  { runs, runner }: LostDeps,
): Promise<RunRecord> {
  const { action, by, job } = request;
  const plan = await planOf(runner, { run, action, dir: runs.liveDir(run) });
  const timeLimitMs = action.runTimeout === undefined ? plan?.timeLimitMs : action.runTimeout * 1000;
  return {
    run,
    boot,
    action,
    by,
    job,
    createdAt: acceptedAt,
    ...(wrapper !== undefined && { wrapper }),
    ...(inner !== undefined && { inner }),
    ...(timeLimitMs !== undefined && { timeLimitMs }),
    ...(plan?.puppet !== undefined && { puppet: plan.puppet }),
  };
}

/** How a run without a folder ended. Never rejects. */
export async function judgeLost(
  { run, boot }: Assignment,
  { action }: { action: RunAction },
  { runs, runner, clock }: LostDeps,
): Promise<Ending> {
  const dir = runs.liveDir(run);
  const ended: EndedRun = {
    run,
    dir,
    action,
    now: clock.now(),
    puppet: (await planOf(runner, { run, action, dir }))?.puppet,
    readLog: async () => createLogReader().findings(),
  };
  try {
    const verdict = onReportAlone(await runner.judge(ended), boot);
    // Without a report there is nothing to judge by.
    return verdict.facts === undefined ? nothingKnown(boot) : verdict;
  } catch {
    return nothingKnown(boot);
  }
}

/** Of a run with the same action: where it would leave its report, and its time limit. */
async function planOf(runner: Runner, planned: PlannedRun): Promise<RunPlan | undefined> {
  try {
    return await runner.plan(planned);
  } catch {
    return undefined;
  }
}
