/** What is known of one host while it is asked and run, and the result that it makes. */
import type { Identity } from '../../pki/identity.ts';
import type { ResourceChange, StoredEvent } from '../../protocol/event.ts';
import type { RunAction } from '../../protocol/request.ts';
import { type StreamBudget, type Target, wholeBudget } from '../../transport/transport.ts';
import type { Clock } from '../../util/clock.ts';
import type { Emit, HostResult, JobLog } from '../jobs/job.ts';
import type { Lease } from '../jobs/lease.ts';
import type { Caller } from '../site.ts';
import { type Contact, trackContact } from './contact.ts';

export interface HostRunOptions {
  caller: () => Promise<Caller>;
  clock: Clock;
  emit: Emit;
  /** The job's id, to resume by. */
  job: string;
  /** What is asked of the host. */
  action: RunAction;
  /** Returns a freshly signed request. */
  seal(identity: Identity): Promise<Uint8Array>;
  /** Milliseconds without contact until a host is lost. */
  lostAfterMs: number;
  /** Does not wait for the end. */
  detach: boolean;
  /** Stops following; the host is left as it is. */
  signal: AbortSignal;
  /**
   * How far an earlier controller had read the host's stream, 0 if its request may have arrived;
   * absent: it cannot have arrived.
   */
  after?: number;
  /** Keeps the events. */
  log?: JobLog;
  /** The right to run the job. */
  lease?: Pick<Lease, 'isHeld'>;
  /** Called when the host begins to wait for another run, and when it stops waiting. */
  onWaiting(isWaiting: boolean): void;
}

/** Resources kept of one host, however many it sends. */
const MAX_RESOURCES = 500;

export interface HostRun {
  readonly target: Target;
  readonly options: HostRunOptions;
  readonly contact: Contact;
  /** What the agent may still send. */
  readonly budget: StreamBudget;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The number of the last event read. */
  lastSeq: number;
  /** Whether any attempt may have reached the agent. */
  mayHaveArrived: boolean;
  /** Whether the agent has the request, as far as we know. */
  isAccepted: boolean;
  /** Whether the agent has ever accepted it. */
  wasAccepted: boolean;
  /** Whether an event after `accepted` may mean that a run has begun. */
  mayHaveStarted: boolean;
  /** The agent ended a stream that should have had more: it may be numbering its events from 1 again. */
  isInDoubt: boolean;
  /** Attempts that failed before anything was sent. */
  earlyTries: number;
  /** When it began to wait for another run, by the monotonic clock. */
  waitingSince: number | undefined;
  waitedMs: number;
  readonly resources: ResourceChange[];
  /** Resources that the agent or we left out. */
  moreResources: number;
}

export function openHostRun(target: Target, options: HostRunOptions): HostRun {
  const { clock, after, lostAfterMs } = options;
  const lastSeq = after ?? 0;
  return {
    target,
    options,
    contact: trackContact(clock, lostAfterMs),
    budget: wholeBudget(),
    startedAt: clock.now(),
    lastSeq,
    mayHaveArrived: after !== undefined,
    isAccepted: lastSeq > 0,
    wasAccepted: lastSeq > 0,
    mayHaveStarted: lastSeq > 1,
    isInDoubt: false,
    earlyTries: 0,
    waitingSince: undefined,
    waitedMs: 0,
    resources: [],
    moreResources: 0,
  };
}

/** Takes in a new event and passes it on. */
export function noteEvent(run: HostRun, event: StoredEvent): void {
  const { emit, clock } = run.options;
  run.lastSeq = Math.max(run.lastSeq, event.seq);
  run.isAccepted = true;
  run.wasAccepted = true;
  run.isInDoubt = false;
  run.mayHaveStarted ||= event.type !== 'accepted' && event.type !== 'waiting';
  if (event.type === 'waiting') setWaiting(run, true);
  else if (event.type !== 'accepted') setWaiting(run, false);
  emit({ type: 'host-event', at: clock.now(), certname: run.target.certname, event });
  if (event.type !== 'resources') return;
  run.resources.push(...event.resources.slice(0, MAX_RESOURCES - run.resources.length));
  run.moreResources += event.more ?? 0;
}

export function setWaiting(run: HostRun, isWaiting: boolean): void {
  const { clock, onWaiting } = run.options;
  if (isWaiting === (run.waitingSince !== undefined)) return;
  if (run.waitingSince !== undefined) run.waitedMs += Math.round(clock.monotonic() - run.waitingSince);
  run.waitingSince = isWaiting ? clock.monotonic() : undefined;
  onWaiting(isWaiting);
}

/** How a host ended, without what is known of it anyway. */
export type HostEnd = Pick<HostResult, 'outcome'> & Partial<HostResult>;

export function resultOf(run: HostRun, end: HostEnd): HostResult {
  const { target, options, startedAt, waitedMs, resources, moreResources } = run;
  return {
    certname: target.certname,
    startedAt,
    endedAt: options.clock.now(),
    ...(waitedMs > 0 && { waitedMs }),
    ...(resources.length > 0 && { resources }),
    ...(moreResources > 0 && { moreResources }),
    ...end,
  };
}
