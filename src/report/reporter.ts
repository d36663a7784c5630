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
  /** A line for stderr from elsewhere; absent: nothing is in its way, and it may be written as it is. */
  say?(line: string): void;
  /** Others have written to the terminal, a shell for one: what is drawn there is drawn anew. */
  redraw?(): void;
  /** Gives the terminal back. Resolves once everything is printed; nothing is afterwards. */
  close(): Promise<void>;
}
