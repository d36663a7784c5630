/**
 * One host from dispatch to outcome. The connection may break, the agent may be restarted: as long
 * as the request may have arrived the host is asked again, under the same key, until it answers or
 * is `lost` (DESIGN 3).
 */
import type { FinishedEvent, ResourceChange, StoredEvent } from '../../protocol/event.ts';
import type { RefusalBody, RefusalCode } from '../../protocol/refusal.ts';
import { type IncomingEvent, SendError, type Sender, type Target } from '../../transport/transport.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { formatDuration } from '../../util/duration.ts';
import type { Emit, HostResult, JobLog } from '../jobs/job.ts';
import type { Lease } from '../jobs/lease.ts';
import { trackContact } from './contact.ts';
import { refusalWords } from './refusal-words.ts';

export interface HostRunOptions {
  sender: Sender;
  clock: Clock;
  emit: Emit;
  /** The job's id, to resume by. */
  job: string;
  /** A fresh signed request. */
  seal(): Promise<Uint8Array>;
  /** Milliseconds without contact until a host is lost. */
  lostAfterMs: number;
  /** Do not wait for the end. */
  detach: boolean;
  /** Stops looking; the host is left as it is. */
  signal: AbortSignal;
  /** How far an earlier controller had read its stream, 0 when its request may have arrived; absent: it cannot have. */
  after?: number;
  /** What keeps the events. */
  log?: JobLog;
  /** The right to run the job. */
  lease?: Pick<Lease, 'isHeld'>;
  /** Called when the host begins to wait for another run, and when it no longer does. */
  onWaiting(isWaiting: boolean): void;
}

/** Resources that are kept of one host, whatever it sends. */
const MAX_RESOURCES = 500;

/** How often a connection that broke before anything was sent is tried anew: an agent may just be restarted. */
const EARLY_TRIES = 3;

/** Milliseconds before the first new try and at the most. */
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 15_000;

/**
 * Refusals that an agent gives only after it has looked whether it knows the request (DESIGN 5): no
 * earlier attempt has arrived.
 */
const AFTER_KNOWN: readonly RefusalCode[] = [
  ...(['expired', 'clock-skew', 'policy', 'unsupported', 'no-space', 'queue-full'] as const),
  ...(['job-conflict', 'gone'] as const),
];

const LEFT_TO_ITSELF = {
  outcome: 'unfinished',
  message: 'it was asked, and left to itself',
  detached: true,
} as const;

const LOST = 'another controller has taken the job over';

const FORGOTTEN = 'the agent no longer knows this job: whether its run came to an end is not known';

