/** One `kick`: who asks what of which hosts, and how it ended for each. What reporters subscribe to. */
import type { FinishedEvent, StoredEvent } from '../protocol/event.ts';
import type { Outcome } from '../protocol/outcome.ts';
import type { RefusalBody } from '../protocol/refusal.ts';
import type { By, RunAction, RunRequest } from '../protocol/request.ts';
import type { SendFailure, Target } from '../transport/transport.ts';

export interface Job {
  /** UUIDv7. */
  id: string;
  /** The controller's certname. */
  controller: string;
  by: By;
  action: RunAction;
  /** How requests wait; absent: the agents' defaults. */
  queue?: NonNullable<RunRequest['queue']>;
  targets: readonly Target[];
  concurrency: number;
}

/** How it ended for one host. */
export interface HostResult {
  certname: string;
  outcome: Outcome;
  /** One sentence for people. */
  message?: string;
  /** With `refused`: what the agent said. */
  refusal?: RefusalBody;
  /** With `unreachable` and `lost`: how it failed. */
  failure?: SendFailure;
  /** What the agent said at the end. */
  finished?: FinishedEvent;
  /** Milliseconds since 1970: dispatched, and known to be over. */
  startedAt?: number;
  endedAt: number;
  /** Milliseconds it waited for another run. */
  waitedMs?: number;
}

export type JobEvent =
  | { type: 'job-started'; at: number; job: Job }
  | { type: 'host-dispatched'; at: number; certname: string }
  | { type: 'host-event'; at: number; certname: string; event: StoredEvent }
  /** The connection broke, or the agent is being restarted: it is asked again. */
  | { type: 'host-retry'; at: number; certname: string; message: string }
  | { type: 'host-done'; at: number; result: HostResult }
  | { type: 'job-done'; at: number; stopped?: StopReason; results: readonly HostResult[] };

/** Why the controller stopped looking before all was over. */
export type StopReason = 'interrupted' | 'timeout';

export type Emit = (event: JobEvent) => void;
