/** What `kick nats ping` prints: a line for each host, then how the times are spread and who is silent. */
import { plural } from '../util/text.ts';
import { someNames } from './result-lines.ts';

export interface Pong {
  certname: string;
  /** Milliseconds of the round trip; undefined: silent. */
  latencyMs?: number;
  /** Why it is silent. */
  error?: string;
}

export interface PingTotals {
  pongs: readonly Pong[];
  /** Milliseconds. */
  tookMs: number;
}

/** Upper bounds of the rows, milliseconds. */
const BOUNDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, Number.POSITIVE_INFINITY];
const MOST_CELLS = 40;

/** `width` is that of the longest certname. */
export function pongLine({ certname, latencyMs, error }: Pong, width: number): string {
  const name = certname.padEnd(width);
  return latencyMs === undefined
    ? `${name}    silent  ${error ?? ''}`.trimEnd()
    : `${name}  ${timeText(latencyMs).padStart(8)}`;
}

/** The lines behind those of the hosts. */
export function pingLines({ pongs, tookMs }: PingTotals, columns: number): string[] {
  if (pongs.length === 0)
    return [`nobody is there (after ${timeText(tookMs)}): agents come with nats: in agent.yaml`];
  const times = timesOf(pongs);
  const silent = pongs.filter(({ latencyMs }) => latencyMs === undefined).map(({ certname }) => certname);
  const answered = `${times.length} of ${plural(pongs.length, 'host')} answered within ${timeText(tookMs)}`;
  const stats = statsOf(times);
  const lines = [
    answered,
    ...(stats === undefined
      ? []
      : [
          `min ${timeText(stats.minMs)}, avg ${timeText(stats.avgMs)}, median ${timeText(stats.medianMs)}, 95% ${timeText(stats.p95Ms)}, max ${timeText(stats.maxMs)}`,
          ...histogram(times, columns),
        ]),
  ];
  return silent.length === 0 ? lines : [...lines, `silent: ${someNames(silent)}`];
}

/** Rows from the first to the last that has a host. */
export function histogram(times: readonly number[], columns: number): string[] {
  const counts = BOUNDS.map((bound, index) => {
    const below = index === 0 ? Number.NEGATIVE_INFINITY : (BOUNDS[index - 1] ?? 0);
    return { bound, below, count: times.filter((time) => time > below && time <= bound).length };
  });
  const first = counts.findIndex(({ count }) => count > 0);
  const last = counts.findLastIndex(({ count }) => count > 0);
  const most = Math.max(1, ...counts.map(({ count }) => count));
  const cells = Math.max(1, Math.min(MOST_CELLS, columns - LABEL_WIDTH - String(most).length - 6));
  return counts.slice(Math.max(0, first), last + 1).map(({ bound, below, count }) => {
    const label = bound === Number.POSITIVE_INFINITY ? `over ${timeText(below)}` : `to ${timeText(bound)}`;
    // One host of many is seen, too.
    const bar = '█'.repeat(count === 0 ? 0 : Math.max(1, Math.round((count / most) * cells)));
    return `  ${label.padStart(LABEL_WIDTH)}  ${bar}${bar === '' ? '' : ' '}${count}`;
  });
}

const LABEL_WIDTH = 'over 10.0s'.length;

export interface PingStats {
  minMs: number;
  avgMs: number;
  medianMs: number;
  p95Ms: number;
  maxMs: number;
}

/** Undefined if nobody has answered. */
export function statsOf(times: readonly number[]): PingStats | undefined {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  const [minMs, maxMs] = [sorted[0], sorted.at(-1)];
  if (minMs === undefined || maxMs === undefined) return undefined;
  const avgMs = sorted.reduce((sum, time) => sum + time, 0) / sorted.length;
  return { minMs, avgMs, medianMs: at(0.5), p95Ms: at(0.95), maxMs };
}

export function pingDocument({ pongs, tookMs }: PingTotals): object {
  const times = timesOf(pongs);
  const stats = Object.entries(statsOf(times) ?? {}).map(([key, ms]) => [key, rounded(ms)]);
  return {
    ...{ hosts: pongs.length, answered: times.length, tookMs: rounded(tookMs) },
    ...Object.fromEntries(stats),
    answers: pongs.map(({ certname, latencyMs, error }) => ({
      certname,
      ...(latencyMs === undefined ? { error } : { latencyMs: rounded(latencyMs) }),
    })),
  };
}

const timesOf = (pongs: readonly Pong[]) => pongs.flatMap(({ latencyMs }) => latencyMs ?? []);

/** As finely as a broker's time can be told. */
const rounded = (ms: number) => Math.round(ms * 10) / 10;

const timeText = (ms: number) =>
  ms >= 1000 ? `${(ms / 1000).toFixed(1)}s` : ms >= 100 ? `${Math.round(ms)}ms` : `${rounded(ms)}ms`;
