/** How runs are made: by one of three runners, chosen on the host and never over the wire. */

import { KickError } from '../../errors.ts';
import type { Event, Holder } from '../../protocol/event.ts';
import type { RunAction } from '../../protocol/request.ts';
import type { Disabled, LastRun, RunnerName } from '../../protocol/status.ts';
import type { Verdict } from '../judge/evidence.ts';
import type { LogFindings } from '../judge/log-findings.ts';
import type { Intention, PuppetPaths } from '../runs/run-record.ts';
import type { EndNotes } from '../runs/wrapper-files.ts';

export type ResourcesEvent = Extract<Event, { type: 'resources' }>;

/** Whether a run can start now, according to Puppet's own files. */
export type Gate =
  | { state: 'free' }
  | { state: 'held'; holder: Holder }
  | { state: 'disabled'; disabled: Disabled }
  /** Puppet's files cannot be read, so no run can start. */
  | { state: 'unclear'; problem: string };

/** Turns problems with Puppet's files into an answer; rethrows other errors. */
export function unclear(error: unknown): Gate {
  if (!(error instanceof KickError)) throw error;
  return { state: 'unclear', problem: error.message };
}

export interface RunPlan {
  argv: string[];
  /** The whole environment of the run. */
  env: Record<string, string>;
  /** With `puppet agent`: the files by which it is judged. */
  puppet?: PuppetPaths;
  /** Milliseconds a run may take if the request does not say; defaults to no limit. */
  timeLimitMs?: number;
}

export interface PlannedRun {
  run: string;
  /** The run's folder. */
  dir: string;
  action: RunAction;
}

export interface EndedRun {
  run: string;
  /** The run's folder. */
  dir: string;
  action: RunAction;
  exit?: number | undefined;
  /** What the wrapper saw when it ended. */
  notes?: EndNotes | undefined;
  /** Milliseconds since 1970; `now` is when it is judged. */
  startedAt?: number | undefined;
  now: number;
  intention?: Intention | undefined;
  /** Why Puppet was disabled, if kick agent has enabled it since the run began. */
  enabledMeanwhile?: Disabled | undefined;
  /** From the plan of the run. */
  puppet?: PuppetPaths | undefined;
  /** Reads the run's log; `runLock` is Puppet's lock file, if the runner has one. */
  readLog(runLock?: string): Promise<LogFindings>;
}

/** Something that others can change. */
export interface Untrusted {
  /** What it is, and what to type. */
  error: KickError;
  /** Whether runs do without it; otherwise they are refused. */
  isLeftOut: boolean;
}

export interface Runner {
  readonly name: RunnerName;
  /** Its process's name for people: `puppet agent`. */
  readonly title: string;
  puppetVersion(): Promise<string | undefined>;
  /** The options of an action that it does not support. */
  unsupported(action: RunAction): string[];
  /** The file that disables Puppet on this host. Throws `KickError` if Puppet is not found. */
  disabledLock(): Promise<string>;
  /** `now` is milliseconds since 1970. */
  gate(now: number): Promise<Gate>;
  /** Throws `KickError` if the run is impossible: its outcome is then `failed` with that message. */
  plan(planned: PlannedRun): Promise<RunPlan>;
  /** What others can change of all that a run executes and that the agent believes of it; also a fixed command that is missing. */
  untrusted(): Promise<Untrusted[]>;
  judge(ended: EndedRun): Promise<Verdict>;
  /** The resources that the run found not as they should be; none for a runner without reports. */
  resources(ended: EndedRun): Promise<ResourcesEvent[]>;
  /** Puppet's own record of its last run, whoever started it; undefined if there is none. */
  lastRun(): Promise<LastRun | undefined>;
  /** Puppet's own runinterval, milliseconds; undefined if Puppet cannot be asked. */
  runinterval(): Promise<number | undefined>;
  /** Why the cached catalog cannot be applied, as a sentence; undefined if it can. */
  catalogProblem(): Promise<string | undefined>;
  /** Puppet's classes.txt; undefined if there is none. */
  classes(): Promise<string[] | undefined>;
}
