/**
 * DESIGN 4: the kernel holds the lock. A shell in a session of its own takes the lock and begins the process
 * that becomes Puppet, which waits to be let go. The lock holds while wrapper *or* Puppet lives, whatever was
 * killed; an agent that is killed before it says "go" has started nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { identify, type ProcessId } from '../../util/proc.ts';
import type { PuppetPaths } from './run-record.ts';
import { RUN_FILES } from './run-store.ts';

/** How the wrapper ends when it never ran anything. */
export const WRAPPER_EXIT = { locked: 75, leftBehind: 77, notLetGo: 76, cannotWrite: 74 } as const;

/** Bytes of agent_disabled.lock that are kept. */
const MAX_DISABLED_BYTES = 65_536;

/**
 * $1 run folder, $2 lock file, $3 "yes" to take the lock over from what an earlier run has left behind; of Puppet's
 * files ("" for none) $4 the report to copy, $5 agent_disabled.lock, $6 agent_catalog_run.lock; then the command.
 *
 * Two locks, each for what the other cannot tell. "$2.wrapper" (fd 8) is inherited by nobody: held means that a
 * wrapper lives. "$2" (fd 9) is inherited by Puppet, and by what its facts leave behind; hence its content, written
 * before "go" by the very process that becomes Puppet: boot, wrapper (which is also the session), pid, start time.
 * With no wrapper alive and that process gone, whoever still holds fd 9 is left over from a run (exit 77), and with
 * $3 a new file takes the place of the old; only a wrapper does that, and only with fd 8 locked. A run that has ended
 * by itself unlocks fd 9 for all who share it: what it has left behind is no longer part of it.
 *
 * The signals are caught and not ignored with '': an ignored signal would be inherited by
 * Puppet. A shell that waits for a foreground child handles them when the child has ended.
 * `exit` holds the status, then what is to be seen at that moment, a note a line.
 * `started` is made by the very process that becomes Puppet, right before it does, and holds its pid
 * and start time (field 22 of /proc/PID/stat: the 20th after the last ")").
 */
const SCRIPT = `
dir=$1 lock=$2 takeover=$3 report=$4 disabled=$5 runlock=$6
shift 6
is_alive() {
  [ -n "$1" ] && stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  set -- "$2" \${stat##*) }
  [ "$2" != Z ] && [ "\${21}" = "$1" ]
}
trap 'caught="$caught TERM"' TERM
trap 'caught="$caught INT"' INT
trap 'caught="$caught HUP"' HUP
trap : USR1
umask 022
ulimit -Sn 1024
cd / || exit ${WRAPPER_EXIT.cannotWrite}
exec 8>>"$lock.wrapper" 9>>"$lock" || exit ${WRAPPER_EXIT.cannotWrite}
flock -n -E ${WRAPPER_EXIT.locked} 8 || exit
read -r this_boot </proc/sys/kernel/random/boot_id
if ! flock -n 9; then
  read -r boot session pid start <"$lock"
  [ "$boot" != "$this_boot" ] || ! is_alive "$pid" "$start" || exit ${WRAPPER_EXIT.locked}
  [ "$takeover" = yes ] || exit ${WRAPPER_EXIT.leftBehind}
  : >"$lock.new" && mv "$lock.new" "$lock" && exec 9>>"$lock" && flock -n 9 || exit ${WRAPPER_EXIT.cannotWrite}
fi
: >"$lock"
caught=
sh -c '
  start_of() { shift 19; echo "$1"; }
  dir=$0 boot=$1 session=$2
  shift 2
  read -r stat </proc/$$/stat
  process="$$ $(start_of \${stat##*) })"
  echo "$boot $session $process" >&9 || exit ${WRAPPER_EXIT.cannotWrite}
  echo "ready $process" >&3
  exec 3>&-
  IFS= read -r word
  [ "$word" = go ] || exit ${WRAPPER_EXIT.notLetGo}
  echo "$process" >"$dir/started.tmp" && mv "$dir/started.tmp" "$dir/started" ||
    exit ${WRAPPER_EXIT.cannotWrite}
  exec "$@" </dev/null
' "$dir" "$this_boot" "$$" "$@" 8>&-
code=$? seen=$caught
[ -e "$dir/started" ] || [ "$code" -gt 128 ] || exit "$code"
if [ -n "$report" ] && [ -f "$report" ]; then
  cp -- "$report" "$dir/report.tmp" && mv "$dir/report.tmp" "$dir/${RUN_FILES.report}"
fi
isdisabled= islocked=
if [ -n "$disabled" ] && [ -e "$disabled" ]; then
  isdisabled=disabled
  [ -f "$disabled" ] && head -c ${MAX_DISABLED_BYTES} -- "$disabled" >"$dir/${RUN_FILES.disabled}" 2>/dev/null
fi
if [ -n "$runlock" ] && [ -f "$runlock" ]; then
  pid=$(head -c 10 -- "$runlock" 2>/dev/null)
  [ -n "$pid" ] && [ -d "/proc/$pid" ] && islocked=locked
fi
printf '%s\\n' "$code" "caught$seen" $isdisabled $islocked >"$dir/exit.tmp" && mv "$dir/exit.tmp" "$dir/exit"
[ "$code" -gt 128 ] || flock -u 9
`;

