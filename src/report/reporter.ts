/** Reporters subscribe to a job's events; what they print goes through the terminal that they are given. */
import type { HostResult, JobEvent, StopReason } from '../controller/jobs/job.ts';
import type { Verdict } from '../controller/jobs/verdict.ts';

/** How a job as a whole ended, under the policy of its command line. */
export type Judge = (results: readonly HostResult[], stopped?: StopReason) => Verdict;

export interface Output {
  /** Data. */
  out(text: string): void;
  /** Everything else. */
  err(text: string): void;
}

export interface Reporter {
  on(event: JobEvent): void;
  /** Gives the terminal back; nothing is printed afterwards. */
  close(): void;
}
