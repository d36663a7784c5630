/** What the queue needs from the agent. */
import type { FinishedEvent, Holder } from '../../protocol/event.ts';
import type { RequestLog } from '../requests/request-log.ts';
import type { RequestRecord } from '../requests/request-record.ts';
import type { LiveRunDeps } from '../runs/live-run.ts';
import type { RunSteps } from '../runs/run-steps.ts';

export interface QueueDeps extends LiveRunDeps {
  requestLog: RequestLog;
  runLock: string;
  steps: RunSteps;
  /** Milliseconds without output after which a run is reported as stuck. */
  stuckAfterMs: number;
  /** What keeps runs from starting although we know of none (run-lock.ts). */
  keeper(): Holder | undefined;
  /** Milliseconds that reading Puppet's settings and locks may take; defaults to 150 s. */
  gateMs?: number;
  /** Called when a request has its outcome, for the audit log. */
  onOutcome(record: RequestRecord, finished: FinishedEvent): void;
}
