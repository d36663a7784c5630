/** What a failed attempt means for a host: its result, or that it is asked again. */
import { messageOf } from '../../errors.ts';
import type { RefusalBody, RefusalCode } from '../../protocol/refusal.ts';
import { SendError } from '../../transport/transport.ts';
import { formatDuration } from '../../util/duration.ts';
import type { HostResult } from '../jobs/job.ts';
import { type HostRun, resultOf } from './host-run.ts';
import { refusalWords } from './refusal-words.ts';

/** Attempts when connections break before anything is sent: the agent may just be restarting. */
const EARLY_TRIES = 3;

/**
 * Refusals that an agent sends only after it has checked whether it knows the request (DESIGN 5): no
 * earlier attempt has arrived.
 */
const AFTER_KNOWN: ReadonlySet<string> = new Set<RefusalCode>([
  'expired',
  'clock-skew',
  'policy',
  'unsupported',
  'no-space',
  'queue-full',
  'job-conflict',
  'gone',
]);

const FORGOTTEN = 'the agent no longer knows this job: whether its run came to an end is not known';

export function asSendError(error: unknown): SendError {
  if (error instanceof SendError) return error;
  return new SendError('broken', messageOf(error), { arrived: true });
}

/** Returns the result that a failure makes; undefined: ask again. */
export function resultAfter(run: HostRun, error: SendError): HostResult | undefined {
  const { contact, options } = run;
  const { failure, refusal, message } = error;
  if (refusal?.code === 'unknown-job') {
    if (run.mayHaveStarted) return lost(run, FORGOTTEN, error);
    forget(run);
  } else if (refusal !== undefined && isFinal(refusal, run)) return afterRefusal(run, refusal, error);
  else if (refusal === undefined && !run.mayHaveArrived && !isWorthAnother(run, failure))
    return resultOf(run, { outcome: 'unreachable', message, failure });
  if (failure === 'too-much') return lost(run, message, error);
  const ends = contact.endedTooOften();
  if (ends !== undefined) return lost(run, `${message}, ${ends} times`, error);
  const silence = contact.silenceMs();
  if (silence < options.lostAfterMs) return undefined;
  if (refusal !== undefined && !run.mayHaveArrived) return afterRefusal(run, refusal, error);
  return lost(run, `no contact for ${formatDuration(silence)}: ${message}`, error);
}

/** The agent's state is gone and nothing can have begun: the same key again, with numbers from 1. */
function forget(run: HostRun): void {
  run.isAccepted = false;
  run.lastSeq = 0;
}

function isFinal({ code }: RefusalBody, { mayHaveArrived }: HostRun): boolean {
  return code !== 'stopping' && code !== 'internal' && (!mayHaveArrived || AFTER_KNOWN.has(code));
}

/** A request that was accepted can no longer be refused: what became of it is not known. */
function afterRefusal(run: HostRun, refusal: RefusalBody, error: SendError): HostResult {
  const { clock, action } = run.options;
  const message = refusalWords(refusal, { now: clock.now(), action });
  if (run.wasAccepted || (refusal.code === 'gone' && run.mayHaveArrived)) {
    return lost(run, `it was accepted, and what became of it is not known: ${message}`, error);
  }
  return resultOf(run, { outcome: refusal.code === 'queue-full' ? 'busy' : 'refused', message, refusal });
}

function isWorthAnother(run: HostRun, failure: SendError['failure']): boolean {
  run.earlyTries += 1;
  return (failure === 'broken' || failure === 'not-trusted') && run.earlyTries < EARLY_TRIES;
}

function lost(run: HostRun, message: string, { failure }: SendError): HostResult {
  return resultOf(run, { outcome: 'lost', message, failure });
}
