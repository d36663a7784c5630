/** How a job as a whole ended: its exit code, and which hosts it is about. */
import { type ExitClass, exitCodeOf, isSuccess, type Outcome } from '../protocol/outcome.ts';
import type { HostResult, StopReason } from './job.ts';

export interface VerdictPolicy {
  /** Outcomes that are shown, but do not count. */
  accept: readonly Outcome[];
  /** Percent of the hosts that must have done as asked, or be accepted; then the rest do not count. */
  success?: number | undefined;
  /** Whoever did not want to wait has got what was asked for. */
  detach?: boolean | undefined;
}

export interface Verdict {
  exit: ExitClass;
  /** Neither a success nor accepted. */
  bad: HostResult[];
  accepted: HostResult[];
}

/** DESIGN 3's exit code of these hosts, under a policy. A rollout that stopped by itself is never 0. */
export function judgeJob(
  results: readonly HostResult[],
  policy: VerdictPolicy,
  stopped?: StopReason,
): Verdict {
  const accepted: HostResult[] = [];
  const bad: HostResult[] = [];
  for (const result of results) {
    if (isSuccess(result.outcome) || (policy.detach === true && result.outcome === 'unfinished')) continue;
    (policy.accept.includes(result.outcome) ? accepted : bad).push(result);
  }
  const share = results.length === 0 ? 100 : ((results.length - bad.length) * 100) / results.length;
  const isEnough = policy.success !== undefined && share >= policy.success;
  const counted = isEnough ? [] : bad.map(({ outcome }) => outcome);
  return { exit: exitCodeOf([...counted, ...outcomeOfStop(stopped)]), bad, accepted };
}

/** As if a host had ended like that for which the rollout stopped. */
function outcomeOfStop(stopped: StopReason | undefined): Outcome[] {
  if (stopped === 'max-failures' || stopped === 'canary') return ['failed'];
  return stopped === 'max-unreachable' ? ['unreachable'] : [];
}
