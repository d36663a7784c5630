/** Resumes a job whose controller died or was stopped; no host runs twice. */
import { KickError } from '../errors.ts';
import { KNOWN_MS } from '../protocol/request.ts';
import { formatDuration } from '../util/duration.ts';
import { plural } from '../util/text.ts';
import { shortId } from '../util/uuid.ts';
import { executeJob, type JobEnd, type RunOptions, underLock } from './execute-job.ts';
import { storedJob } from './jobs/read-job.ts';
import { beforeOf, type StoredJob, unfinished } from './jobs/stored-job.ts';
import type { Site } from './site.ts';

/** For clocks that differ, and for as long as it takes to ask all hosts. */
const MARGIN_MS = 86_400_000;

/**
 * Throws `KickError` `usage` if the job is running, is over for every host, was started by another controller, or is so old
 * that agents may no longer know it.
 */
export function resumeJob(site: Site, text: string, options: ResumeOptions): Promise<JobEnd> {
  return underLock(site, options, () => resumeNow(site, text, options));
}

type ResumeOptions = RunOptions & { onStart?(job: StoredJob): void | Promise<void> };

async function resumeNow(site: Site, text: string, options: ResumeOptions): Promise<JobEnd> {
  const store = await site.store();
  const id = await store.find(text);
  const lease = await store.take(id);
  if (!('lost' in lease)) {
    throw new KickError('usage', `resume the job ${shortId(id)}: it runs (pid ${lease.pid})`, {
      hint: `kick jobs watch ${shortId(id)}`,
    });
  }
  try {
    const stored = await storedJob(store, id);
    const before = beforeOf(stored);
    const { job, settings } = stored;
    if (before.results.size === job.targets.length) {
      throw new KickError('usage', `resume the job ${shortId(id)}: it is over for every host`, {
        hint: `kick rerun ${shortId(id)} runs it again for hosts that did not go well`,
      });
    }
    refuseForgotten(stored, site.clock.now());
    const { certname } = await site.identity();
    if (certname !== job.controller) {
      // To the agents, the same job from another controller is another job.
      throw new KickError(
        'usage',
        `resume the job ${shortId(id)}: ${job.controller} started it, this is ${certname}`,
      );
    }
    await options.onStart?.(stored);
    // Resuming means waiting for the end, even of a job that was started with --detach.
    const { detach: _detach, ...waiting } = settings;
    return await executeJob(site, { job, settings: waiting }, { ...options, resumed: { lease, before } });
  } finally {
    lease.release();
  }
}

/** Agents that no longer know a request would run it again. */
function refuseForgotten(stored: StoredJob, now: number): void {
  const maybeRun = unfinished(stored);
  if (maybeRun.length === 0 || now - stored.startedAt < KNOWN_MS - MARGIN_MS) return;
  const id = shortId(stored.job.id);
  const hosts = plural(maybeRun.length, 'host');
  throw new KickError(
    'usage',
    `resume the job ${id}: ${hosts} may have run it, and no longer know it after ${formatDuration(KNOWN_MS)}`,
    { hint: `kick rerun ${id} asks anew` },
  );
}