export async function runHost(target: Target, options: HostRunOptions): Promise<HostResult> {
  const { sender, clock, emit, job, signal } = options;
  const { certname } = target;
  const startedAt = clock.now();
  let lastSeq = options.after ?? 0;
  let mayHaveArrived = options.after !== undefined;
  let isAccepted = lastSeq > 0;
  let wasAccepted = isAccepted;
  /** What stands behind `accepted` may be the beginning of a run. */
  let mayHaveStarted = lastSeq > 1;
  /** The agent ended a stream that should have told more: it may count its events anew. */
  let isInDoubt = false;
  const contact = trackContact(clock, options.lostAfterMs);
  let backoff = FIRST_BACKOFF_MS;
  let earlyTries = 0;
  let waitingSince: number | undefined;
  let waitedMs = 0;
  const resources: ResourceChange[] = [];
  let moreResources = 0;

  const result = (rest: Pick<HostResult, 'outcome'> & Partial<HostResult>): HostResult => ({
    certname,
    startedAt,
    endedAt: clock.now(),
    ...(waitedMs > 0 && { waitedMs }),
    ...(resources.length > 0 && { resources }),
    ...(moreResources > 0 && { moreResources }),
    ...rest,
  });

  function setWaiting(isWaiting: boolean): void {
    if (isWaiting === (waitingSince !== undefined)) return;
    if (waitingSince !== undefined) waitedMs += Math.round(clock.monotonic() - waitingSince);
    waitingSince = isWaiting ? clock.monotonic() : undefined;
    options.onWaiting(isWaiting);
  }

  async function open(): Promise<AsyncIterable<IncomingEvent>> {
    refuseIfLost();
    if (isAccepted) return sender.resume(target, job, isInDoubt ? 0 : lastSeq, signal);
    const jws = await options.seal();
    emit({ type: 'request-signed', at: clock.now(), certname, jws });
    // Whoever goes on with this job after a crash must know that the host may have been asked.
    await options.log?.written();
    refuseIfLost();
    return sender.submit(target, jws, signal);
  }

  /** Another controller has the job: it asks this host, or has done so. */
  function refuseIfLost(): void {
    if (options.lease?.isHeld() === false) throw new SendError('aborted', LOST, { arrived: false });
  }

  /** Reads a stream to its end; the outcome if it came. */
  async function read(stream: AsyncIterable<IncomingEvent>): Promise<HostResult | undefined> {
    contact.opened();
    let isEndedByAgent = false;
    try {
      for await (const event of stream) {
        // An end is one whatever its number: an agent of an earlier version counts anew after a reboot.
        const isNew = event.type !== 'alive' && (event.seq > lastSeq || event.type === 'finished');
        contact.heard(isNew);
        if (!isNew) continue;
        note(event);
        if (event.type === 'finished') return result(fromFinished(event));
        const room = options.log?.room();
        if (room !== undefined) await room;
        if (options.detach) return result(LEFT_TO_ITSELF);
      }
      isEndedByAgent = true;
    } finally {
      contact.closed(isEndedByAgent);
    }
    isInDoubt = !contact.wasGood();
    return undefined;
  }

  function note(event: StoredEvent): void {
    lastSeq = Math.max(lastSeq, event.seq);
    isAccepted = true;
    wasAccepted = true;
    isInDoubt = false;
    mayHaveStarted ||= event.type !== 'accepted' && event.type !== 'waiting';
    if (event.type === 'waiting') setWaiting(true);
    else if (event.type !== 'accepted') setWaiting(false);
    emit({ type: 'host-event', at: clock.now(), certname, event });
    if (event.type !== 'resources') return;
    resources.push(...event.resources.slice(0, MAX_RESOURCES - resources.length));
    moreResources += event.more ?? 0;
  }

  /** What a failed try means for good; undefined: ask again. */
  function finalResult(error: SendError): HostResult | undefined {
    const { failure, refusal, message } = error;
    if (refusal?.code === 'unknown-job') {
      if (mayHaveStarted) return lost(FORGOTTEN, error);
      askAnew();
    } else if (refusal !== undefined && isFinalRefusal(refusal)) return afterRefusal(refusal, error);
    else if (refusal === undefined && !mayHaveArrived && !isWorthAnother(failure))
      return result({ outcome: 'unreachable', message, failure });
    const ends = contact.endedTooOften();
    if (ends !== undefined) return lost(`${message}, ${ends} times`, error);
    const silence = contact.silenceMs();
    if (silence < options.lostAfterMs) return undefined;
    return lost(`no contact for ${formatDuration(silence)}: ${message}`, error);
  }

  function lost(message: string, { failure }: SendError): HostResult {
    return result({ outcome: 'lost', message, failure });
  }

  /** Its state is gone, and nothing can have begun: the same key again, with numbers from 1. */
  function askAnew(): void {
    isAccepted = false;
    lastSeq = 0;
  }

  /** What was accepted once is not refused any more: what became of it cannot be told. */
  function afterRefusal(refusal: RefusalBody, error: SendError): HostResult {
    if (!wasAccepted && !(refusal.code === 'gone' && mayHaveArrived)) {
      return result(fromRefusal(refusal, clock.now()));
    }
    const words = refusalWords(refusal, clock.now());
    return lost(`it was accepted, and what became of it is not known: ${words}`, error);
  }

  function isWorthAnother(failure: SendError['failure']): boolean {
    earlyTries += 1;
    return (failure === 'broken' || failure === 'not-trusted') && earlyTries < EARLY_TRIES;
  }

  const isFinalRefusal = ({ code }: RefusalBody) =>
    code !== 'stopping' && code !== 'internal' && (!mayHaveArrived || AFTER_KNOWN.includes(code));

  /** Not beyond the time at which it is lost. */
  const untilNextTry = () =>
    Math.min(backoff * (0.5 + Math.random()), Math.max(0, options.lostAfterMs - contact.silenceMs()));

  emit({ type: 'host-dispatched', at: startedAt, certname });
  try {
    while (!signal.aborted) {
      let error: SendError;
      contact.asked();
      try {
        const done = await read(await open());
        if (done !== undefined) return done;
        error = new SendError('broken', 'the agent ended the stream without an outcome', { arrived: true });
      } catch (thrown) {
        error = asSendError(thrown);
      }
      mayHaveArrived ||= error.arrived;
      if (signal.aborted) break;
      const final = finalResult(error);
      if (final !== undefined) return final;
      emit({ type: 'host-retry', at: clock.now(), certname, message: error.message });
      if (contact.wasGood()) backoff = FIRST_BACKOFF_MS;
      await sleep(untilNextTry(), signal);
      backoff = Math.min(MAX_BACKOFF_MS, backoff * 2);
    }
    return mayHaveArrived || isAccepted
      ? result({ outcome: 'unfinished', message: whatItDid() })
      : result({ outcome: 'not-started', message: 'it was not reached before the end' });
  } finally {
    setWaiting(false);
  }

  function whatItDid(): string {
    if (!isAccepted) return 'it was asked, its answer was not waited for';
    return waitingSince === undefined ? 'left running' : 'left waiting for another run';
  }
}

function asSendError(error: unknown): SendError {
  if (error instanceof SendError) return error;
  return new SendError('broken', error instanceof Error ? error.message : String(error), { arrived: true });
}

function fromFinished(finished: FinishedEvent): Pick<HostResult, 'outcome'> & Partial<HostResult> {
  const { outcome, message, error } = finished;
  const why = message ?? error?.message;
  return { outcome, finished, ...(why !== undefined && { message: why }) };
}

function fromRefusal(refusal: RefusalBody, now: number): Pick<HostResult, 'outcome'> & Partial<HostResult> {
  const outcome = refusal.code === 'queue-full' ? 'busy' : 'refused';
  return { outcome, message: refusalWords(refusal, now), refusal };
}
