/** `kick summary`: how the latest runs of many hosts went, as `mco puppet summary` shows it. */

import { isAhead } from '../controller/fleet/host-state.ts';
import type { AgentAnswer } from '../controller/targeting/host-sources.ts';
import type { Drift } from '../protocol/event.ts';
import type { AgentStatus } from '../protocol/status.ts';
import { plural } from '../util/text.ts';
import { driftOf } from './drift.ts';

interface Metric {
  key: string;
  title: string;
  /** Undefined where the host does not tell it. */
  of(status: AgentStatus): number | undefined;
  digits: number;
}

const resource = (name: string) => (status: AgentStatus) => status.lastRun?.resources?.[name];
const time = (name: string) => (status: AgentStatus) => status.lastRun?.times?.[name];

const METRICS: readonly Metric[] = [
  { key: 'total', title: 'Total resources', of: resource('total'), digits: 0 },
  { key: 'outOfSync', title: 'Out of sync resources', of: resource('out_of_sync'), digits: 0 },
  { key: 'failed', title: 'Failed resources', of: resource('failed'), digits: 0 },
  { key: 'changed', title: 'Changed resources', of: resource('changed'), digits: 0 },
  { key: 'corrected', title: 'Corrected resources (drift)', of: resource('corrective_change'), digits: 0 },
  { key: 'configRetrieval', title: 'Config retrieval (seconds)', of: time('config_retrieval'), digits: 1 },
  { key: 'totalTime', title: 'Total run time (seconds)', of: time('total'), digits: 1 },
  {
    key: 'sinceLastRun',
    title: 'Since last run (seconds)',
    of: ({ lastRun, time: now }) =>
      lastRun === undefined || isAhead(lastRun.at, now) ? undefined : Math.max(0, (now - lastRun.at) / 1000),
    digits: 0,
  },
];

const NAMED = 5;
const BARS = '▁▂▃▄▅▆▇█';
const BUCKETS = 20;

export interface MetricSummary {
  /** Hosts that tell it. */
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
  /** Hosts that have a latest run to tell of. */
  withRun: number;
  metrics: Record<string, MetricSummary | undefined>;
  slowest: { certname: string; seconds: number }[];
  mostFailing: { certname: string; failed: number }[];
  driftRepaired: string[];
  /** By a noop run, or where the repair failed. */
  driftFound: string[];
}

export function summarise(answers: readonly AgentAnswer[]): FleetSummary {
  const told = answers.flatMap(({ target, status }) =>
    status === undefined ? [] : [{ certname: target.certname, status }],
  );
  const top = (of: (status: AgentStatus) => number | undefined) =>
    told
      .map(({ certname, status }) => ({ certname, value: of(status) ?? 0 }))
      .filter(({ value }) => value > 0)
      .sort((a, b) => b.value - a.value)
      .slice(0, NAMED);
  const withDrift = (wanted: readonly Drift[]) =>
    told
      .filter(({ status: { lastRun } }) => {
        const drift = lastRun === undefined ? undefined : driftOf(lastRun, lastRun.status === 'failed');
        return drift !== undefined && wanted.includes(drift);
      })
      .map(({ certname }) => certname);
  return {
    hosts: answers.length,
    answered: told.length,
    withRun: told.filter(({ status }) => status.lastRun !== undefined).length,
    metrics: Object.fromEntries(
      METRICS.map(({ key, of }) => [key, summaryOf(told.flatMap(({ status }) => of(status) ?? []))]),
    ),
    slowest: top(time('total')).map(({ certname, value }) => ({ certname, seconds: value })),
    mostFailing: top(resource('failed')).map(({ certname, value }) => ({ certname, failed: value })),
    driftRepaired: withDrift(['repaired', 'partly']),
    driftFound: withDrift(['partly', 'found']),
  };
}

function summaryOf(values: readonly number[]): MetricSummary | undefined {
  if (values.length === 0) return undefined;
  // Not by spreading: there may be more values than a call takes arguments.
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

/** Bars for counts; a host alone is never a flat line. */
export function sparkline(counts: readonly number[]): string {
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  return counts
    .map((count) => (count === 0 ? ' ' : BARS[Math.ceil((count / most) * BARS.length) - 1]))
    .join('');
}

export function summaryText(summary: FleetSummary): string {
  const { hosts, answered, withRun, metrics, slowest, mostFailing, driftRepaired, driftFound } = summary;
  const width = Math.max(...METRICS.map(({ title }) => title.length)) + 2;
  const lines = METRICS.map(({ key, title, digits }) => {
    const metric = metrics[key];
    const head = `${title}:`.padStart(width);
    if (metric === undefined) return `${head}  not told`;
    const number = (name: string, value: number) => `${name}: ${value.toFixed(digits).padEnd(9)}`;
    const numbers = [number('min', metric.min), number('avg', metric.average), number('max', metric.max)];
    return `${head}  ${sparkline(metric.histogram)}  ${numbers.join(' ')}`.trimEnd();
  });
  const named = (title: string, all: readonly string[]) =>
    all.length === 0 ? [] : [`${`${title}:`.padStart(width)}  ${all.join(', ')}`];
  const some = (names: readonly string[]) => [
    ...names.slice(0, NAMED),
    ...(names.length > NAMED ? [`and ${names.length - NAMED} more`] : []),
  ];
  return [
    `Summary of the latest runs of ${plural(withRun, 'host')} (${answered} of ${hosts} answered):`,
    '',
    ...lines,
    '',
    ...named(
      'Slowest',
      slowest.map(({ certname, seconds }) => `${certname} (${seconds.toFixed(1)} s)`),
    ),
    ...named(
      'Most failing',
      mostFailing.map(({ certname, failed }) => `${certname} (${failed})`),
    ),
    ...named('Drift repaired', some(driftRepaired)),
    ...named('Drift found', some(driftFound)),
    '',
  ].join('\n');
}
