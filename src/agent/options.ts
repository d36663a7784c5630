/** What an agent is opened with. */
import type { DoctorFacts } from '../protocol/doctor.ts';
import type { Clock } from '../util/clock.ts';
import type { Log } from '../util/log.ts';
import type { Policy } from './admission/policy.ts';
import type { Runner } from './runners/runner.ts';
import type { OutputLimits } from './runs/output.ts';
import type { RunSteps } from './runs/run-steps.ts';

export interface AgentOptions {
  stateDir: string;
  runDir: string;
  runner: Runner;
  policy: Policy;
  /** Our version. */
  version: string;
  clock: Clock;
  log: Log;
  /** Requests that may wait at once. */
  queueSize: number;
  /** Milliseconds between TERM and KILL when a run is ended. */
  killGraceMs: number;
  outputLimits?: OutputLimits;
  /** Milliseconds without a word from a run after which it seems to be stuck; defaults to 15 minutes. */
  stuckAfterMs?: number;
  /** What will go wrong on this host, for `kick doctor`. */
  doctor?(): Promise<DoctorFacts>;
  /** Milliseconds between looks at the clock; defaults to 5 s. */
  lookEveryMs?: number;
  /** For node_exporter's textfile collector; absent: none. */
  metricsFile?: string | undefined;
  /** Milliseconds that a look at Puppet's settings and locks may take; defaults to 150 s. */
  gateMs?: number;
  /** How runs begin and end; defaults to processes. */
  steps?: RunSteps;
}
