/** `kick summary`: how the latest runs of many hosts went, as `mco puppet summary` shows it. */
import type { FleetSummary, MetricName } from '../controller/fleet/summary.ts';
import { plural } from '../util/text.ts';

const METRICS: readonly { key: MetricName; title: string; digits: number }[] = [
  { key: 'total', title: 'Total resources', digits: 0 },
  { key: 'outOfSync', title: 'Out of sync resources', digits: 0 },
  { key: 'failed', title: 'Failed resources', digits: 0 },
  { key: 'changed', title: 'Changed resources', digits: 0 },
  { key: 'corrected', title: 'Corrected resources (drift)', digits: 0 },
  { key: 'configRetrieval', title: 'Config retrieval (seconds)', digits: 1 },
  { key: 'totalTime', title: 'Total run time (seconds)', digits: 1 },
  { key: 'sinceLastRun', title: 'Since last run (seconds)', digits: 0 },
];

const NAMED = 5;
const BARS = '▁▂▃▄▅▆▇█';

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
