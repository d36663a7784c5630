/** The options of an agent. */
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
  /** Maximum number of waiting requests. */
  queueSize: number;
  /** Milliseconds between TERM and KILL when a run is ended. */
  killGraceMs: number;
  outputLimits?: OutputLimits;
  /** Milliseconds without output after which a run is reported as stuck; defaults to 15 minutes. */
  stuckAfterMs?: number;
  /** What will go wrong on this host, for `kick doctor`. */
  doctor?(): Promise<DoctorFacts>;
  /** Milliseconds between checks of what is due; defaults to 5 s. */
  lookEveryMs?: number;
  /** A file for node_exporter's textfile collector; defaults to none. */
  metricsFile?: string | undefined;
  /** Milliseconds that reading Puppet's settings and locks may take; defaults to 150 s. */
  gateMs?: number;
  /** How runs start and end; defaults to real processes. */
  steps?: RunSteps;
}
