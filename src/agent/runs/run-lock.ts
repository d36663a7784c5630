/** Who holds the lock although we know of no run in progress. For its content see wrapper.ts. */
import type { Holder } from '../../protocol/event.ts';
import { bootId, commOf, flockHolders, isAlive, type LockHolder, type ProcessId } from '../../util/proc.ts';
import { readTextSync } from '../../util/regular-file.ts';
import { clip } from '../../util/text.ts';
import { describeProcess, isPuppet } from '../puppet/puppet-process.ts';

/** What the last run wrote into the lock file. */
interface LockRecord {
  /** The wrapper's pid. */
  session: number;
  /** Puppet itself, or the process that was to become it. */
  process: ProcessId;
}

/** Bytes of the lock file; it has one line. */
const MAX_BYTES = 4096;

/** Undefined if no run of this boot has written it. */
function recordIn(path: string): LockRecord | undefined {
  const text = readTextSync(path, MAX_BYTES) ?? '';
  const [, boot, session, pid, start = ''] = /^(\S+) (\d+) (\d+) (\d+)\n/.exec(text) ?? [];
  if (boot !== bootId()) return undefined;
  return { session: Number(session), process: { pid: Number(pid), start } };
}

/**
 * The process that keeps runs from starting although the agent knows of no run: a run that nobody follows, work left by a
 * killed run, or a stranger that has locked our file. Undefined if nobody holds the lock, or only something that a run has
 * left behind. `runsPuppet`: the runner is Puppet, whose processes are recognised by Puppet's own rule.
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
    next: `kick leaves it alone and waits for its end: if nobody needs it, end it there (kill ${keeper.pid})`,
  };
}

/**
 * A run that ends by itself unlocks the file. The work of a killed run may go on: for Puppet, any process that Puppet's
 * rule considers a run; for a fixed command, any process in the run's session.
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
