/**
 * DESIGN 4: the kernel holds the lock. A shell in a session of its own takes the lock, waits to be
 * let go, and runs Puppet with the locked descriptor inherited: the lock is free when wrapper *and*
 * Puppet are gone and not before, whatever was killed. An agent that is killed before it says "go"
 * has started nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { identify, type ProcessId } from '../util/proc.ts';
import { RUN_FILES } from './run-store.ts';

/** How the wrapper ends when it never ran anything. */
export const WRAPPER_EXIT = { locked: 75, notLetGo: 76, cannotWrite: 74 } as const;

/**
 * $1 run folder, $2 lock file, $3 the report to copy ("" for none), then the command.
 *
 * The signals are caught with `:` and not ignored with '': an ignored signal would be inherited by
 * Puppet. A shell that waits for a foreground child handles them when the child has ended.
 * `started` is made by the very process that becomes Puppet, right before it does, and holds its pid
 * and start time (field 22 of /proc/PID/stat: the 20th after the last ")").
 */
const SCRIPT = `
dir=$1 lock=$2 report=$3
shift 3
trap : TERM INT HUP USR1
umask 022
ulimit -Sn 1024
cd / || exit ${WRAPPER_EXIT.cannotWrite}
exec 9>>"$lock" || exit ${WRAPPER_EXIT.cannotWrite}
flock -n -E ${WRAPPER_EXIT.locked} 9 || exit
echo ready >&3
exec 3>&-
IFS= read -r word
[ "$word" = go ] || exit ${WRAPPER_EXIT.notLetGo}
sh -c '
  start_of() { shift 19; echo "$1"; }
  read -r stat </proc/$$/stat
  echo "$$ $(start_of \${stat##*) })" >"$0/started.tmp" && mv "$0/started.tmp" "$0/started" ||
    exit ${WRAPPER_EXIT.cannotWrite}
  exec "$@"
' "$dir" "$@" </dev/null
code=$?
if [ -n "$report" ] && [ -f "$report" ]; then
  cp -- "$report" "$dir/report.tmp" && mv "$dir/report.tmp" "$dir/${RUN_FILES.report}"
fi
printf '%s\\n' "$code" >"$dir/exit.tmp" && mv "$dir/exit.tmp" "$dir/exit"
`;

export interface WrapperCommand {
  argv: readonly string[];
  /** The whole environment: nothing of the agent's own is inherited. */
  env: Readonly<Record<string, string>>;
  /** The file to copy into the run's folder when the command has ended. */
  report?: string | undefined;
}

export interface ReadyWrapper {
  process: ProcessId;
  /** Resolves when the wrapper itself has ended. */
  ended: Promise<void>;
  /** The point of no return: from here on the run is taken to have begun. */
  letGo(): void;
  /** Ends the wrapper; nothing was started. */
  abandon(): void;
}

/**
 * Starts a wrapper up to the gate: it holds the lock and waits. Resolves to `locked` when another
 * run (or what one left behind) holds it. Throws when the wrapper cannot be started.
 */
export async function startWrapper(
  dir: string,
  lock: string,
  { argv, env, report = '' }: WrapperCommand,
): Promise<ReadyWrapper | 'locked'> {
  const output = openSync(join(dir, RUN_FILES.output), 'a', 0o600);
  let child: ChildProcess;
  try {
    child = spawn('/bin/sh', ['-c', SCRIPT, 'kick-run', dir, lock, report, ...argv], {
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
  const word = await firstWord(child);
  const process = child.pid === undefined ? undefined : identify(child.pid);
  if (word !== 'ready' || process === undefined) {
    child.stdin?.destroy();
    await ended;
    if (child.exitCode === WRAPPER_EXIT.locked) return 'locked';
    throw new Error(`the wrapper ended with ${child.exitCode ?? child.signalCode} before it was ready`);
  }
  child.unref();
  return {
    process,
    ended,
    letGo: () => child.stdin?.end('go\n'),
    abandon: () => child.stdin?.destroy(),
  };
}

function firstWord(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const pipe = child.stdio[3];
    let text = '';
    pipe?.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\n')) resolve(text.trim());
    });
    pipe?.once('close', () => resolve(text.trim()));
    child.once('error', (error) => reject(new Error(`start the wrapper: ${messageOf(error)}`)));
  });
}
