/** What a run is made of: one of three runners says, chosen on the host and never over the wire. */

import { KickError } from '../../errors.ts';
import type { Event, Holder } from '../../protocol/event.ts';
import type { RunAction } from '../../protocol/request.ts';
import type { Disabled, LastRun, RunnerName } from '../../protocol/status.ts';
import type { Verdict } from '../judge/evidence.ts';
import type { LogFindings } from '../judge/log-findings.ts';
import type { Intention, PuppetPaths } from '../runs/run-record.ts';
import type { EndNotes } from '../runs/wrapper-files.ts';

export type ResourcesEvent = Extract<Event, { type: 'resources' }>;

/** Whether a run can begin now, as far as Puppet's own files tell. */
export type Gate =
  | { state: 'free' }
  | { state: 'held'; holder: Holder }
  | { state: 'disabled'; disabled: Disabled }
  /** Puppet's files cannot be read: no run can begin, and why. */
  | { state: 'unclear'; problem: string };

/** Throws what is none of Puppet's files: that is no answer. */
export function unclear(error: unknown): Gate {
  if (!(error instanceof KickError)) throw error;
  return { state: 'unclear', problem: error.message };
}

export interface RunPlan {
  argv: string[];
  /** The whole environment of the run. */
  env: Record<string, string>;
  /** With `puppet agent`: where to look when it is over. */
  puppet?: PuppetPaths;
  /** Milliseconds a run may take when the request does not say; absent: no limit. */
  timeLimitMs?: number;
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
  /** That kick agent has enabled Puppet since it began. */
  enabledMeanwhile?: Disabled | undefined;
  /** As planned. */
  puppet?: PuppetPaths | undefined;
  /** What the run's log tells; `runLock` is Puppet's lock file, if the runner has one. */
  readLog(runLock?: string): Promise<LogFindings>;
}

export interface Runner {
  readonly name: RunnerName;
  /** How its process is called to people: `puppet agent`. */
  readonly title: string;
  puppetVersion(): Promise<string | undefined>;
  /** The options of an action that it cannot honour. */
  unsupported(action: RunAction): string[];
  /** The file that switches Puppet off on this host. Throws `KickError` where Puppet is not to be found. */
  disabledLock(): Promise<string>;
  /** `now` is milliseconds since 1970. */
  gate(now: number): Promise<Gate>;
  /** Throws `KickError` when the run cannot be made: its outcome is then `failed` with that message. */
  plan(run: string, dir: string, action: RunAction): Promise<RunPlan>;
  judge(ended: EndedRun): Promise<Verdict>;
  /** What the run found not as it should be, told before its end; none for a runner without reports. */
  resources(ended: EndedRun): Promise<ResourcesEvent[]>;
  /** What Puppet remembers on this host, whoever began its runs; undefined where it remembers nothing. */
  lastRun(): Promise<LastRun | undefined>;
  /** Puppet's own runinterval, milliseconds; undefined where Puppet is not to be asked. */
  runinterval(): Promise<number | undefined>;
  /** Why the cached catalog cannot be applied, as a sentence; undefined where it can. */
  catalogProblem(): Promise<string | undefined>;
  /** Puppet's classes.txt; undefined where there is none. */
  classes(): Promise<string[] | undefined>;
}
