/** How a run begins and how it is seen to its end: the one place where the queue meets processes. */
import { followRun } from './live-run.ts';
import { prepareRun } from './prepare-run.ts';

export interface RunSteps {
  /** Makes a run up to the gate. */
  readonly prepare: typeof prepareRun;
  /** Follows one that was let go, or found alive. */
  readonly follow: typeof followRun;
}

/** A wrapper that holds the kernel's lock, and Puppet in it. */
export const PROCESS_STEPS: RunSteps = { prepare: prepareRun, follow: followRun };
