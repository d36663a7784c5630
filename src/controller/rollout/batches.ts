/** The order in which hosts are started, and when a job stops by itself. */
import { OUTCOMES } from '../../protocol/outcome.ts';
import type { Target } from '../../transport/transport.ts';
import { countOf, type Share } from '../../util/share.ts';
import { clip } from '../../util/text.ts';
import type { HostResult, Rollout, StopReason } from '../jobs/job.ts';

export interface Batch {
  targets: readonly Target[];
  isCanary: boolean;
}

/** Returns the batches in order; every target is in exactly one. */
export function batchesOf(targets: readonly Target[], { canary = 0, batches = [] }: Rollout): Batch[] {
  const planned: Batch[] = [];
  let from = 0;
  const take = (count: number, isCanary: boolean) => {
    const taken = targets.slice(from, from + count);
    from += taken.length;
    if (taken.length > 0) planned.push({ targets: taken, isCanary });
  };
  take(canary, true);
  for (let index = 0; from < targets.length; index++) {
    const size = batches[Math.min(index, batches.length - 1)];
    take(size === undefined ? targets.length : Math.max(1, countOf(size, targets.length)), false);
  }
  return planned;
}

export type BudgetReason = Extract<StopReason, 'max-failures' | 'max-unreachable'>;

/** Counts outcomes against the budgets of a job. */
export function createBudget(
  rollout: Rollout,
  total: number,
): { add(result: HostResult): BudgetReason | undefined } {
  const { maxFailures, maxUnreachable } = rollout;
  let failures = 0;
  let unreachable = 0;
  const isOver = (count: number, share: Share | undefined) =>
    share !== undefined && count > (share.unit === 'hosts' ? share.count : (total * share.count) / 100);
  return {
    add({ outcome }) {
      if (isFailure(outcome)) failures += 1;
      if (outcome === 'unreachable') unreachable += 1;
      if (isOver(failures, maxFailures)) return 'max-failures';
      return isOver(unreachable, maxUnreachable) ? 'max-unreachable' : undefined;
    },
  };
}

/** What --max-failures counts: a run that failed, or a host that disappeared during its run. */
function isFailure(outcome: HostResult['outcome']): boolean {
  return OUTCOMES[outcome].exit === 1 || outcome === 'lost';
}

/** A success with another catalog than the deployed one is `stale`: its compiler lags behind. */
export function checkVersion(result: HostResult, { expectVersion }: Rollout): HostResult {
  if (expectVersion === undefined || OUTCOMES[result.outcome].exit !== 0) return result;
  const { configurationVersion, codeId } = result.finished?.facts ?? {};
  // Agents send only the start of a long version (RunFactsSchema).
  const expected = clip(expectVersion, 256);
  if (configurationVersion === expected || codeId === expected) return result;
  const version = configurationVersion ?? codeId;
  const actual =
    version === undefined ? 'the host did not report its version' : `its version is "${version}"`;
  return { ...result, outcome: 'stale', message: `the catalog is not of "${expectVersion}": ${actual}` };
}
