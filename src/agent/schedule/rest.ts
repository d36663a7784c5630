/** What keeps an agent that systemd starts when it is needed, and what it has to do before it ends. */
import type { Clock } from '../../util/clock.ts';
import type { Parts } from '../open-parts.ts';
import { pruneParts } from './agent-duties.ts';

export interface Rest {
  /** Whether requests wait, a run is followed, or there is pull mode. */
  isBusy(): boolean;
  /** Whether Puppet is to be enabled again at some time. */
  isExpected(): Promise<boolean>;
  /** Removes old records: an agent that ends may never live for the hour after which it would. */
  prune(): Promise<void>;
}

export function createRest(parts: Parts, clock: Clock): Rest {
  const { queue, standing, disabling } = parts;
  return {
    isBusy: () => queue.isBusy() || standing.pull !== undefined,
    isExpected: () => disabling.isTimed(),
    prune: () => pruneParts(parts, clock),
  };
}
