/** Runs a command in a terminal (script(1) makes one) and records what it writes there, and when. */
import { spawn } from 'node:child_process';
import { createScreen } from './screen.ts';
import type { Frame } from './svg.ts';

export interface RecordOptions {
  /** As a shell would read it. */
  command: string;
  columns: number;
  rows: number;
  env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds between two frames. */
  everyMs: number;
}

export async function record({ command, columns, rows, env, everyMs }: RecordOptions): Promise<Frame[]> {
  const screen = createScreen({ columns, rows });
  screen.write(`\u001b[1m$\u001b[0m ${command}\r\n`);
  const frames: Frame[] = [{ at: 0, rows: screen.rows() }];
  const child = spawn(
    'script',
    [
      '--quiet',
      '--return',
      '--flush',
      '--command',
      `stty cols ${columns} rows ${rows}; ${command}`,
      '/dev/null',
    ],
    { env, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const started = performance.now();
  const take = () => frames.push({ at: performance.now() - started, rows: screen.rows() });
  const timer = setInterval(take, everyMs);
  child.stdout.setEncoding('utf8').on('data', (text: string) => screen.write(text));
  await new Promise((resolve) => child.once('close', resolve));
  clearInterval(timer);
  screen.write('\u001b[1m$\u001b[0m ');
  take();
  return frames.filter((frame, index) => index === 0 || !isSame(frame, frames[index - 1]));
}

function isSame(a: Frame, b: Frame | undefined): boolean {
  return JSON.stringify(a.rows) === JSON.stringify(b?.rows);
}

/** Reduces a recording to a maximum number of frames, evenly spread, and speeds it up if it took longer than `playMs`. */
export function inShort(
  all: readonly Frame[],
  { frames, playMs }: { frames: number; playMs: number },
): Frame[] {
  const total = all.at(-1)?.at ?? 0;
  const speed = Math.max(1, total / playMs);
  const every = total / frames;
  const kept = all.filter(({ at }, index) => {
    const next = all[index + 1];
    return index === 0 || next === undefined || Math.floor(at / every) !== Math.floor(next.at / every);
  });
  return kept.map(({ at, rows }) => ({ at: at / speed, rows }));
}
