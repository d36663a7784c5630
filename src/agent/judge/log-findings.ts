/**
 * What the log of a run says about how it ended. The source and level of a line matter: records of Puppet's own log have
 * a source, and only Puppet itself uses `Puppet`; what an exec, a fact or a prerun command prints has another source, is
 * on the console, or is quoted in an error.
 */
import type { LogLine, RunError } from '../../protocol/event.ts';
import { clip } from '../../util/text.ts';
import { createConsoleReader, signalNamed } from './console-words.ts';

export interface LogFindings {
  /** The error that best explains the end. */
  error?: RunError;
  /** Whether `error` is a reported error rather than just the last line of output. */
  isReason: boolean;
  /** Whether it comes from Puppet itself or Ruby rather than from a resource. */
  isPuppets: boolean;
  /** The signal that Puppet's handler caught, according to Puppet: `SIGTERM`, or `a signal`. */
  caught?: string;
  /** The signal that an error names as its cause: Ruby raises it before Puppet's handler is installed. */
  signal?: string;
  /** The same, if the error does not merely quote it. */
  plainSignal?: string;
  /** Puppet's notice that its run lock is held; the text is translated, the path in it is not. */
  lockTaken?: string;
  /** Puppet's notice that it is administratively disabled; the command in it is not translated. */
  saysDisabled?: string;
  /** The last notice of Puppet itself. */
  lastNotice?: string;
  /** Whether anything was printed on the console. */
  hasConsole: boolean;
  /** Nothing at all was printed or logged. */
  isSilent: boolean;
  /** Some of it was dropped, or could not be read. */
  isCut?: boolean;
}

const ERRORS: readonly LogLine['level'][] = ['err', 'alert', 'emerg', 'crit'];

/** Facter logs errors that no run fails by. */
const NOT_THE_REASON = 'Facter';

const PUPPET = 'Puppet';

/** lib/puppet/daemon.rb, set_signal_traps; never translated. HUP and USR1 are only queued there. */
const CAUGHT = /^Caught (TERM|INT); exiting$/;

/**
 * Ruby's error (thread_sync.c) for what a signal handler may not do. Puppet 8's handler logs, which takes a lock: in the
 * first moments of a run the handler fails with this error, and the run with it.
 */
const IN_HANDLER = /: can't be called from trap context$/;

/** lib/puppet/agent.rb, log_disabled_message. */
const ENABLE_COMMAND = 'puppet agent --enable';

/** How informative an error is: one with its place in the code, then any of Puppet's, then the console's. */
const RANKS = { placed: 2, error: 1, none: 0 } as const;

export interface LogReaderOptions {
  /** The path of agent_catalog_run.lock, if there is one. */
  runLock?: string | undefined;
  /** Puppet's pid. */
  pid?: number | undefined;
}

/** Reads a run's log line by line. */
export function createLogReader({ runLock, pid }: LogReaderOptions = {}): {
  add(line: LogLine): void;
  findings(): LogFindings;
} {
  const onConsole = createConsoleReader(pid);
  const said: Omit<LogFindings, 'error' | 'isReason' | 'isSilent'> = { isPuppets: false, hasConsole: false };
  let rank: number = RANKS.none;
  let error: RunError | undefined;
  let isSilent = true;

  function addNotice(message: string): void {
    const [, signal] = CAUGHT.exec(message) ?? [];
    if (signal !== undefined) said.caught = `SIG${signal}`;
    else if (runLock !== undefined && message.includes(runLock)) said.lockTaken = message;
    else if (message.includes(ENABLE_COMMAND)) said.saysDisabled = message;
    said.lastNotice = message;
  }

  function addError(line: LogLine): void {
    const candidate = asError(line);
    // The first error is the cause.
    if (candidate.rank > rank) ({ rank, error } = candidate);
    if (line.source !== PUPPET) return;
    said.isPuppets = true;
    if (IN_HANDLER.test(line.message.split('\n')[0] ?? '')) said.caught ??= 'a signal';
    const signal = signalNamed(line.message);
    if (signal === undefined) return;
    said.signal ??= signal;
    if (/^[^:]+: \w+$/.test(line.message)) said.plainSignal ??= signal;
  }

  return {
    add(line) {
      isSilent = false;
      if (isConsole(line)) {
        said.hasConsole = true;
        onConsole.add(line.message);
      } else if (ERRORS.includes(line.level) && line.source !== NOT_THE_REASON) addError(line);
      else if (line.level === 'notice' && line.source === PUPPET) addNotice(line.message);
    },
    findings() {
      const atEnd = onConsole.findings();
      // A dying Ruby says so last: if Puppet's log has an error, it did not die of this signal.
      const signal = atEnd.raised ?? said.signal ?? (error === undefined ? atEnd.signal : undefined);
      const shown = error ?? atEnd.error;
      return {
        ...said,
        isSilent,
        isReason: error !== undefined || atEnd.isReason,
        isPuppets: said.isPuppets || atEnd.isReason,
        ...(shown !== undefined && { error: shown }),
        ...(signal !== undefined && { signal }),
      };
    },
  };
}

/** A log record that could not be parsed still has a source (see output.ts). */
function isConsole({ level, source }: LogLine): boolean {
  return level === 'output' && source === undefined;
}

function asError({ message, source, file, line }: LogLine): { rank: number; error: RunError } {
  const bare = { message: clip(message, 2000), ...(source !== undefined && { source }) };
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
