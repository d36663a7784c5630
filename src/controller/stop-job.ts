/** Stops a job: through the controller that runs it or, if nobody does, directly at its hosts. */
import { KickError, messageOf } from '../errors.ts';
import { type By, describeBy } from '../protocol/request.ts';
import { SendError, type Sender, type Target } from '../transport/transport.ts';
import { shortId } from '../util/uuid.ts';
import { storedJob } from './jobs/read-job.ts';
import { sealedCancel } from './jobs/seal-request.ts';
import { type StoredJob, unfinished } from './jobs/stored-job.ts';
import { refusalLine } from './rollout/refusal-words.ts';
import { type Site, withSender } from './site.ts';

/** Milliseconds for a host to answer that it has cancelled. */
const CANCEL_WITHIN_MS = 30_000;

export interface StopOptions {
  by: By;
  /** Also end the runs in progress; defaults to false. */
  cancel?: boolean | undefined;
  /** Called when nobody runs the job and this many of its hosts are cancelled from here. */
  onCancelling?(job: string, hosts: number): void;
  onAnswer?(answer: CancelAnswer): void;
}

export interface CancelAnswer {
  certname: string;
  isDone: boolean;
  /** The host's answer, or why there is none. */
  message: string;
}

export type Stopped =
  /** The controller that runs it has been ordered to stop. */
  | { how: 'ordered'; job: string; pid: number }
  /** Nobody runs it, so there is nothing to stop. */
  | { how: 'idle'; job: string }
  | { how: 'cancelled'; job: string; answers: CancelAnswer[] };

/** Throws `KickError` `usage` if the job is over. */
export async function stopJob(site: Site, text: string, options: StopOptions): Promise<Stopped> {
  const store = await site.store();
  const stored = await storedJob(store, text);
  const { id } = stored.job;
  const isOver = stored.endedAt !== undefined && unfinished(stored).length === 0;
  if (isOver) {
    const short = shortId(id);
    throw new KickError('usage', `stop the job ${short}: it is over`, {
      hint: `kick jobs show ${short} says how it ended; kick cancel HOST ends another run there`,
    });
  }
  const { by, cancel = false } = options;
  if (stored.controller !== undefined) {
    await store.order(id, { at: site.clock.now(), by: describeBy(by), cancel });
    return { how: 'ordered', job: id, pid: stored.controller.pid };
  }
  if (!cancel) return { how: 'idle', job: id };
  return { how: 'cancelled', job: id, answers: await cancelThere(site, stored, options) };
}

async function cancelThere(
  site: Site,
  stored: StoredJob,
  { onCancelling, onAnswer }: StopOptions,
): Promise<CancelAnswer[]> {
  await site.identity();
  const targets = unfinished(stored);
  onCancelling?.(stored.job.id, targets.length);
  return withSender(site, stored.settings.connectTimeoutMs, (sender) =>
    Promise.all(
      targets.map(async (target) => {
        const answer = await cancelOn(target, { site, stored, sender });
        onAnswer?.(answer);
        return answer;
      }),
    ),
  );
}

async function cancelOn(
  target: Target,
  { site, stored, sender }: { site: Site; stored: StoredJob; sender: Sender },
): Promise<CancelAnswer> {
  const { certname } = target;
  const now = site.clock.now();
  try {
    const body = await sealedCancel(stored.job, certname, { identity: await site.identity(), now });
    const signal = AbortSignal.timeout(CANCEL_WITHIN_MS);
    const { message } = await sender.command(target, body, { signal });
    return { certname, isDone: true, message };
  } catch (error) {
    const refusal = error instanceof SendError ? error.refusal : undefined;
    const why =
      refusal === undefined ? messageOf(error) : refusalLine(refusal, { now, action: { op: 'cancel' } });
    const mayBe = refusal === undefined && error instanceof SendError && error.arrived;
    return { certname, isDone: false, message: mayBe ? `${why}; it may have been done anyway` : why };
  }
}
