/** What the benchmarks share: rows, medians, programs that are started. */
import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { unitCommand } from '../test/support/unit-command.ts';

export interface Row {
  what: string;
  value: string;
  beside: string;
  promised: string;
  /** The same for machines: what `value` and `beside` tell, unrounded. */
  figures?: Readonly<Record<string, number>>;
}

export const BIN = join(import.meta.dirname, '..', 'dist', 'bin.js');
export const BARE_CLIENT = join(import.meta.dirname, 'bare-client.mjs');

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 0 ? (low + high) / 2 : high;
}

/** The median of each figure, over rows of the same shape. */
export function mediansOf<T extends { [figure in keyof T]: number }>(rows: readonly T[]): T {
  const figures = Object.keys(rows[0] ?? {}) as (keyof T)[];
  return Object.fromEntries(figures.map((one) => [one, median(rows.map((row) => row[one]))])) as T;
}

/** Numbers of rounds, one after the other: as many as begin within `ms`, so that a slow machine is not kept for long. */
export function* roundsWithin(ms: number, { least, most }: { least: number; most: number }) {
  const from = performance.now();
  for (let round = 0; round < least || (round < most && performance.now() - from < ms); round++) yield round;
}

const run = promisify(execFile);

/** Milliseconds that a Node program takes from start to end. */
export async function wallOfNode(args: readonly string[]): Promise<number> {
  const from = performance.now();
  await run(process.execPath, [...args]);
  return performance.now() - from;
}

export interface BenchAgent {
  pid: number;
  port: number;
  stop(): Promise<void>;
}

/** `kick agent` with these arguments, on any port of loopback. */
export function agentWords(args: readonly string[]): string[] {
  return [BIN, 'agent', '--port', '0', '--bind', '127.0.0.1', ...args];
}

/** Starts `kick agent` and waits until it listens. */
export function startAgent(args: readonly string[]): Promise<BenchAgent> {
  return startListener([process.execPath, ...agentWords(args)]);
}

/** Starts a Node program as the agent's unit starts the agent, with the `node` of a folder (ours unless given). */
export function startAsUnit(
  words: readonly string[],
  nodePath: string = dirname(process.execPath),
): Promise<BenchAgent> {
  return startListener(unitCommand(words), { PATH: `${nodePath}${delimiter}${process.env['PATH'] ?? ''}` });
}

/** Waits until the program says in a line of JSON that it listens. */
async function startListener(
  [program = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<BenchAgent> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, port } = JSON.parse(line) as { msg?: string; port?: number };
    if (msg !== 'listening' || port === undefined || child.pid === undefined) continue;
    child.stdout.resume();
    const stop = async () => {
      child.kill('SIGTERM');
      await ended;
    };
    return { pid: child.pid, port, stop };
  }
  throw new Error('the agent ended before it listened');
}

export interface KickTimes {
  /** Milliseconds since 1970. */
  spawnedAt: number;
  printedAt: number;
  document: { hosts: { outcome: string; run?: { startedAt?: string; endedAt?: string } }[] };
}

/** One kick with --format json, and when its outcome was printed. */
export async function timedKick(args: readonly string[]): Promise<KickTimes> {
  const spawnedAt = performance.timeOrigin + performance.now();
  const child = spawn(process.execPath, [BIN, 'run', ...args, '--format', 'json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  let printedAt = Number.NaN;
  child.stdout.on('data', (chunk: Buffer) => {
    printedAt = performance.timeOrigin + performance.now();
    text += chunk.toString();
  });
  await new Promise((resolve) => child.once('close', resolve));
  return { spawnedAt, printedAt, document: JSON.parse(text) as KickTimes['document'] };
}

/** An inventory of one host, where it listens. */
export function writeInventory(folder: string, name: string, { port }: BenchAgent): void {
  const targets = [{ name, uri: `127.0.0.1:${port}` }];
  writeFileSync(join(folder, 'inventory.yaml'), JSON.stringify({ targets }));
}
