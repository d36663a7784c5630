/** How a job as a whole ended: its exit code, and which hosts it is about. */
import { KickError } from '../../errors.ts';
import {
  EXIT,
  type ExitClass,
  exitCodeOf,
  isSuccess,
  OUTCOME_NAMES,
  type Outcome,
} from '../../protocol/outcome.ts';
import type { HostResult, StopReason } from './job.ts';

export interface VerdictPolicy {
  /** Outcomes that are shown, but do not count. */
  accept: readonly Outcome[];
  /** Percent of the hosts that must have done as asked, or be accepted; then the rest do not count. */
  success?: number | undefined;
  /** There are hosts that could not even be judged: the job is not whole, whatever became of the others. */
  partial?: boolean | undefined;
}

export interface Verdict {
  exit: ExitClass | typeof EXIT.interrupted;
  /** Neither a success nor accepted. */
  bad: HostResult[];
  accepted: HostResult[];
}

/** Stops that a rollout comes to by itself, since too much went wrong: policies then forgive nothing. */
const BY_ITSELF: readonly StopReason[] = ['canary', 'max-failures', 'max-unreachable'];

/** DESIGN 3's exit code of these hosts, under a policy. A rollout that stopped by itself is never 0. */
export function judgeJob(
  results: readonly HostResult[],
  policy: VerdictPolicy,
  stopped?: StopReason,
): Verdict {
  const unlike = results.filter((result) => !isAsAsked(result));
  const isAccepted = ({ outcome }: HostResult) => policy.accept.includes(outcome);
  const [accepted, bad] = [unlike.filter(isAccepted), unlike.filter((result) => !isAccepted(result))];
  if (stopped === 'interrupted') return { exit: EXIT.interrupted, bad, accepted };
  const share = results.length === 0 ? 100 : ((results.length - bad.length) * 100) / results.length;
  const counted = policy.success !== undefined && share >= policy.success ? [] : bad;
  const forgiving = exitOf(counted, policy);
  const hasStopped = stopped !== undefined && BY_ITSELF.includes(stopped);
  return { exit: forgiving === 0 && hasStopped ? exitOf(unlike, policy) : forgiving, bad, accepted };
}

/** Whether a host did what it was to do. Whoever did not want to wait has got what was asked for. */
export function isAsAsked({ outcome, detached }: HostResult): boolean {
  return isSuccess(outcome) || (outcome === 'unfinished' && detached === true);
}

function exitOf(results: readonly HostResult[], { partial }: VerdictPolicy): ExitClass {
  // A host that could not be judged counts as one that could not be reached.
  const unjudged: Outcome[] = partial === true ? ['unreachable'] : [];
  return exitCodeOf([...results.map(({ outcome }) => outcome), ...unjudged]);
}

/** Outcomes by name. Throws `KickError` `usage` for one that is none. */
export function outcomesOf(names: readonly string[], option: string): Outcome[] {
  return names.map((name) => {
    const outcome = OUTCOME_NAMES.find((one) => one === name);
    if (outcome !== undefined) return outcome;
    throw new KickError('usage', `${option}: "${name}" is not an outcome`, {
      hint: `one of ${OUTCOME_NAMES.join(', ')}`,
    });
  });
}
