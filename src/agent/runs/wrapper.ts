/**
 * DESIGN 4: the kernel holds the lock. A shell in a session of its own takes the lock and starts the process
 * that becomes Puppet, which waits to be released. The lock is held while wrapper *or* Puppet is alive, whatever
 * was killed; an agent that is killed before it says "go" has started nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { lstatIfAny } from '../../util/files.ts';
import { identify, type ProcessId } from '../../util/proc.ts';
import { kindOf, readRegularFile } from '../../util/regular-file.ts';
import { RUN_FILES } from './run-files.ts';
import type { PuppetPaths } from './run-record.ts';

/** Exit codes of a wrapper that never ran anything. */
const WRAPPER_EXIT = { locked: 75, leftBehind: 77, notReleased: 76, cannotWrite: 74 } as const;

/** Bytes read of the output of a wrapper that could not take its locks. */
const MAX_WORDS_BYTES = 4096;

/** Bytes copied of agent_disabled.lock. */
const MAX_DISABLED_BYTES = 65_536;

/**
 * $1 run folder, $2 lock file, $3 "yes" to take the lock over from what an earlier run has left behind; of Puppet's
 * files ("" for none) $4 the report to copy, $5 agent_disabled.lock, $6 agent_catalog_run.lock; then the command.
 *
 * There are two locks. "$2.wrapper" (fd 8) is not inherited: while it is held, a wrapper is alive. "$2" (fd 9) is
 * inherited by Puppet, and by anything that its facts leave behind; hence its content, written before "go" by the
 * process that becomes Puppet: boot, wrapper (which is also the session), pid, start time. If no wrapper is alive and
 * that process is gone, any holder of fd 9 is left over from a run (exit 77), and with $3 a new file replaces the old
 * one; only a wrapper does that, and only with fd 8 locked. A run that ends by itself unlocks fd 9 for all that share
 * it: what it has left behind is no longer part of it.
 *
 * Signals are caught rather than ignored with '', since Puppet would inherit an ignored signal. A shell
 * that waits for a foreground child handles them once the child has ended.
 * `exit` holds the status, then what is to be seen at that moment, one note per line. Its space is reserved before
 * the run begins: a run that fills the tmpfs must not hide how it ended.
 * `started` is written by the process that becomes Puppet, right before it does, and holds its pid and
 * start time (field 22 of /proc/PID/stat: the 20th after the last ")").
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
printf '%64s\\n' '' >"$dir/exit.tmp"
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
  [ "$word" = go ] || exit ${WRAPPER_EXIT.notReleased}
  echo "$process" >"$dir/started.tmp" && mv "$dir/started.tmp" "$dir/started" ||
    exit ${WRAPPER_EXIT.cannotWrite}
  exec "$@" </dev/null
' "$dir" "$this_boot" "$$" "$@" 8>&-
code=$? seen=$caught
case $code in ${WRAPPER_EXIT.notReleased} | ${WRAPPER_EXIT.cannotWrite}) [ -e "$dir/started" ] || exit "$code" ;; esac
if [ -n "$report" ] && [ -f "$report" ]; then
  cp -- "$report" "$dir/report.tmp" && mv "$dir/report.tmp" "$dir/${RUN_FILES.report}" || rm -f "$dir/report.tmp"
fi
[ ! -f "$dir/${RUN_FILES.report}" ] || sha256sum <"$dir/${RUN_FILES.report}" >"$dir/${RUN_FILES.reportSum}" 2>/dev/null
isdisabled= islocked=
if [ -n "$disabled" ]; then
  [ ! -f "$disabled" ] || head -c ${MAX_DISABLED_BYTES} -- "$disabled" >"$dir/${RUN_FILES.disabled}" 2>/dev/null || rm -f "$dir/${RUN_FILES.disabled}"
  { [ -s "$dir/${RUN_FILES.disabled}" ] || [ -e "$disabled" ]; } && isdisabled=disabled
fi
if [ -n "$runlock" ] && [ -f "$runlock" ]; then
  pid=$(head -c 10 -- "$runlock" 2>/dev/null)
  [ -n "$pid" ] && [ -d "/proc/$pid" ] && islocked=locked
fi
printf '%s\\n' "$code" "caught$seen" $isdisabled $islocked 1<>"$dir/exit.tmp" && mv "$dir/exit.tmp" "$dir/exit"
[ "$code" -gt 128 ] || flock -u 9
`;

export interface WrapperCommand {
  argv: readonly string[];
  /** The whole environment: nothing is inherited from the agent. */
  env: Readonly<Record<string, string>>;
  /** Puppet's files whose state is noted when the command has ended. */
  puppet?: PuppetPaths | undefined;
  /** Whether to take the lock over from what an earlier run has left behind. */
  takeOver?: boolean;
}

export interface ReadyWrapper {
  process: ProcessId;
  /** Becomes the command when released. */
  inner: ProcessId;
  /** Resolves once the wrapper itself has ended. */
  ended: Promise<void>;
  /** The point of no return: from here on the run counts as begun. */
  release(): void;
  /** Ends the wrapper; nothing was started. */
  abandon(): void;
}

/**
 * Starts a wrapper that holds the lock and waits to be released. Resolves to `locked` while another run lasts, and to
 * `left-behind` if only something that a run has left behind holds the lock. Throws if the wrapper cannot be started.
 */
export async function startWrapper(
  dir: string,
  lock: string,
  { argv, env, puppet, takeOver = false }: WrapperCommand,
): Promise<ReadyWrapper | 'locked' | 'left-behind'> {
  for (const end of ['', '.wrapper', '.new']) await refuseNoFile(`${lock}${end}`);
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
  child.stdin?.on('error', () => {}); // the wrapper is gone, as `ended` will say
  const [word, pid, start = ''] = (await firstLine(child)).split(' ');
  const process = child.pid === undefined ? undefined : identify(child.pid);
  if (word !== 'ready' || process === undefined) {
    child.stdin?.destroy();
    await ended;
    if (child.exitCode === WRAPPER_EXIT.locked) return 'locked';
    if (child.exitCode === WRAPPER_EXIT.leftBehind) return 'left-behind';
    const how = `the wrapper ended with ${child.exitCode ?? child.signalCode} before it was ready`;
    throw new Error([how, ...(await lastWords(join(dir, RUN_FILES.output)))].join(': '));
  }
  child.unref();
  return {
    process,
    inner: { pid: Number(pid), start },
    ended,
    release: () => child.stdin?.end('go\n'),
    abandon: () => child.stdin?.destroy(),
  };
}

/** A pipe in the place of a lock would keep the wrapper waiting for ever. */
async function refuseNoFile(path: string): Promise<void> {
  const found = await lstatIfAny(path);
  if (found !== undefined && !found.isFile())
    throw new Error(`"${path}" is ${kindOf(found)}, and no lock of ours`);
}

/** Its last line of output, if any: `/bin/sh: cannot create …: Is a directory`. */
async function lastWords(output: string): Promise<string[]> {
  try {
    const { bytes } = await readRegularFile(output, MAX_WORDS_BYTES, { follow: false });
    const lines = bytes.toString('utf8').split('\n');
    return lines.filter((line) => line.trim() !== '').slice(-1);
  } catch {
    return [];
  }
}

/** Closes the pipe after the first line: the wrapper keeps the other end open until it has ended. */
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
