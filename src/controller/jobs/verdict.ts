/** How a job as a whole ended: its exit code, and the hosts behind it. */
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
import type { JobSettings } from './stored-job.ts';

export interface VerdictPolicy {
  /** Outcomes that are shown but do not affect the exit code. */
  accept: readonly Outcome[];
  /** Percentage of hosts that must do as asked or be accepted; the rest then do not count. */
  success?: number | undefined;
  /** Some hosts could not even be judged: the job is incomplete, whatever became of the others. */
  partial?: boolean | undefined;
}

export interface Verdict {
  exit: ExitClass | typeof EXIT.interrupted;
  /** Neither a success nor accepted. */
  bad: HostResult[];
  accepted: HostResult[];
}

/** Stops that a rollout makes by itself because too much went wrong: policies then forgive nothing. */
const BY_ITSELF: readonly StopReason[] = ['canary', 'max-failures', 'max-unreachable'];

/** Applies a policy to the exit code of DESIGN 3. A rollout that stopped by itself never exits with 0. */
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

/** Whether a host did as asked. With --detach, accepting the request is enough. */
export function isAsAsked({ outcome, detached }: HostResult): boolean {
  return isSuccess(outcome) || (outcome === 'unfinished' && detached === true);
}

function exitOf(results: readonly HostResult[], { partial }: VerdictPolicy): ExitClass {
  // A host that could not be judged counts as one that could not be reached.
  const unjudged: Outcome[] = partial === true ? ['unreachable'] : [];
  return exitCodeOf([...results.map(({ outcome }) => outcome), ...unjudged]);
}

/** The policy that a job is run under. */
export function verdictPolicy({ accept, success, partial }: JobSettings): VerdictPolicy {
  return { accept: outcomesOf(accept, '--accept'), success, partial };
}

/** Outcomes by name. Throws `KickError` `usage` for unknown names. */
export function outcomesOf(names: readonly string[], option: string): Outcome[] {
  return names.map((name) => {
    const outcome = OUTCOME_NAMES.find((one) => one === name);
    if (outcome !== undefined) return outcome;
    throw new KickError('usage', `${option}: "${name}" is not an outcome`, {
      hint: `one of ${OUTCOME_NAMES.join(', ')}`,
    });
  });
}
