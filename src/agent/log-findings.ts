/** What the log of a run tells of why it failed. */
import type { LogLine, RunError } from '../protocol/event.ts';
import { clip } from '../util/text.ts';

export interface LogFindings {
  /** The error that people should see first. */
  error?: RunError;
  /** The log names the path of Puppet's run lock: the race for it was lost (its words are translated). */
  namesRunLock: boolean;
  /** The signal that ended Puppet, where the log says so: `SIGTERM`. */
  signal?: string;
}

const ERRORS: readonly LogLine['level'][] = ['err', 'alert', 'emerg', 'crit'];

/** Facter complains of things that no run fails by. */
const NOT_THE_REASON = 'Facter';

/**
 * Puppet's own word that a signal ended it (never translated): from its handler (daemon.rb, set_signal_traps), or,
 * while it loads its code, as the message of Ruby's exception in an error: `Could not autoload puppet/type/file: SIGTERM`.
 */
const SIGNAL = /^(?:Caught (TERM|INT); exiting|(?:[^\n]*: )?SIG(TERM|INT|HUP))$/;

/** How much an error line tells: one with its place in the code first, then any of Puppet's, then plain output. */
const RANKS = { placed: 3, error: 2, output: 1, none: 0 } as const;

/** Reads a run's log line by line; `runLock` is the path of agent_catalog_run.lock, if there is one. */
export function createLogReader(runLock?: string): { add(line: LogLine): void; findings(): LogFindings } {
  let rank: number = RANKS.none;
  let error: RunError | undefined;
  let namesRunLock = false;
  let signal: string | undefined;
  return {
    add(line) {
      if (runLock !== undefined && line.message.includes(runLock)) namesRunLock = true;
      signal ??= signalIn(line);
      const candidate = asError(line);
      // The first error is the cause; of plain output, the last line is.
      if (candidate.rank > rank || (candidate.rank === RANKS.output && rank === RANKS.output)) {
        rank = candidate.rank;
        error = candidate.error;
      }
    },
    findings: () => ({
      namesRunLock,
      ...(error !== undefined && { error }),
      ...(signal !== undefined && { signal }),
    }),
  };
}

function signalIn({ message }: LogLine): string | undefined {
  const [, caught, raised] = SIGNAL.exec(message.trimEnd()) ?? [];
  const name = caught ?? raised;
  return name === undefined ? undefined : `SIG${name}`;
}

function asError({ level, message, source, file, line }: LogLine): { rank: number; error?: RunError } {
  const bare = { message: clip(message, 2000), ...(source !== undefined && { source }) };
  if (level === 'output') return { rank: RANKS.output, error: bare };
  if (!ERRORS.includes(level) || source === NOT_THE_REASON) return { rank: RANKS.none };
  const place = file === undefined ? placeIn(message) : { file, ...(line !== undefined && { line }) };
  return place === undefined
    ? { rank: RANKS.error, error: bare }
    : { rank: RANKS.placed, error: { ...bare, ...place } };
}

/** `(file: /etc/…/site.pp, line: 3, column: 5)`, as Puppet writes it into messages of the compiler. */
function placeIn(message: string): { file: string; line?: number } | undefined {
  const match = /\(file: ([^\n,)]{1,1000}), line: (\d{1,9})/.exec(message);
  return match?.[1] === undefined ? undefined : { file: match[1], line: Number(match[2]) };
}
