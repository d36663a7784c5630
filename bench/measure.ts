/** What the benchmarks share: rows, medians, starting programs. */
import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type AgentProcess, startAgentProcess } from '../tools/agent-process.ts';
import { PROGRAM } from '../tools/program.ts';
import { unitCommand } from '../tools/unit-command.ts';

/** How often to measure, and what to compare with. */
export interface Measuring {
  rounds: number;
  /** `node -e 0`, milliseconds. */
  bareMs: number;
}

export interface Row {
  what: string;
  value: string;
  beside: string;
  promised: string;
  /** The same for machines: `value` and `beside` as unrounded numbers. */
  figures?: Readonly<Record<string, number>>;
}

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

/** Yields round numbers: as many as start within `ms`, so that slow machines are not kept too long. */
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

/** Starts a Node program as the agent's unit starts the agent. `nodePath`, the folder of `node`, defaults to ours. */
export function startAsUnit(
  words: readonly string[],
  nodePath: string = dirname(process.execPath),
): Promise<AgentProcess> {
  const path = `${nodePath}${delimiter}${process.env['PATH'] ?? ''}`;
  return startAgentProcess(unitCommand(words), { env: { ...process.env, NODE_OPTIONS: '', PATH: path } });
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
  const child = spawn(process.execPath, [PROGRAM, 'run', ...args, '--format', 'json'], {
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
export function writeInventory(folder: string, name: string, { port }: AgentProcess): void {
  const targets = [{ name, uri: `127.0.0.1:${port}` }];
  writeFileSync(join(folder, 'inventory.yaml'), JSON.stringify({ targets }));
}
