/** Collects the evidence that a run of `puppet agent` has left. */
import { join } from 'node:path';
import type { Disabled } from '../../protocol/status.ts';
import { exists } from '../../util/files.ts';
import type { Evidence } from '../judge/evidence.ts';
import type { EndedRun } from '../runners/runner.ts';
import { RUN_FILES } from '../runs/run-files.ts';
import { readDisabled } from './disabled-lock.ts';
import { catalogRunHolder } from './lock-files.ts';
import { type ReportHead, readReport, withDrift } from './report.ts';
import { fitsSum, notedSum } from './report-sum.ts';

export async function evidenceOf(ended: EndedRun): Promise<Evidence> {
  const { dir, puppet, now } = ended;
  const { own, others, isDamaged } = await reportsOf(ended);
  return {
    ...ended,
    report: own && (await withDrift(own.path, own.head)),
    othersReport: others,
    isReportDamaged: isDamaged,
    log: await ended.readLog(puppet?.runLock),
    hasLog: await exists(join(dir, RUN_FILES.log)),
    disabled: await disabledAtEnd(ended),
    isLockHeld: await isLockHeld(puppet?.runLock, now),
  };
}

/**
 * The wrapper's copy of the report; if the wrapper was killed, or it is damaged, Puppet's own file if it belongs to this run.
 * `isDamaged`: what there was of a report cannot be read any more.
 */
export async function reportsOf({ run, dir, puppet }: EndedRun): Promise<{
  own?: { path: string; head: ReportHead };
  others?: ReportHead | undefined;
  isDamaged: boolean;
}> {
  const copy = join(dir, RUN_FILES.report);
  const sum = await notedSum(dir);
  let others: ReportHead | undefined;
  for (const path of [copy, puppet?.lastRunReport ?? '']) {
    const head = await readReport(path);
    if (head?.job_id === run && (await fitsSum(path, sum))) return { own: { path, head }, isDamaged: false };
    others ??= head;
  }
  return { others, isDamaged: !(await fitsSum(copy, sum)) };
}

/** As noted by the wrapper; if there are no notes, as it is now. */
async function disabledAtEnd({ dir, notes, puppet }: EndedRun): Promise<Disabled | undefined> {
  if (notes?.isDisabled === false) return undefined;
  try {
    if (notes === undefined) return await readDisabled(puppet?.disabledLock ?? '');
    return (await readDisabled(join(dir, RUN_FILES.disabled))) ?? { reason: 'no reason given' };
  } catch {
    return undefined; // an unreadable lock is not what ended the run
  }
}

/** By Puppet's own rule, like the gate. */
async function isLockHeld(runLock: string | undefined, now: number): Promise<boolean> {
  if (runLock === undefined) return false;
  try {
    return (await catalogRunHolder(runLock, now)) !== undefined;
  } catch {
    return false; // Puppet itself says why
  }
}
