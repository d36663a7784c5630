/**
 * A run whose folder is gone, by a reboot (it lies on a tmpfs) or by somebody's hand, or whose wrapper could not write
 * down how it ended. Puppet's own report outlives both, and decides where it is this run's.
 */
import type { RunAction } from '../../protocol/request.ts';
import type { Clock } from '../../util/clock.ts';
import { bootId, isAlive } from '../../util/proc.ts';
import type { Ending, Verdict } from '../judge/evidence.ts';
import { createLogReader } from '../judge/log-findings.ts';
import type { Assignment, RequestRecord } from '../requests/request-record.ts';
import type { EndedRun, Runner } from '../runners/runner.ts';
import type { PuppetPaths, RunRecord } from './run-record.ts';
import type { RunStore } from './run-store.ts';

const REBOOTED: Ending = { outcome: 'interrupted', message: 'the host was restarted during the run' };

const VANISHED: Ending = {
  outcome: 'interrupted',
  message: "the run's folder has vanished, and no report of it is left: what became of it is not known",
};

/** What is told of a run of which nothing is known. `boot` is that in which it was begun. */
function nothingKnown(boot: string): Ending {
  return boot === bootId() ? VANISHED : REBOOTED;
}

/** A verdict on a run that has left no traces but its report: where it rests on their absence, nothing is known. */
export function onReportAlone(verdict: Verdict, boot: string): Ending {
  return verdict.outcome === 'race-lost' || verdict.outcome === 'interrupted' ? nothingKnown(boot) : verdict;
}

interface LostDeps {
  runs: RunStore;
  runner: Runner;
  clock: Clock;
}

/** The record of a run that lives though its folder is gone; undefined where it does not. */
export async function recordOfLost(
  { run, boot, wrapper, inner }: Assignment,
  { request, acceptedAt }: RequestRecord,
  { runs, runner }: LostDeps,
): Promise<RunRecord | undefined> {
  const processes = [wrapper, inner].filter((process) => process !== undefined);
  if (boot !== bootId() || !processes.some(isAlive)) return undefined;
  const { action, by, job } = request;
  const puppet = await pathsOf(runner, { run, action, dir: runs.liveDir(run) });
  return {
    ...{ run, boot, action, by, job, createdAt: acceptedAt },
    ...(wrapper !== undefined && { wrapper }),
    ...(inner !== undefined && { inner }),
    ...(puppet !== undefined && { puppet }),
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
    ...{ run, dir, action, now: clock.now() },
    puppet: await pathsOf(runner, { run, action, dir }),
    readLog: async () => createLogReader().findings(),
  };
  try {
    const verdict = onReportAlone(await runner.judge(ended), boot);
    // Without a report there is nothing that it could rest on.
    return verdict.facts === undefined ? nothingKnown(boot) : verdict;
  } catch {
    return nothingKnown(boot);
  }
}

/** Where a run of the same action would leave its report. */
async function pathsOf(
  runner: Runner,
  { run, dir, action }: Pick<EndedRun, 'run' | 'dir' | 'action'>,
): Promise<PuppetPaths | undefined> {
  try {
    return (await runner.plan(run, dir, action)).puppet;
  } catch {
    return undefined;
  }
}