export interface WrapperCommand {
  argv: readonly string[];
  /** The whole environment: nothing of the agent's own is inherited. */
  env: Readonly<Record<string, string>>;
  /** What of Puppet's is noted in the run's folder when the command has ended. */
  puppet?: PuppetPaths | undefined;
  /** Whether to take the lock over from what an earlier run has left behind. */
  takeOver?: boolean;
}

export interface ReadyWrapper {
  process: ProcessId;
  /** Becomes the command when it is let go. */
  inner: ProcessId;
  /** Resolves when the wrapper itself has ended. */
  ended: Promise<void>;
  /** The point of no return: from here on the run is taken to have begun. */
  letGo(): void;
  /** Ends the wrapper; nothing was started. */
  abandon(): void;
}

/**
 * Starts a wrapper up to the gate: it holds the lock and waits. Resolves to `locked` while another run lasts, to
 * `left-behind` when nothing but what one has left behind holds the lock. Throws when the wrapper cannot be started.
 */
export async function startWrapper(
  dir: string,
  lock: string,
  { argv, env, puppet, takeOver = false }: WrapperCommand,
): Promise<ReadyWrapper | 'locked' | 'left-behind'> {
  const output = openSync(join(dir, RUN_FILES.output), 'a', 0o600);
  let child: ChildProcess;
  try {
    const { lastRunReport = '', disabledLock = '', runLock = '' } = puppet ?? {};
    const own = [dir, lock, takeOver ? 'yes' : 'no', lastRunReport, disabledLock, runLock];
    child = spawn('/bin/sh', ['-c', SCRIPT, 'kick-run', ...own, ...argv], {
      detached: true,
      env,
      stdio: ['pipe', output, output, 'pipe'],
    });
  } finally {
    closeSync(output);
  }
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  child.stdin?.on('error', () => {}); // the wrapper is gone: `ended` tells
  const [word, pid, start = ''] = (await firstLine(child)).split(' ');
  const process = child.pid === undefined ? undefined : identify(child.pid);
  if (word !== 'ready' || process === undefined) {
    child.stdin?.destroy();
    await ended;
    if (child.exitCode === WRAPPER_EXIT.locked) return 'locked';
    if (child.exitCode === WRAPPER_EXIT.leftBehind) return 'left-behind';
    throw new Error(`the wrapper ended with ${child.exitCode ?? child.signalCode} before it was ready`);
  }
  child.unref();
  return {
    process,
    inner: { pid: Number(pid), start },
    ended,
    letGo: () => child.stdin?.end('go\n'),
    abandon: () => child.stdin?.destroy(),
  };
}

/** Its pipe is closed from here then: the wrapper keeps the other end until it has ended. */
function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const pipe = child.stdio[3];
    let text = '';
    pipe?.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (!text.includes('\n')) return;
      resolve(text.trim());
      pipe.destroy();
    });
    pipe?.once('close', () => resolve(text.trim()));
    child.once('error', (error) => reject(new Error(`start the wrapper: ${messageOf(error)}`)));
  });
}
