/** A transport of pino (its worker loads this file): each line goes to a program like logger(1), with its priority in front. */
import { spawn } from 'node:child_process';
import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { safeJsonText } from '../util/text.ts';

/** pino's levels as priorities (RFC 5424, 6.2.1), from the highest. */
const PRIORITIES = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
  [0, 7],
] as const;

/** Milliseconds that a program may take to end once it has all lines. */
const MAX_WAIT_MS = 3000;

export interface SyslogTransportOptions {
  argv: readonly string[];
}

// pino asks for a default export.
// biome-ignore lint/style/noDefaultExport: pino's interface
export default async function syslogTransport({ argv }: SyslogTransportOptions): Promise<Writable> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  // A logger that is not there, or goes away, costs its lines and nothing else.
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  const gone = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      child.stdin.write(lines.map((line) => `${withPriority(line)}\n`).join(''));
      done();
    },
    final(done) {
      child.stdin.end();
      const late = setTimeout(done, MAX_WAIT_MS);
      void gone.then(() => {
        clearTimeout(late);
        done();
      });
    },
  });
}

function withPriority(line: string): string {
  const level = Number(/"level":(\d+)/.exec(line)?.[1] ?? 30);
  const [, priority = 6] = PRIORITIES.find(([least]) => level >= least) ?? [];
  return `<${priority}>${safeJsonText(line)}`;
}
