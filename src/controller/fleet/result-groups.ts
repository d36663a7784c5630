/** The hosts of a job by how it ended and why: identical failures are one group. */
import { OUTCOME_NAMES, type Outcome } from '../../protocol/outcome.ts';
import type { Target } from '../../transport/transport.ts';
import type { HostResult } from '../jobs/job.ts';
import { groupAlike } from './group-alike.ts';
import { holderOf } from './holder.ts';
import { reasonOf } from './result-reason.ts';

export interface ResultGroup {
  outcome: Outcome;
  /** Why, one line, as the agent said it; empty where there is nothing to say. */
  reason: string;
  /** The others differ in an address, a pid, a time, …: the reason is that of the first host. */
  isExample: boolean;
  certnames: readonly string[];
}

/** Characters of a reason that are compared. */
const MAX_COMPARED = 2000;

/** In the order of the outcome table, the largest group first. `targets`: where hosts are reached, if that is known. */
export function resultGroups(results: readonly HostResult[], targets: readonly Target[] = []): ResultGroup[] {
  const addresses = new Map(targets.map(({ certname, host }) => [certname, host]));
  const groups = groupAlike(results, (result) => {
    const { certname, outcome } = result;
    return { kind: outcome, text: whyOf(result), names: [certname, addresses.get(certname) ?? certname] };
  });
  return groups
    .map(({ items, text, isExample }) => ({
      outcome: items[0].outcome,
      reason: text,
      isExample,
      certnames: items.map(({ certname }) => certname),
    }))
    .sort(
      (a, b) =>
        OUTCOME_NAMES.indexOf(a.outcome) - OUTCOME_NAMES.indexOf(b.outcome) ||
        b.certnames.length - a.certnames.length,
    );
}

function whyOf(result: HostResult): string {
  const { holder } = result.finished ?? {};
  const reason = reasonOf(result, MAX_COMPARED);
  return reason === '' && holder !== undefined ? holderOf(holder) : reason;
}
