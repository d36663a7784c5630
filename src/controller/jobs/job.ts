/** One `kick`: who asks what of which hosts, and how it ended for each. Reporters subscribe to its events. */
import type { FinishedEvent, ResourceChange, StoredEvent } from '../../protocol/event.ts';
import type { Outcome } from '../../protocol/outcome.ts';
import type { RefusalBody } from '../../protocol/refusal.ts';
import type { By, RunAction, RunRequest } from '../../protocol/request.ts';
import type { SendFailure, Target } from '../../transport/transport.ts';
import type { Share } from '../../util/share.ts';

/** How the agents of a job's hosts were asked who is there (DESIGN 12). */
export interface DiscoveryNote {
  /** Milliseconds. */
  tookMs: number;
  /** Hosts that were expected, and how many of them answered; absent if nobody knew whom to expect. */
  expected?: { hosts: number; answered: number };
  silent: string[];
  /** Answers that were forged, repeated or too many. */
  ignored: number;
}

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
  /** The name of its lock (`nightly`). */
  name?: string;
  /** Hosts left out because they are in maintenance. */
  maintenance?: readonly string[];
  /** How its hosts were found, if their agents were asked. */
  discovery?: DiscoveryNote;
}

/** The order in which hosts are started, and when the job stops by itself. */
export interface Rollout {
  /** Size of a first batch that must succeed on every host. */
  canary?: number;
  /** Sizes of the batches; percentages are of all hosts, and the last size repeats. Absent: all hosts at once. */
  batches?: readonly Share[];
  /** Milliseconds between batches. */
  pauseMs?: number;
  /** Ask the operator between batches. */
  confirm?: boolean;
  /** Failed runs that are tolerated; above that, no more hosts are started. */
  maxFailures?: Share;
  maxUnreachable?: Share;
  /** Maximum number of retries of an unreachable host. */
  retry?: number;
  /** Milliseconds from the start during which unreachable hosts are retried. */
  deadlineMs?: number;
  /** The configuration_version or code_id that catalogs must have. */
  expectVersion?: string;
  /** Limits of the inventory's groups: their members, and how many of those run at once. */
  groups?: readonly GroupBound[];
}

export interface GroupBound {
  name: string;
  concurrency: number;
  certnames: readonly string[];
}

/** How a job ended for one host. */
export interface HostResult {
  certname: string;
  outcome: Outcome;
  /** One sentence for people. */
  message?: string;
  /** With `refused`: what the agent said. */
  refusal?: RefusalBody;
  /** With `unfinished`: the host accepted the request and was left to itself, as asked (--detach). */
  detached?: true;
  /** With `unreachable` and `lost`: how the connection failed. */
  failure?: SendFailure;
  /** What the agent said at the end. */
  finished?: FinishedEvent;
  /** Resources that were not as they should be, from the run's report; bounded. */
  resources?: readonly ResourceChange[];
  /** How many further resources there were. */
  moreResources?: number;
  /** Milliseconds since 1970: when it was dispatched, and when it was known to be over. */
  startedAt?: number;
  endedAt: number;
  /** Milliseconds it waited for another run. */
  waitedMs?: number;
}

export type JobEvent =
  | { type: 'job-started'; at: number; job: Job }
  | { type: 'host-dispatched'; at: number; certname: string }
  | { type: 'host-event'; at: number; certname: string; event: StoredEvent }
  /** The connection broke, or the agent is restarting: the host is asked again. */
  | { type: 'host-retry'; at: number; certname: string; message: string }
  | { type: 'host-done'; at: number; result: HostResult }
  /** What was signed for a host, as sent (a JWS). */
  | { type: 'request-signed'; at: number; certname: string; jws: Uint8Array }
  /** The next batch starts; numbers begin at 1. */
  | { type: 'batch'; at: number; number: number; of: number; hosts: number; isCanary: boolean }
  /** Between batches, `until` a time (milliseconds since 1970); absent: until the operator agrees. */
  | { type: 'pause'; at: number; until?: number }
  /** How many hosts run at once from now on, and the maximum. */
  | { type: 'window'; at: number; size: number; most: number; why: string }
  /** No more hosts are started; running ones go on. */
  | { type: 'stopping'; at: number; reason: StopReason; message: string }
  | { type: 'job-done'; at: number; stopped?: StopReason; results: readonly HostResult[] };

/** Why a job ended before all its hosts had run. */
export type StopReason =
  /** Ctrl-C or --timeout: the controller stops following. */
  | 'interrupted'
  | 'timeout'
  /** Too many failures, too many unreachable hosts, a canary that did not succeed. */
  | 'max-failures'
  | 'max-unreachable'
  | 'canary'
  /** The operator said no between two batches. */
  | 'declined'
  /** `kick jobs stop`. */
  | 'stopped';

export type Emit = (event: JobEvent) => void;

/** The writing of a job's events. */
export interface JobLog {
  /** Resolves once all events so far are written, or cannot be. */
  written(): Promise<void>;
  /** When too much is waiting to be written: a promise that resolves once there is room. */
  room(): Promise<void> | undefined;
}
