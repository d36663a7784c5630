/** A transport of pino (its worker loads this file): each line goes to a program like logger(1), with its priority in front. */
import { spawn } from 'node:child_process';
import { Transform } from 'node:stream';
import { finished } from 'node:stream/promises';

/** pino's levels as priorities (RFC 5424, 6.2.1), from the highest. */
const PRIORITIES = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
  [0, 7],
] as const;

export interface SyslogTransportOptions {
  argv: readonly string[];
}

// pino asks for a default export.
// biome-ignore lint/style/noDefaultExport: pino's interface
export default async function syslogTransport({ argv }: SyslogTransportOptions): Promise<Transform> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] });
  // A logger that is not there, or goes away, costs its lines and nothing else.
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  let rest = '';
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      done(null, lines.map((line) => `${withPriority(line)}\n`).join(''));
    },
    final(done) {
      child.stdin.end();
      done();
    },
  });
  stream.pipe(child.stdin, { end: false });
  await finished(stream, { readable: false, writable: false }).catch(() => undefined);
  return stream;
}

function withPriority(line: string): string {
  const level = Number(/"level":(\d+)/.exec(line)?.[1] ?? 30);
  const [, priority = 6] = PRIORITIES.find(([least]) => level >= least) ?? [];
  return `<${priority}>${line}`;
}
