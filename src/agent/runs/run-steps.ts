/** How a run is started and followed: the one place where the queue meets processes. */
import { followRun } from './live-run.ts';
import { prepareRun } from './prepare-run.ts';

export interface RunSteps {
  /** Prepares a run up to its release. */
  readonly prepare: typeof prepareRun;
  /** Follows a run that was released, or found alive. */
  readonly follow: typeof followRun;
}

/** The real steps: a wrapper that holds the lock, and Puppet in it. */
export const PROCESS_STEPS: RunSteps = { prepare: prepareRun, follow: followRun };
