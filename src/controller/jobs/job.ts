/** One `kick`: who asks what of which hosts, and how it ended for each. What reporters subscribe to. */
import type { FinishedEvent, ResourceChange, StoredEvent } from '../../protocol/event.ts';
import type { Outcome } from '../../protocol/outcome.ts';
import type { RefusalBody } from '../../protocol/refusal.ts';
import type { By, RunAction, RunRequest } from '../../protocol/request.ts';
import type { SendFailure, Target } from '../../transport/transport.ts';
import type { Share } from '../../util/share.ts';

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
  rollout?: Rollout;
  /** What to call it: the name of its lock (`nightly`). */
  name?: string;
  /** Hosts that were left out since they are in maintenance. */
  maintenance?: readonly string[];
}

/** In which order hosts are let go, and when the job stops by itself. */
export interface Rollout {
  /** A first batch of so many hosts that must all be a success. */
  canary?: number;
  /** Sizes of the batches, of all hosts; the last size repeats. None: all at once. */
  batches?: readonly Share[];
  /** Milliseconds between batches. */
  pauseMs?: number;
  /** Ask between batches. */
  confirm?: boolean;
  /** Runs that may fail before no new host is started. */
  maxFailures?: Share;
  maxUnreachable?: Share;
  /** Further tries of a host that cannot be reached, besides the deadline. */
  retry?: number;
  /** Milliseconds from the start for which unreachable hosts are tried again. */
  deadlineMs?: number;
  /** The configuration_version or code_id that a catalog must have. */
  expectVersion?: string;
  /** Bounds of the inventory's groups: who is in them, and how many of them at once. */
  groups?: readonly GroupBound[];
}

export interface GroupBound {
  name: string;
  concurrency: number;
  certnames: readonly string[];
}

/** How it ended for one host. */
export interface HostResult {
  certname: string;
  outcome: Outcome;
  /** One sentence for people. */
  message?: string;
  /** With `refused`: what the agent said. */
  refusal?: RefusalBody;
  /** With `unfinished`: it has accepted the request, and was left to itself as asked (--detach). */
  detached?: true;
  /** With `unreachable` and `lost`: how it failed. */
  failure?: SendFailure;
  /** What the agent said at the end. */
  finished?: FinishedEvent;
  /** What was not as it should be, by the run's report; bounded. */
  resources?: readonly ResourceChange[];
  /** How many more resources there were. */
  moreResources?: number;
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
  /** What was signed for a host, as it is sent (a JWS). */
  | { type: 'request-signed'; at: number; certname: string; jws: Uint8Array }
  /** The next batch is let go: its number from 1, of how many. */
  | { type: 'batch'; at: number; number: number; of: number; hosts: number; isCanary: boolean }
  /** Between batches, until then (milliseconds since 1970); absent: until the operator says so. */
  | { type: 'pause'; at: number; until?: number }
  /** So many at once from now on, of at the most so many. */
  | { type: 'window'; at: number; size: number; most: number; why: string }
  /** No new host is started; those that run go on. */
  | { type: 'stopping'; at: number; reason: StopReason; message: string }
  | { type: 'job-done'; at: number; stopped?: StopReason; results: readonly HostResult[] };

/** Why a job ended before all its hosts had run. */
export type StopReason =
  /** Ctrl-C, and --timeout: the controller no longer looks. */
  | 'interrupted'
  | 'timeout'
  /** Too many failures, too many hosts that cannot be reached, a canary that was no success. */
  | 'max-failures'
  | 'max-unreachable'
  | 'canary'
  /** Asked between two batches, the operator said no. */
  | 'declined'
  /** `kick jobs stop`. */
  | 'stopped';

export type Emit = (event: JobEvent) => void;

/** How far the events of a job have been written. */
export interface JobLog {
  /** Resolves when all that was told so far is written, or cannot be. */
  written(): Promise<void>;
  /** A promise when much waits to be written: it resolves when there is room. */
  room(): Promise<void> | undefined;
}
