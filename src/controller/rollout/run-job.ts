/**
 * Runs all hosts of a job, batch after batch, with a limited number at once. Hosts are independent: one
 * that hangs costs the others nothing, and one that ends lets the next one start.
 */
import { messageOf } from '../../errors.ts';
import { isSuccess } from '../../protocol/outcome.ts';
import type { Target } from '../../transport/transport.ts';
import { sleep } from '../../util/clock.ts';
import { plural } from '../../util/text.ts';
import type { HostResult, Job, StopReason } from '../jobs/job.ts';
import { type Batch, batchesOf } from './batches.ts';
import { cancelAll } from './cancel-job.ts';
import { createHostAttempts, leftOut } from './host-attempts.ts';
import { openRolling, type Rolling, type RunJobOptions } from './rolling.ts';

export interface JobResult {
  results: HostResult[];
  stopped?: StopReason;
}

/** Never rejects because of a host; the results are in the order of the targets. */
export async function runJob(job: Job, options: RunJobOptions): Promise<JobResult> {
  const rolling = openRolling(job, options);
  const { stops, results, report, finish, stopStarting } = rolling;
  const unhook = stops.hook({
    onStop: (by) => stopStarting('stopped', `${by} stopped the job (kick jobs stop)`),
    onCancel: (by) => void cancelAll(rolling, by),
  });
  await runBatches(rolling);
  for (const target of job.targets) if (!results.has(target.certname)) finish(leftOut(target, rolling));
  rolling.close();
  unhook();
  const stopped = stops.reason();
  const all = job.targets.flatMap(({ certname }) => results.get(certname) ?? []);
  const end: JobResult = stopped === undefined ? { results: all } : { results: all, stopped };
  report({ type: 'job-done', at: options.clock.now(), ...end });
  return end;
}

async function runBatches(rolling: Rolling): Promise<void> {
  const { job, rollout, options, stops, results, report, isUnderWay } = rolling;
  const runToEnd = createHostAttempts(rolling);
  const batches = batchesOf(job.targets, rollout);
  for (const [index, planned] of batches.entries()) {
    // A resumed job continues in the middle of a batch; a canary that is over is not repeated.
    const targets = planned.targets.filter(({ certname }) =>
      stops.starting.aborted ? isUnderWay(certname) : !results.has(certname),
    );
    if (targets.length === 0) continue;
    const number = index + 1;
    if (batches.length > 1) {
      const { isCanary } = planned;
      const at = options.clock.now();
      report({ type: 'batch', at, number, of: batches.length, hosts: targets.length, isCanary });
    }
    await runBatch({ ...planned, targets }, runToEnd, rolling);
    if (number < batches.length && !stops.starting.aborted) await pauseAfter(number, batches.length, rolling);
  }
}

async function runBatch(
  { targets, isCanary }: Batch,
  runToEnd: (target: Target) => Promise<void>,
  rolling: Rolling,
): Promise<void> {
  const { job, rollout, results, stopStarting } = rolling;
  await Promise.all(
    targets.map((target) => runToEnd(target).catch((error) => breakOff(target, error, rolling))),
  );
  if (!isCanary) return;
  const [canary] = batchesOf(job.targets, rollout);
  const bad = (canary?.targets ?? []).filter(
    ({ certname }) => !isSuccess(results.get(certname)?.outcome ?? 'not-started'),
  );
  if (bad.length > 0) {
    stopStarting('canary', `the canary was not a success on ${plural(bad.length, 'host')}`);
  }
}

/** An error of ours while a host is asked takes no other host's outcome with it. */
function breakOff({ certname }: Target, error: unknown, { results, finish, options }: Rolling): void {
  if (results.has(certname)) return;
  const message = `it may have been asked, then kick could not go on: ${messageOf(error)}`;
  finish({ certname, outcome: 'unfinished', endedAt: options.clock.now(), message });
}

async function pauseAfter(
  number: number,
  of: number,
  { rollout, options, stops, report, stopStarting }: Rolling,
): Promise<void> {
  const { pauseMs = 0, confirm = false } = rollout;
  const { clock } = options;
  if (pauseMs > 0) {
    report({ type: 'pause', at: clock.now(), until: clock.now() + pauseMs });
    await sleep(pauseMs, stops.starting);
  }
  if (!confirm || stops.starting.aborted || options.confirm === undefined) return;
  report({ type: 'pause', at: clock.now() });
  try {
    const isWanted = await options.confirm(`Batch ${number} of ${of} is over. Go on?`, stops.starting);
    if (!isWanted) stopStarting('declined', 'the operator said no');
  } catch (error) {
    stopStarting('declined', `the operator could not be asked: ${messageOf(error)}`);
  }
}
