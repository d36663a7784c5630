/**
 * The outcome of the latest job of each name, for node_exporter's textfile collector. Several kicks may
 * end at once: one after another they add to a JSON file and write all the metrics from it.
 */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { messageOf } from '../errors.ts';
import { type Expiry, expiryOf } from '../pki/expiry.ts';
import type { Identity } from '../pki/identity.ts';
import { OUTCOME_NAMES } from '../protocol/outcome.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import { count, duration, longText, text, time } from '../util/bounds.ts';
import type { Clock } from '../util/clock.ts';
import { expositionText, type Family, gauge } from '../util/exposition.ts';
import { holdLock } from '../util/lock-file.ts';
import { metricsFile, nameProblem, seconds } from '../util/metrics-file.ts';
import { readStored, type StoredFormat, storedText } from '../util/stored-json.ts';
import type { HostResult, Job } from './jobs/job.ts';

/** Milliseconds; others hold the lock only while they write two small files. */
const LOCK_WAIT_MS = 10_000;

/** Maximum number of names: each is a series for ever. */
const MAX_NAMES = 500;

const LatestSchema = v.object({
  hosts: v.record(text(64), count),
  /** Milliseconds; times are since 1970. */
  durationMs: duration,
  endedAt: time,
  exit: count,
  succeededAt: v.optional(time),
});

type Latest = v.InferOutput<typeof LatestSchema>;

export const KEPT_METRICS = {
  schema: v.object({ jobs: v.record(longText, LatestSchema) }),
  version: 1,
} satisfies StoredFormat<v.GenericSchema>;

export interface EndedJob {
  job: Job;
  results: readonly HostResult[];
  /** Milliseconds since 1970. */
  startedAt: number;
  exit: number;
  identity: Identity;
}

export interface JobMetricsOptions {
  /** controller.yaml, metrics_file. */
  file: string;
  stateDir: string;
  clock: Clock;
  warn: (text: string) => void;
}

/** Never throws: if the metrics cannot be written, there is one warning. */
export async function noteJob(ended: EndedJob, options: JobMetricsOptions): Promise<void> {
  const { file, stateDir, clock, warn } = options;
  const problem = nameProblem(file);
  if (problem !== undefined) warn(problem);
  try {
    const label = `right to write the metrics of "${stateDir}"`;
    // No name of a job's lock begins with a dot.
    const path = join(stateDir, 'locks', '.job-metrics');
    const lock = await holdLock(path, { label, clock, waitMs: LOCK_WAIT_MS });
    try {
      const jobs = await addTo(join(stateDir, 'locks', '.job-metrics.json'), ended, options);
      // Still under the lock: older metrics must not overwrite newer ones.
      await metricsFile(file, warn).write(jobMetricsText(jobs, expiryOf(ended.identity)));
    } finally {
      await lock.release();
    }
  } catch (error) {
    warn(`cannot write the metrics of this job: ${messageOf(error)}`);
  }
}

type Jobs = ReadonlyMap<string, Latest>;

async function addTo(path: string, ended: EndedJob, { clock, warn }: JobMetricsOptions): Promise<Jobs> {
  const jobs = new Map(Object.entries(await readKept(path, warn)));
  const name = ended.job.name ?? '';
  const before = jobs.get(name);
  jobs.set(name, latestOf(ended, { endedAt: clock.now(), before }));
  const kept = new Map([...jobs].sort(([, a], [, b]) => b.endedAt - a.endedAt).slice(0, MAX_NAMES));
  await writeFileAtomic(path, storedText({ jobs: Object.fromEntries(kept) }, KEPT_METRICS));
  return kept;
}

async function readKept(path: string, warn: (text: string) => void): Promise<Record<string, Latest>> {
  try {
    return (await readStored(path, KEPT_METRICS))?.jobs ?? {};
  } catch (error) {
    const aside = `${path}.aside`;
    await rename(path, aside).catch(() => undefined);
    warn(`cannot read the metrics of earlier jobs, set aside as "${aside}": ${messageOf(error)}`);
    return {};
  }
}

function latestOf(
  { results, startedAt, exit }: EndedJob,
  { endedAt, before }: { endedAt: number; before: Latest | undefined },
): Latest {
  const hosts: Record<string, number> = {};
  for (const { outcome } of results) hosts[outcome] = (hosts[outcome] ?? 0) + 1;
  const succeededAt = exit === 0 ? endedAt : before?.succeededAt;
  return {
    hosts,
    durationMs: Math.max(0, endedAt - startedAt),
    endedAt,
    exit,
    ...(succeededAt !== undefined && { succeededAt }),
  };
}

/** The label is `name`: Prometheus uses `job` for its own scrape jobs. */
function jobMetricsText(jobs: Jobs, { certificate, crl, ca }: Expiry): string {
  const sorted = [...jobs].sort(([a], [b]) => (a < b ? -1 : 1));
  const each = (name: string, help: string, value: (latest: Latest) => number | undefined): Family => ({
    name: `kick_job_${name}`,
    help: `${help} of the latest job with this name (--lock).`,
    type: 'gauge',
    samples: sorted.flatMap(([job, latest]) => {
      const known = value(latest);
      return known === undefined ? [] : [{ labels: { name: job }, value: known }];
    }),
  });
  const optional = (ms: number | undefined) => (ms === undefined ? undefined : seconds(ms));
  return expositionText([
    {
      name: 'kick_job_hosts',
      type: 'gauge',
      help: 'Hosts by outcome of the latest job with this name (--lock).',
      samples: sorted.flatMap(([name, { hosts }]) =>
        OUTCOME_NAMES.map((outcome) => ({ labels: { name, outcome }, value: hosts[outcome] ?? 0 })),
      ),
    },
    each('duration_seconds', 'Duration', ({ durationMs }) => seconds(durationMs)),
    each('end_timestamp_seconds', 'End', ({ endedAt }) => seconds(endedAt)),
    each('exit_status', 'Exit status', ({ exit }) => exit),
    {
      ...each('last_success_timestamp_seconds', '', ({ succeededAt }) => optional(succeededAt)),
      help: 'When a job with this name last exited with 0.',
    },
    gauge(
      'kick_controller_certificate_expiry_timestamp_seconds',
      "When the controller's certificate expires.",
      optional(certificate),
    ),
    gauge('kick_controller_crl_expiry_timestamp_seconds', 'When the first CRL expires.', optional(crl)),
    gauge('kick_controller_ca_expiry_timestamp_seconds', "When the controller's CA expires.", optional(ca)),
  ]);
}
