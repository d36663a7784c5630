/**
 * Reads what a program prints on the console when it dies: which line is the error, which lines are its stack trace, and
 * whether Ruby names a signal as the cause. Anything that a run starts can print here, so only the formats in which
 * interpreters report errors count.
 */
import type { RunError } from '../../protocol/event.ts';
import { clip } from '../../util/text.ts';

export interface ConsoleFindings {
  /** The error without its stack trace; else the last line. */
  error?: RunError;
  /** Whether `error` is a reported error rather than just the last line. */
  isReason: boolean;
  /** The signal that ended Ruby, according to Ruby: `SIGTERM`. */
  signal?: string;
  /** The same, from the process in question itself, whatever it reported afterwards. */
  raised?: string;
}

const MAX_MESSAGE = 2000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: ANSI sequences start with one
const ANSI = /\u001b\[[0-9;]*[A-Za-z]/g;

/** A line of a stack trace: Ruby's `from …` and `1: from …`, Java's and Node's `at …`, Perl's `… called at …`. */
const FRAME = /^\s+(?:\d+: )?(?:from|at) \S|^\s+\.\.\. \d+ |^\s.* called at .+ line \d+/;
/** The same as printed by Puppet's --trace, on lines of its own. */
const BARE_FRAME = /^\S+:\d+:in [`'][^']*'$/;

/** Ruby (up to 3.3 with a backtick): `/usr/bin/puppet:4:in 'Kernel#require': cannot load such file -- x (LoadError)`. */
const RUBY = /^(.{1,1000}?):(\d{1,9})(?::in [`'].*?')?: (.+)$/;
const RUBY_CLASS = / \([A-Z]\w*(?:::\w+)*\)$/;
/** Stricter for lines without `in`, such as syntax errors: else any `host:port: text (Word)` would match. */
const RUBY_ERROR_CLASS = / \([A-Z][\w:]*Error\)$/;

/** Errors of Puppet itself, of Ruby when it crashes or runs out of memory, and of Go. */
const OTHER = /^Error: |\[BUG\] |^\[FATAL\] |^panic: |^fatal error: /;

const SIGNAL = /^(?:.*: )?(SIG(?:TERM|INT|HUP|QUIT|ALRM|USR1|USR2))$/;

/**
 * What rubygems prints when an exception interrupts a `require` (kernel_require.rb; it then raises an exception of its own,
 * so that no error names the signal): `[4242, #<Thread:0x00007f0c run>, #<SignalException: SIGTERM>, ["…`. Puppet's first
 * INT handler calls `exit`; nothing else does so during a `require`.
 */
const RAISED =
  /^\[(\d{1,10}), #<Thread:[^>]{1,200}>, (?:#<SignalException: (SIG[A-Z0-9]+)>|Interrupt|#<Interrupt[^>]{0,99}>|#<SystemExit: exit>), /;

/** Ruby's exception for INT has no message: `Error: Could not initialize global default settings: `. */
const EMPTY = /^(?:Error: [^:]+:|.+: {2}\([A-Z]\w*(?:::\w+)*\))$/;

/** `pid`: the process whose end is in question. */
export function createConsoleReader(pid?: number): { add(text: string): void; findings(): ConsoleFindings } {
  let reason: RunError | undefined;
  let last: RunError | undefined;
  let signal: string | undefined;
  let raised: string | undefined;
  let isEmpty = false;
  return {
    add(text) {
      const line = text.replace(ANSI, '').trimEnd();
      const [, by, name = 'SIGINT'] = RAISED.exec(line) ?? [];
      if (by !== undefined) {
        if (Number(by) === pid) raised ??= name;
        return;
      }
      const error = errorIn(line);
      if (error !== undefined) {
        reason ??= error;
        signal ??= signalNamed(error.message);
        isEmpty = reason === error && EMPTY.test(line) && !QUOTES.test(line);
      } else if (FRAME.test(line) || BARE_FRAME.test(line)) {
        reason ??= last; // the line above a stack trace is its error
      } else if (!line.endsWith('(most recent call last):')) {
        last = { message: clip(line, MAX_MESSAGE) };
        isEmpty = false;
      }
    },
    findings() {
      const error = reason ?? last;
      const named = signal ?? (isEmpty ? 'SIGINT' : undefined);
      return {
        isReason: reason !== undefined,
        ...(error !== undefined && { error }),
        ...(named !== undefined && { signal: named }),
        ...(raised !== undefined && { raised }),
      };
    },
  };
}

function errorIn(line: string): RunError | undefined {
  if (OTHER.test(line)) return { message: clip(line, MAX_MESSAGE) };
  const [, file, number, message] = RUBY.exec(line) ?? [];
  if (file === undefined || message === undefined) return undefined;
  if (!RUBY_ERROR_CLASS.test(message) && !line.includes(`:${number}:in `)) return undefined;
  if (message.startsWith('warning: ')) return undefined;
  return { message: clip(message, MAX_MESSAGE), file: clip(file, 1000), line: Number(number) };
}

/**
 * An error may quote others: the output of a command (lib/puppet/util/execution.rb, `Execution of 'x' returned 1: …`) or
 * a server's answer (lib/puppet/indirector/rest.rb). Runs are in English (LANG=C.UTF-8).
 */
const QUOTES = /\breturned \d+:|\bon SERVER:/;

/** The signal that an error's first line names as its cause, by the name of Ruby's exception. */
export function signalNamed(message: string): string | undefined {
  const [first = ''] = message.replace(/^Error: /, '').split('\n');
  if (QUOTES.test(first)) return undefined;
  const text = first.trimEnd().replace(RUBY_CLASS, '');
  if (text === 'Interrupt' || first.endsWith(' (Interrupt)')) return 'SIGINT';
  return SIGNAL.exec(text)?.[1];
}
