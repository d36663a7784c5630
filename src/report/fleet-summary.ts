/** `kick summary`: how the latest runs of many hosts went, as `mco puppet summary` shows it. */

import { hostList } from '../conditions/nodeset/host-list.ts';
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

const BARS = '▁▂▃▄▅▆▇█';

/** Bars for counts; a host alone is never a flat line. */
export function sparkline(counts: readonly number[]): string {
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  return counts
    .map((count) => (count === 0 ? ' ' : BARS[Math.ceil((count / most) * BARS.length) - 1]))
    .join('');
}

export function summaryText(summary: FleetSummary): string {
  const { hosts, answered, withRun, slowest, mostFailing, driftRepaired, driftFound } = summary;
  if (withRun === 0) return `${answered} of ${plural(hosts, 'host')} answered; there is no report of a run\n`;
  const folded = (names: readonly string[]) => (names.length === 0 ? [] : [hostList(names)]);
  return [
    `Summary of the latest runs of ${plural(withRun, 'host')} (${answered} of ${hosts} answered):`,
    '',
    ...metricLines(summary.metrics),
    '',
    ...named(
      'Slowest',
      slowest.map(({ certname, seconds }) => `${certname} (${seconds.toFixed(1)} s)`),
    ),
    ...named(
      'Most failing',
      mostFailing.map(({ certname, failed }) => `${certname} (${failed})`),
    ),
    ...named('Drift repaired', folded(driftRepaired)),
    ...named('Drift found', folded(driftFound)),
    '',
  ].join('\n');
}

/** With a colon. */
const WIDTH = Math.max(...METRICS.map(({ title }) => title.length)) + 1;
const head = (title: string) => (title === '' ? '' : `${title}:`).padStart(WIDTH);

/** No line for what no host reports: an older Puppet, or a run that came to nothing. */
function metricLines(metrics: FleetSummary['metrics']): string[] {
  const rows = METRICS.flatMap(({ key, title, digits }) => {
    const metric = metrics[key];
    if (metric === undefined) return [];
    const { min, average, max, histogram } = metric;
    // A failure on one host of many is not none on average.
    const isWhole = Number.isInteger(average) || average >= 100;
    const values = [
      `min: ${min.toFixed(digits)}`,
      `avg: ${average.toFixed(isWhole ? digits : Math.max(1, digits))}`,
      `max: ${max.toFixed(digits)}`,
    ];
    return [{ start: `${head(title)}  ${sparkline(histogram)}`, values }];
  });
  const widths = [0, 1].map((column) =>
    rows.reduce((width, { values }) => Math.max(width, values[column]?.length ?? 0), 0),
  );
  return rows.map(({ start, values }) =>
    [start, ...values.map((value, column) => value.padEnd(widths[column] ?? 0))].join(' '),
  );
}

/** One below the other. */
function named(title: string, all: readonly string[]): string[] {
  return all.map((one, index) => `${head(index === 0 ? title : '')}  ${one}`);
}
