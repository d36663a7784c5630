/** `kick jobs stop --cancel`: takes the requests of a job off their runs. */
import { messageOf } from '../../errors.ts';
import type { Target } from '../../transport/transport.ts';
import { sealedCancel } from '../jobs/seal-request.ts';
import type { Rolling } from './rolling.ts';

export async function cancelAll(rolling: Rolling, by: string): Promise<void> {
  rolling.stopStarting('stopped', `${by} stopped the job and its runs (kick jobs stop --cancel)`);
  const { job, inProgress, isUnderWay } = rolling;
  const begun = job.targets.filter(({ certname }) => inProgress.has(certname) || isUnderWay(certname));
  await Promise.all(begun.map((target) => cancelOne(target, rolling)));
}

async function cancelOne(target: Target, { job, options, stops, report }: Rolling): Promise<void> {
  const { certname } = target;
  const { clock, caller } = options;
  try {
    const { identity, sender } = await caller();
    const body = await sealedCancel(job, certname, { identity, now: clock.now() });
    await sender.command(target, body, { signal: stops.following });
  } catch (error) {
    const message = `it could not be cancelled: ${messageOf(error)}`;
    report({ type: 'host-retry', at: clock.now(), certname, message });
  }
}
