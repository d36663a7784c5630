/** One attempt: submits the request or resumes its events, and reads the stream to the end. */
import { messageOf } from '../../errors.ts';
import type { Identity } from '../../pki/identity.ts';
import type { FinishedEvent } from '../../protocol/event.ts';
import type { OtherEnd } from '../../protocol/newer-event.ts';
import { type IncomingEvent, SendError } from '../../transport/transport.ts';
import type { HostResult } from '../jobs/job.ts';
import { type HostEnd, type HostRun, noteEvent, resultOf } from './host-run.ts';

const LEFT_TO_ITSELF = {
  outcome: 'unfinished',
  message: 'accepted; not waited for (--detach)',
  detached: true,
} as const;

const LEASE_LOST = 'another controller has taken the job over';

/** Submits the request, or resumes its events once it is accepted. Throws `SendError`. */
export async function openStream(run: HostRun): Promise<AsyncIterable<IncomingEvent>> {
  const { target, options, budget } = run;
  const { clock, emit, job, signal, log } = options;
  const { sender, identity } = await options.caller();
  refuseIfLeaseLost(run);
  if (run.isAccepted) {
    return sender.resume(target, { job, after: run.isInDoubt ? 0 : run.lastSeq, signal, budget });
  }
  const jws = await sealed(run, identity);
  emit({ type: 'request-signed', at: clock.now(), certname: target.certname, jws });
  // After a crash, the controller that resumes this job must know that the host may have been asked.
  await log?.written();
  refuseIfLeaseLost(run);
  return sender.submit(target, jws, { signal, budget });
}

/** A request that cannot be signed has not been sent. */
async function sealed({ options }: HostRun, identity: Identity): Promise<Uint8Array> {
  try {
    return await options.seal(identity);
  } catch (error) {
    const message = `the request cannot be signed: ${messageOf(error)}`;
    throw new SendError('broken', message, { arrived: false, cause: error });
  }
}

/** The other controller asks this host, or has already done so. */
function refuseIfLeaseLost({ options: { lease } }: HostRun): void {
  if (lease?.isHeld() === false) throw new SendError('aborted', LEASE_LOST, { arrived: false });
}

/** Reads a stream to its end. Returns the result; undefined if the agent ended the stream without one. */
export async function readStream(
  run: HostRun,
  stream: AsyncIterable<IncomingEvent>,
): Promise<HostResult | undefined> {
  const { contact, options } = run;
  contact.opened();
  let isEndedByAgent = false;
  try {
    for await (const event of stream) {
      // `finished` counts whatever its number: after a reboot, older agents number their events from 1 again.
      const isEnd = event.type === 'finished' || event.type === 'other-end';
      const isNew = event.type !== 'alive' && (isEnd || event.seq > run.lastSeq);
      contact.heard(isNew);
      if (!isNew) continue;
      if (event.type === 'other-end') return resultOf(run, otherEnd(event));
      noteEvent(run, event);
      if (event.type === 'finished') return resultOf(run, endFrom(event));
      const room = options.log?.room();
      if (room !== undefined) await room;
      if (options.detach) return resultOf(run, LEFT_TO_ITSELF);
    }
    isEndedByAgent = true;
  } finally {
    contact.closed(isEndedByAgent);
  }
  run.isInDoubt = !contact.wasGood();
  return undefined;
}

/** It has ended; whether it did as asked, only a newer version knows. */
function otherEnd({ outcome, message }: OtherEnd): HostEnd {
  const why = message === undefined ? '' : ` (${message})`;
  return {
    outcome: 'lost',
    message: `it ended as "${outcome}"${why}, an outcome that this version of kick does not know: upgrade it here`,
  };
}

function endFrom(finished: FinishedEvent): HostEnd {
  const { outcome, message, error } = finished;
  const why = message ?? error?.message;
  return { outcome, finished, ...(why !== undefined && { message: why }) };
}
