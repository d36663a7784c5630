/** The cost of programs: CPU, memory and stalls of one that we start, CPU and memory of a running one. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const USAGE = join(import.meta.dirname, 'usage.cjs');

export interface Cost {
  /** Milliseconds, user and system, all threads. */
  cpuMs: number;
  wallMs: number;
  /** Peak in MB (2^20 bytes). */
  rssMb: number;
  /** Milliseconds: the longest turn of the event loop, and the most CPU within one. 0 unless asked for. */
  stallMs: number;
  stallCpuMs: number;
}

export interface CostOptions {
  /** Where the program may write its costs. */
  folder: string;
  stalls?: boolean;
  /** Exit statuses that are allowed. */
  expect?: readonly number[];
  /** What starts it: `taskset` and its arguments. */
  starter?: readonly string[];
}

/** Runs a Node program to its end. */
export function costOfNode(
  args: readonly string[],
  { folder, stalls = false, expect = [0], starter = [] }: CostOptions,
): Promise<Cost> {
  const file = join(folder, 'usage.json');
  const env = { ...process.env, KICK_BENCH_USAGE: file, KICK_BENCH_STALLS: stalls ? '1' : '' };
  return new Promise((resolve, reject) => {
    const options = { env, maxBuffer: 1 << 30 };
    const [program = '', ...rest] = [...starter, process.execPath, '--require', USAGE, ...args];
    const child = execFile(program, rest, options, (error, _out, err) => {
      const code = error === null ? 0 : (child.exitCode ?? -1);
      if (!expect.includes(code)) return reject(new Error(`exit ${code}: ${args.join(' ')}\n${err}`));
      resolve(JSON.parse(readFileSync(file, 'utf8')) as Cost);
    });
  });
}

/** User and system milliseconds of a command and all its children (bash's `time`). */
export function cpuOfCommand(command: readonly string[], env: NodeJS.ProcessEnv = {}): number {
  const script = 'TIMEFORMAT="%U %S"; { time "$@" >/dev/null 2>"$ERRORS"; } 2>&1';
  const out = execFileSync('bash', ['-c', script, 'bash', ...command], {
    encoding: 'utf8',
    // Ansible insists on UTF-8.
    env: { ...process.env, ERRORS: '/dev/null', LC_ALL: 'C.UTF-8', ...env },
  });
  const [user = 0, system = 0] = out.trim().split(' ').map(Number);
  return (user + system) * 1000;
}

/** Milliseconds of CPU used by a process, without its children (proc(5): 100 ticks per second). */
export function cpuOfProcess(pid: number): number {
  const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** MB (2^20 bytes): resident, and proportional share. */
export function memoryOf(pid: number): { rss: number; pss: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const kb = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN);
  return { rss: kb('Rss') / 1024, pss: kb('Pss') / 1024 };
}

/** Peak RSS in MB since the process began, or since it was last forgotten. */
export function peakOf(pid: number): number {
  const kb = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kb ?? Number.NaN) / 1024;
}

/** Lets the peak begin anew (proc(5), clear_refs). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
