/** The one module that writes to stdout and stderr. Data to stdout, everything else to stderr. */

export interface Terminal {
  /** Whether stderr is a terminal on which lines can be rewritten. */
  readonly isTty: boolean;
  readonly color: boolean;
  /** Columns of the terminal, 80 unless known. */
  columns(): number;
  out(text: string): void;
  err(text: string): void;
}

export interface TerminalOptions {
  /** --no-color or NO_COLOR (https://no-color.org). */
  noColor: boolean;
}

/**
 * The process's terminal. A reader that goes away (`kick … | head`) ends nothing: the hosts are
 * still waited for, and the exit code is still true.
 */
export function openTerminal({ noColor }: TerminalOptions): Terminal {
  const { stdout, stderr } = process;
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  const isTty = stderr.isTTY === true;
  return {
    isTty,
    color: isTty && stdout.isTTY === true && !noColor,
    columns: () => stderr.columns || 80,
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
  };
}

/**
 * Asks a question that is answered with yes or no; anything else, an end of input and an abort are no. Ctrl-C is what it
 * is without a question: the terminal would only hand it over as a key.
 */
export async function askOnTerminal(question: string, signal?: AbortSignal): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  lines.on('SIGINT', () => {
    // Where somebody listens for it, `signal` ends the question.
    if (signal === undefined) lines.close();
    process.kill(process.pid, 'SIGINT');
  });
  try {
    const asked = lines.question(`${question} [y/N] `, signal === undefined ? {} : { signal });
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    return /^y(es)?$/i.test((await Promise.race([asked, ended])).trim());
  } catch {
    return false;
  } finally {
    lines.close();
  }
}

/** Whether somebody sits there who can answer. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}
