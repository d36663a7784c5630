/** Who holds the kernel's lock though no run of ours is known to last: see wrapper.ts for what stands in it. */
import { readFileSync } from 'node:fs';
import type { Holder } from '../../protocol/event.ts';
import { bootId, commOf, flockHolders, isAlive, type LockHolder, type ProcessId } from '../../util/proc.ts';
import { clip } from '../../util/text.ts';
import { describeProcess, isPuppet } from '../puppet/puppet-process.ts';

/** What the last run has written into the lock. */
interface LockRecord {
  /** The wrapper's pid. */
  session: number;
  /** Puppet itself, or what was to become it. */
  process: ProcessId;
}

/** Undefined where no run of this boot has written it. */
function recordIn(path: string): LockRecord | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
  const [, boot, session, pid, start = ''] = /^(\S+) (\d+) (\d+) (\d+)\n/.exec(text) ?? [];
  if (boot !== bootId()) return undefined;
  return { session: Number(session), process: { pid: Number(pid), start } };
}

/**
 * Because of whom no run may begin, although the agent knows of none: a run that nobody follows, what may still be
 * the work of one that was killed, or a stranger who has locked our file. Undefined when nobody holds the lock, or
 * only what a run has left behind. `runsPuppet`: the runner is Puppet, whose processes are known by Puppet's own rule.
 */
export function keeperOf(path: string, { runsPuppet }: { runsPuppet: boolean }): Holder | undefined {
  const record = recordIn(path);
  if (record !== undefined && isAlive(record.process)) {
    return { pid: record.process.pid, what: 'a run of kick', ...describeProcess(record.process) };
  }
  const keeper = flockHolders(path).find((one) => isKeeper(one, record, runsPuppet));
  if (keeper === undefined) return undefined;
  const comm = clip(commOf(keeper.pid), 64) || 'a process';
  const { began: since, ...described } = describeProcess(keeper);
  return {
    pid: keeper.pid,
    what: keeper.isAppending ? `${comm}, left behind by a run of kick` : `${comm}, not by kick`,
    ...(since !== undefined && { since }),
    ...described,
    isRun: false,
    stuck: keeper.isAppending ? "its run is over, and it holds kick's lock" : "it has locked kick's own file",
    next: `kick leaves it alone and waits for its end: if it may go, end it there (kill ${keeper.pid})`,
  };
}

/**
 * A run that ended by itself has unlocked the file. After one that was killed, its own work may go on: for Puppet
 * what Puppet's rule takes for a run, for a fixed command whatever stayed in the run's session.
 */
function isKeeper(
  { pid, session, isAppending }: LockHolder,
  record: LockRecord | undefined,
  runsPuppet: boolean,
): boolean {
  if (!isAppending) return true;
  if (record !== undefined && session !== record.session) return false;
  return !runsPuppet || isPuppet(pid);
}
