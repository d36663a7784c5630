/** All hosts of a job, each on its own: one that hangs costs the others nothing. */
import { setMaxListeners } from 'node:events';
import type { Identity } from '../pki/identity.ts';
import type { Sender, Target } from '../transport/transport.ts';
import type { Clock } from '../util/clock.ts';
import { sealedRequest } from './dispatch.ts';
import { runHost } from './host-run.ts';
import type { Emit, HostResult, Job, StopReason } from './job.ts';
import { createPlaces } from './places.ts';

export interface RunJobOptions {
  sender: Sender;
  identity: Identity;
  clock: Clock;
  emit: Emit;
  /** Milliseconds without contact until a host is lost. */
  lostAfterMs: number;
  detach?: boolean;
  /** Milliseconds until the controller stops looking; it ends nothing. */
  timeoutMs?: number;
  /** Ctrl-C: start no more hosts, leave running ones. */
  signal: AbortSignal;
}

export interface JobResult {
  results: HostResult[];
  stopped?: StopReason;
}

/** Never rejects for what a host does; the results are in the order of the targets. */
export async function runJob(job: Job, options: RunJobOptions): Promise<JobResult> {
  const { clock, emit, identity, sender, lostAfterMs, detach = false, timeoutMs } = options;
  const places = createPlaces(job.concurrency);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal, options.signal);
  let stopped: StopReason | undefined;
  const stopFor = (reason: StopReason) => () => {
    stopped ??= reason;
    stop.abort();
  };
  const onInterrupt = stopFor('interrupted');
  if (options.signal.aborted) onInterrupt();
  options.signal.addEventListener('abort', onInterrupt, { once: true });
  const timer = timeoutMs === undefined ? undefined : setTimeout(stopFor('timeout'), timeoutMs);

  async function runOne(target: Target): Promise<HostResult> {
    const { certname } = target;
    if (!(await places.take(stop.signal))) {
      return {
        certname,
        outcome: 'not-started',
        endedAt: clock.now(),
        message: 'the job was stopped before its turn',
      };
    }
    let hasPlace = true;
    try {
      return await runHost(target, {
        ...{ sender, clock, emit, job: job.id, lostAfterMs, detach, signal: stop.signal },
        seal: () => sealedRequest(job, certname, { identity, now: clock.now() }),
        onWaiting(isWaiting) {
          hasPlace = !isWaiting;
          if (isWaiting) places.giveBack();
          else places.takeAnyway();
        },
      });
    } finally {
      if (hasPlace) places.giveBack();
    }
  }

  emit({ type: 'job-started', at: clock.now(), job });
  const results = await Promise.all(
    job.targets.map(async (target) => {
      const result = await runOne(target);
      emit({ type: 'host-done', at: clock.now(), result });
      return result;
    }),
  );
  clearTimeout(timer);
  options.signal.removeEventListener('abort', onInterrupt);
  const end = { results, ...(stopped !== undefined && { stopped }) };
  emit({ type: 'job-done', at: clock.now(), ...end });
  return end;
}
