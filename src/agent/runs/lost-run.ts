/**
 * A run whose folder is gone, by a reboot (it lies on a tmpfs) or by somebody's hand, or whose wrapper could not write
 * down how it ended. Puppet's own report outlives both, and decides where it is this run's.
 */
import type { RunAction } from '../../protocol/request.ts';
import type { Clock } from '../../util/clock.ts';
import { bootId } from '../../util/proc.ts';
import type { Ending, Verdict } from '../judge/evidence.ts';
import { createLogReader } from '../judge/log-findings.ts';
import type { EndedRun, Runner } from '../runners/runner.ts';
import type { PuppetPaths, RunStore } from './run-store.ts';

const REBOOTED: Ending = { outcome: 'interrupted', message: 'the host was restarted during the run' };

const VANISHED: Ending = {
  outcome: 'interrupted',
  message: "the run's folder has vanished, and no report of it is left: how it ended is not known",
};

/** What is told of a run of which nothing is known. `boot` is that in which it was begun. */
function nothingKnown(boot: string): Ending {
  return boot === bootId() ? VANISHED : REBOOTED;
}

/** A verdict on a run that has left no traces but its report: where it rests on their absence, nothing is known. */
export function onReportAlone(verdict: Verdict, boot: string): Ending {
  return verdict.outcome === 'race-lost' || verdict.outcome === 'interrupted' ? nothingKnown(boot) : verdict;
}

export interface LostRun {
  run: string;
  action: RunAction;
  boot: string;
}

/** How it ended. Never rejects. */
export async function judgeLost(
  { run, action, boot }: LostRun,
  { runs, runner, clock }: { runs: RunStore; runner: Runner; clock: Clock },
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
