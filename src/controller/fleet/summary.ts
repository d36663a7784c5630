/** Figures about the latest runs of many hosts. */
import type { Drift } from '../../protocol/event.ts';
import type { AgentStatus } from '../../protocol/status.ts';
import { isAhead } from '../../util/times.ts';
import type { AgentAnswer } from '../targeting/host-sources.ts';
import { driftOf } from './drift.ts';

const resource = (name: string) => (status: AgentStatus) => status.lastRun?.resources?.[name];
const time = (name: string) => (status: AgentStatus) => status.lastRun?.times?.[name];

/** Undefined if the host does not report it. */
const METRICS = {
  total: resource('total'),
  outOfSync: resource('out_of_sync'),
  failed: resource('failed'),
  changed: resource('changed'),
  corrected: resource('corrective_change'),
  configRetrieval: time('config_retrieval'),
  totalTime: time('total'),
  /** Seconds. */
  sinceLastRun: ({ lastRun, time: now }: AgentStatus) =>
    lastRun === undefined || isAhead(lastRun.at, now) ? undefined : Math.max(0, (now - lastRun.at) / 1000),
} as const;

export type MetricName = keyof typeof METRICS;

/** How many of the slowest and of the most failing hosts are named. */
const NAMED = 5;
const BUCKETS = 20;

export interface MetricSummary {
  /** Hosts that report it. */
  hosts: number;
  min: number;
  average: number;
  max: number;
  /** Hosts by value, from the smallest to the largest. */
  histogram: number[];
}

export interface FleetSummary {
  hosts: number;
  answered: number;
  /** Hosts that have run at least once. */
  withRun: number;
  metrics: Readonly<Record<string, MetricSummary | undefined>>;
  slowest: { certname: string; seconds: number }[];
  mostFailing: { certname: string; failed: number }[];
  driftRepaired: string[];
  /** By a noop run, or where the repair failed. */
  driftFound: string[];
}

export function summarise(answers: readonly AgentAnswer[]): FleetSummary {
  const known = answers.flatMap(({ target, status }) =>
    status === undefined ? [] : [{ certname: target.certname, status }],
  );
  const top = (of: (status: AgentStatus) => number | undefined) =>
    known
      .map(({ certname, status }) => ({ certname, value: of(status) ?? 0 }))
      .filter(({ value }) => value > 0)
      .sort((a, b) => b.value - a.value)
      .slice(0, NAMED);
  const withDrift = (wanted: readonly Drift[]) =>
    known
      .filter(({ status: { lastRun } }) => {
        const drift = lastRun === undefined ? undefined : driftOf(lastRun, lastRun.status === 'failed');
        return drift !== undefined && wanted.includes(drift);
      })
      .map(({ certname }) => certname);
  return {
    hosts: answers.length,
    answered: known.length,
    withRun: known.filter(({ status }) => status.lastRun !== undefined).length,
    metrics: Object.fromEntries(
      Object.entries(METRICS).map(([key, of]) => [
        key,
        summaryOf(known.flatMap(({ status }) => of(status) ?? [])),
      ]),
    ),
    slowest: top(time('total')).map(({ certname, value }) => ({ certname, seconds: value })),
    mostFailing: top(resource('failed')).map(({ certname, value }) => ({ certname, failed: value })),
    driftRepaired: withDrift(['repaired', 'partly']),
    driftFound: withDrift(['partly', 'found']),
  };
}

function summaryOf(values: readonly number[]): MetricSummary | undefined {
  if (values.length === 0) return undefined;
  // Not Math.min(...values): there may be more values than a call takes arguments.
  let [min, max, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  const histogram = Array.from({ length: BUCKETS }, () => 0);
  for (const value of values) {
    const place = max === min ? 0 : Math.floor(((value - min) / (max - min)) * BUCKETS);
    const bucket = Math.min(BUCKETS - 1, place);
    histogram[bucket] = (histogram[bucket] ?? 0) + 1;
  }
  return { hosts: values.length, min, average: sum / values.length, max, histogram };
}
