/**
 * One host from dispatch to outcome. The connection may break and the agent may be restarted: as long
 * as the request may have arrived, the host is asked again under the same key until it answers or
 * is `lost` (DESIGN 3).
 */
import { SendError, type Target } from '../../transport/transport.ts';
import { sleep } from '../../util/clock.ts';
import type { HostResult } from '../jobs/job.ts';
import { type HostRun, type HostRunOptions, openHostRun, resultOf, setWaiting } from './host-run.ts';
import { openStream, readStream } from './host-stream.ts';
import { asSendError, resultAfter } from './send-failures.ts';

/** Milliseconds before the first new attempt, and the maximum. */
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 15_000;

/** Never rejects. */
export async function runHost(target: Target, options: HostRunOptions): Promise<HostResult> {
  const { clock, emit, signal } = options;
  const { certname } = target;
  const run = openHostRun(target, options);
  let backoff = FIRST_BACKOFF_MS;
  emit({ type: 'host-dispatched', at: run.startedAt, certname });
  try {
    while (!signal.aborted) {
      const tried = await attempt(run);
      if (!(tried instanceof SendError)) return tried;
      run.mayHaveArrived ||= tried.arrived;
      if (signal.aborted) break;
      const result = resultAfter(run, tried);
      if (result !== undefined) return result;
      emit({ type: 'host-retry', at: clock.now(), certname, message: tried.message });
      if (run.contact.wasGood()) backoff = FIRST_BACKOFF_MS;
      await sleep(untilNextTry(run, backoff), signal);
      backoff = Math.min(MAX_BACKOFF_MS, backoff * 2);
    }
    return resultOfStopped(run);
  } finally {
    setWaiting(run, false);
  }
}

/** Returns the host's result, or why there is none yet. */
async function attempt(run: HostRun): Promise<HostResult | SendError> {
  run.contact.asked();
  try {
    const result = await readStream(run, await openStream(run));
    return (
      result ?? new SendError('broken', 'the agent ended the stream without an outcome', { arrived: true })
    );
  } catch (error) {
    return asSendError(error);
  }
}

/** Milliseconds, and no longer than until the host counts as lost. */
function untilNextTry({ contact, options: { lostAfterMs } }: HostRun, backoff: number): number {
  return Math.min(backoff * (0.5 + Math.random()), Math.max(0, lostAfterMs - contact.silenceMs()));
}

/** The caller has stopped following. */
function resultOfStopped(run: HostRun): HostResult {
  if (!run.mayHaveArrived && !run.isAccepted) {
    return resultOf(run, { outcome: 'not-started', message: 'it was not reached before the end' });
  }
  return resultOf(run, { outcome: 'unfinished', message: stateWhenLeft(run) });
}

function stateWhenLeft({ isAccepted, waitingSince }: HostRun): string {
  if (!isAccepted) return 'it was asked, its answer was not waited for';
  return waitingSince === undefined ? 'left running' : 'left waiting for another run';
}
