/** What is known of a run that is over, and the verdict on it. */
import type { FinishedEvent } from '../../protocol/event.ts';
import type { RunAction } from '../../protocol/request.ts';
import type { Disabled } from '../../protocol/status.ts';
import type { ReportHead } from '../puppet/report.ts';
import type { Intention, PuppetPaths } from '../runs/run-record.ts';
import type { EndNotes } from '../runs/wrapper-files.ts';
import type { LogFindings } from './log-findings.ts';

export interface Evidence {
  action: RunAction;
  /** The process's exit status, 128 + n for a signal; absent: it was not recorded. */
  exit?: number | undefined;
  /** What the wrapper saw at the end of the run. */
  notes?: EndNotes | undefined;
  /** Milliseconds since 1970: when it began. */
  startedAt?: number | undefined;
  /** The run's *own* report: the caller has compared its job_id. */
  report?: ReportHead | undefined;
  /** Another run's report found in the place of this run's. */
  othersReport?: ReportHead | undefined;
  /** There was a report in the place of this run's, and it cannot be read any more. */
  isReportDamaged?: boolean | undefined;
  /** Recorded before the first signal. */
  intention?: Intention | undefined;
  log: LogFindings;
  /** `puppet apply`, whose run is ended by a signal's exception, while `puppet agent` has a handler. */
  isApply?: boolean | undefined;
  /** Whether Puppet has opened its log. */
  hasLog?: boolean | undefined;
  /** From the plan of the run. */
  puppet?: PuppetPaths | undefined;
  /** Whether Puppet was disabled when the run ended, and why. */
  disabled?: Disabled | undefined;
  /** It was disabled during the run, and kick agent has enabled it since. */
  enabledMeanwhile?: Disabled | undefined;
  /** Whether Puppet's run lock is held. */
  isLockHeld?: boolean | undefined;
}

export type Ending = Pick<FinishedEvent, 'outcome' | 'message' | 'error' | 'facts'>;

/** Puppet found its run lock taken: the request goes back to waiting. */
export interface RaceLost {
  outcome: 'race-lost';
  /** Whether the lock is still held; if not, the run is only retried a few times. */
  isHeld: boolean;
  /** The ending once it has been retried often enough. */
  otherwise: Ending;
}

export type Verdict = Ending | RaceLost;
