/**
 * The one module that writes to stdout and stderr: data to stdout, everything else to stderr. Whatever text comes here,
 * from an agent, a file or a command line, only harmless characters, line ends and our own colours leave.
 */
import { fstatSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { messageOf, systemCode } from '../errors.ts';
import { EXIT } from '../protocol/outcome.ts';
import { clipLines, safeColoured, safeLines, safeText } from '../util/text.ts';

export interface Terminal {
  /** Whether stderr is a terminal on which lines can be rewritten. */
  readonly isTty: boolean;
  readonly color: boolean;
  /** Columns of the terminal; defaults to 80. */
  columns(): number;
  /** Rows of the terminal; defaults to 24. */
  rows(): number;
  /** Columns of stdout; undefined if it is no terminal. */
  outColumns(): number | undefined;
  out(text: string): void;
  err(text: string): void;
  /** Writes to stderr as it is: sequences that move the cursor, and rows of which the caller has made sure. */
  draw(text: string): void;
}

export interface TerminalOptions {
  /** --no-color or NO_COLOR (https://no-color.org). */
  noColor: boolean;
  /** TERM. */
  term?: string | undefined;
  /** Defaults to the process's. */
  stdout?: Output;
  stderr?: Output;
}

type Output = Writable & Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'rows'>>;

/** Values of TERM for terminals without colours and cursor movement. */
const DUMB: readonly (string | undefined)[] = ['dumb', 'unknown'];

/**
 * The process's terminal. A reader that goes away (`kick … | head`, a closed terminal) ends nothing, nor does a full disk:
 * kick still waits for the hosts. Output that was lost on a full disk is said once, and makes an exit code of 0 another.
 */
export function openTerminal(options: TerminalOptions): Terminal {
  const { noColor, term, stdout = process.stdout, stderr = process.stderr } = options;
  const lost = onceLost();
  // What is said of a full disk may not fit there, either.
  stderr.on('error', () => {});
  stdout.on('error', lost);
  const isTty = stderr.isTTY === true && !DUMB.includes(term);
  const color = isTty && stdout.isTTY === true && !noColor;
  const harmless = color ? safeColoured : safeLines;
  const isWhole = stdout === process.stdout && isFile(STDOUT);
  const write = isWhole ? wholeWriter(STDOUT, lost) : (text: string) => void stdout.write(text);
  return {
    isTty,
    color,
    // A size of 0 means that it is not known.
    columns: () => stderr.columns || 80,
    rows: () => stderr.rows || 24,
    outColumns: () => (stdout.isTTY === true ? stdout.columns || 80 : undefined),
    out: (text) => write(harmless(text)),
    err: (text) => void stderr.write(harmless(clipLines(text, MAX_LINE))),
    draw: (text) => void stderr.write(text),
  };
}

const STDOUT = 1;

/** Characters of a line on stderr: a name in a message may have megabytes. */
export const MAX_LINE = 1000;

/** Returns what is called when stdout cannot be written. */
function onceLost(): (error: unknown) => void {
  let isSaid = false;
  return (error) => {
    if (isSaid || hasLeft(error)) return;
    isSaid = true;
    process.stderr.write(`kick: write to stdout: ${safeText(messageOf(error))}\n`);
    // What it says of hosts stays true.
    process.on('exit', (code) => {
      if (code === 0) process.exitCode = EXIT.output;
    });
  };
}

/** EIO: the terminal was closed. */
function hasLeft(error: unknown): boolean {
  return ['EPIPE', 'EIO'].includes(systemCode(error) ?? '');
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}

/** Node writes to a file once: what did not fit on a nearly full disk would be lost without an error. */
function wholeWriter(descriptor: number, onLost: (error: unknown) => void): (text: string) => void {
  return (text) => {
    const bytes = Buffer.from(text);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    } catch (error) {
      onLost(error);
    }
  };
}

/**
 * Asks a yes-or-no question; anything but yes, an end of input and an abort mean no. Ctrl-C works as it does without a
 * question: readline would only pass it on as a key.
 */
export async function askOnTerminal(question: string, signal?: AbortSignal): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  lines.on('SIGINT', () => {
    // If there is a signal, it ends the question.
    if (signal === undefined) lines.close();
    process.kill(process.pid, 'SIGINT');
  });
  try {
    const asked = lines.question(`${safeLines(question)} [y/N] `, signal === undefined ? {} : { signal });
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    return /^y(es)?$/i.test((await Promise.race([asked, ended])).trim());
  } catch {
    return false;
  } finally {
    lines.close();
  }
}

/** Whether there is a terminal at both ends of a question. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks for a secret, which is not shown. An end of input means none. */
export async function askSecret(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const { Writable } = await import('node:stream');
  const nowhere = new Writable({ write: (_text, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  lines.on('SIGINT', () => {
    lines.close();
    process.kill(process.pid, 'SIGINT');
  });
  process.stderr.write(question);
  try {
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    return await Promise.race([lines.question(''), ended]);
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
