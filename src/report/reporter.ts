/** Reporters subscribe to a job's events; what they print goes through the terminal that they are given. */
import type { JobEvent } from '../controller/job.ts';

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
