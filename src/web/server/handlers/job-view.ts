/** A job and its hosts as the API returns them. */
import type * as v from 'valibot';
import type { FoundJob } from '../../../controller/find-jobs.ts';
import type { HostResult } from '../../../controller/jobs/job.ts';
import { outcomeCounts, type StoredJob } from '../../../controller/jobs/stored-job.ts';
import { judgeJob, verdictPolicy } from '../../../controller/jobs/verdict.ts';
import { formatShare } from '../../../util/share.ts';
import { isoTime } from '../../../util/times.ts';
import type { JobHostSchema, JobLineSchema, JobSchema } from '../../api/job.ts';

/** `state` is absent where nobody has looked whether a job that is not over still runs. */
export function lineOf(
  job: Omit<FoundJob, 'state'> & { state?: FoundJob['state'] },
): v.InferInput<typeof JobLineSchema> {
  const { id, name, by, reason, noop, hosts, counts, at, endedAt, exit } = job;
  const { state = endedAt === undefined ? 'running' : 'done' } = job;
  return {
    ...{ id, by, state, hosts, startedAt: isoTime(at) },
    ...(name !== undefined && { name }),
    ...(reason !== undefined && { reason }),
    ...(noop !== undefined && { noop }),
    ...(counts !== undefined && { counts: { ...counts } }),
    ...(endedAt !== undefined && { endedAt: isoTime(endedAt) }),
    ...(exit !== undefined && { exit }),
  };
}

/** The same job, of the hosts that somebody may look at. */
export function seenPart(stored: StoredJob, sees: (certname: string) => boolean): StoredJob {
  const { job, results } = stored;
  const { rollout: { groups: _groups, ...rollout } = {}, maintenance = [] } = job;
  return {
    ...stored,
    job: {
      ...job,
      targets: job.targets.filter(({ certname }) => sees(certname)),
      maintenance: maintenance.filter(sees),
      ...(job.rollout !== undefined && { rollout }),
    },
    results: new Map([...results].filter(([certname]) => sees(certname))),
  };
}

/** A line for somebody who may not look at all hosts: without what is counted over all of them. */
export function withoutTotals(line: v.InferInput<typeof JobLineSchema>): v.InferInput<typeof JobLineSchema> {
  const { hosts: _hosts, counts: _counts, exit: _exit, ...rest } = line;
  return rest;
}

export function jobOf(stored: StoredJob, question: string | undefined): v.InferInput<typeof JobSchema> {
  const { job, settings, startedAt, endedAt, stopped, results, controller } = stored;
  const { id, name, by, action, rollout, concurrency, targets, maintenance = [] } = job;
  const state = endedAt !== undefined ? 'done' : controller === undefined ? 'died' : 'running';
  const { exit } = judgeJob([...results.values()], verdictPolicy(settings), stopped);
  return {
    ...{ id, controller: job.controller, by, state, action, concurrency, hosts: targets.length },
    counts: outcomeCounts(results.values()),
    maintenance: [...maintenance],
    startedAt: isoTime(startedAt),
    ...(name !== undefined && { name }),
    ...(rollout !== undefined && { rollout: rolloutOf(rollout) }),
    ...(endedAt !== undefined && { endedAt: isoTime(endedAt), exit }),
    ...(stopped !== undefined && { stopped }),
    ...(question !== undefined && { question }),
  };
}

/** Shares as they are written: `10%`. */
export function rolloutOf({
  batches,
  maxFailures,
  maxUnreachable,
  ...rest
}: NonNullable<StoredJob['job']['rollout']>) {
  return {
    ...rest,
    ...(batches !== undefined && { batches: batches.map(formatShare) }),
    ...(maxFailures !== undefined && { maxFailures: formatShare(maxFailures) }),
    ...(maxUnreachable !== undefined && { maxUnreachable: formatShare(maxUnreachable) }),
  };
}

export function hostOf(certname: string, result: HostResult | undefined): v.InferInput<typeof JobHostSchema> {
  if (result === undefined) return { certname, changed: 0 };
  const { outcome, message, startedAt, endedAt, finished } = result;
  const catalogVersion = finished?.facts?.configurationVersion;
  return {
    certname,
    outcome,
    changed: changedBy(result),
    ...(message !== undefined && { message }),
    ...(startedAt !== undefined && { startedAt: isoTime(startedAt) }),
    endedAt: isoTime(endedAt),
    ...(catalogVersion !== undefined && { catalogVersion }),
  };
}

/** `1 host`, `412 hosts`: for the audit. */
export function hostCount(count: number): string {
  return count === 1 ? '1 host' : `${count} hosts`;
}

/** How many resources changed, failed or would change. */
export function changedBy({ resources = [], moreResources = 0 }: HostResult): number {
  return resources.length + moreResources;
}
