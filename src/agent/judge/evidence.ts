/** What is known of a run that is over, and what can be said of it. */
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
  /** The report that lies where the run's own should, and is another's. */
  othersReport?: ReportHead | undefined;
  /** Written down before the first signal. */
  intention?: Intention | undefined;
  log: LogFindings;
  /** `puppet apply`: its run is broken off by the exception of a signal, where `puppet agent` has a handler. */
  isApply?: boolean | undefined;
  /** Whether Puppet has opened its log. */
  hasLog?: boolean | undefined;
  /** As planned. */
  puppet?: PuppetPaths | undefined;
  /** Whether Puppet was disabled when the run ended, and why. */
  disabled?: Disabled | undefined;
  /** It was disabled while it ran, and kick agent has enabled it since. */
  enabledMeanwhile?: Disabled | undefined;
  /** Whether somebody holds Puppet's run lock. */
  isLockHeld?: boolean | undefined;
}

export type Ending = Pick<FinishedEvent, 'outcome' | 'message' | 'error' | 'facts'>;

/** Puppet found its run lock taken: the request goes back to waiting. */
export interface RaceLost {
  outcome: 'race-lost';
  /** Whether somebody still holds it; where nobody does, it is tried again a few times only. */
  isHeld: boolean;
  /** What it is when it has been tried often enough. */
  otherwise: Ending;
}

export type Verdict = Ending | RaceLost;
