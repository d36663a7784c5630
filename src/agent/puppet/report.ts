/**
 * The head of Puppet's report decides (facts/puppet.md). A report is Ruby-tagged YAML of up to many
 * MB: only the plain `key: value` lines at its left edge and the few lines of its metrics are
 * parsed, so that whatever else stands in it is never looked at.
 */
import * as v from 'valibot';
import { clip } from '../../util/text.ts';
import { reportLines } from './report-lines.ts';

const scalar = v.pipe(
  v.union([v.string(), v.number()]),
  v.transform((value) => clip(String(value), 256)),
);
const flag = v.nullish(v.boolean());
const words = v.nullish(scalar);

const HeadSchema = v.object({
  status: v.picklist(['failed', 'changed', 'unchanged']),
  transaction_completed: flag,
  noop: flag,
  noop_pending: flag,
  corrective_change: flag,
  environment: words,
  configuration_version: words,
  code_id: words,
  server_used: words,
  job_id: words,
  cached_catalog_status: words,
  /** When the run began, RFC 3339; a date to YAML where it is not quoted. */
  time: v.nullish(v.union([v.string(), v.date()])),
});

export type ReportHead = v.InferOutput<typeof HeadSchema> & {
  /** Counts by Puppet's own names: total, changed, failed, out_of_sync, … */
  resources?: Record<string, number>;
  /** Seconds by Puppet's own names: total, config_retrieval, … */
  times?: Record<string, number>;
};

const MAX_HEAD_LINES = 200;
const MAX_METRIC_LINES = 2000;

const CountsSchema = v.record(v.string(), v.number());

/** Reads what decides of a report; undefined when there is none, or it is not one. Never throws for its content. */
export async function readReport(path: string): Promise<ReportHead | undefined> {
  const lines = await decisiveLines(path);
  if (lines.head.length === 0) return undefined; // nothing that is worth loading the parser
  const head = v.safeParse(HeadSchema, await parseYaml(lines.head.join('\n')));
  if (!head.success) return undefined;
  return { ...head.output, ...(await metricsOf(lines.metrics)) };
}

async function decisiveLines(path: string): Promise<{ head: string[]; metrics: string[] }> {
  const head: string[] = [];
  const metrics: string[] = [];
  let section = '';
  for await (const lines of reportLines(path, 'latin1')) {
    for (const line of lines) {
      // Nearly all lines are of a resource and begin with a space.
      const key = line.startsWith(' ') ? null : /^([a-z_]+):(?: (.*))?$/.exec(line);
      if (key !== null) {
        section = key[1] ?? '';
        if (section in HeadSchema.entries && head.length < MAX_HEAD_LINES) head.push(line);
      } else if (section === 'metrics' && metrics.length < MAX_METRIC_LINES) {
        metrics.push(line.replace(/ !ruby\/\S+$/, ''));
      }
    }
  }
  return { head, metrics };
}

async function parseYaml(text: string): Promise<unknown> {
  const { load } = await import('js-yaml');
  try {
    return load(text, { maxAliases: 100, maxDepth: 16 });
  } catch {
    return undefined;
  }
}

const ValuesSchema = v.optional(v.object({ values: v.array(v.tuple([v.string(), v.string(), v.number()])) }));
const MetricsSchema = v.object({ resources: ValuesSchema, time: ValuesSchema });

async function metricsOf(lines: readonly string[]): Promise<Pick<ReportHead, 'resources' | 'times'>> {
  const metrics = v.safeParse(MetricsSchema, await parseYaml(lines.join('\n')));
  if (!metrics.success) return {};
  const [resources, times] = [metrics.output.resources, metrics.output.time].map(countsOf);
  return { ...(resources !== undefined && { resources }), ...(times !== undefined && { times }) };
}

function countsOf(metric: v.InferOutput<typeof ValuesSchema>): Record<string, number> | undefined {
  if (metric === undefined) return undefined;
  // Puppet lists a time for each type of resource: the two that matter to all hosts come first.
  const rank = (name: string) => (name === 'total' || name === 'config_retrieval' ? 0 : 1);
  const sorted = [...metric.values].sort(([a], [b]) => rank(a) - rank(b));
  return v.parse(
    CountsSchema,
    Object.fromEntries(sorted.slice(0, 32).map(([name, , n]) => [clip(name, 64), n])),
  );
}
