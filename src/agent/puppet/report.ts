/**
 * The head of Puppet's report decides (docs/puppet.md, "Exit codes"). A report is Ruby-tagged YAML of up to many MB: only the
 * scalars at its left edge and its metrics are parsed, so that whatever else stands in it is never looked at.
 */
import * as v from 'valibot';
import type { Drift } from '../../protocol/event.ts';
import { isScalar, RubyFloat, type RubyScalar, rubyText } from '../../util/ruby-scalar.ts';
import { clip } from '../../util/text.ts';
import { driftIn } from './report-drift.ts';
import { reportLines } from './report-lines.ts';
import { createProperties, plainBreaks } from './report-properties.ts';
import { parseRubyYaml } from './ruby-yaml.ts';

/** What does not decide never makes a report unreadable. */
const words = v.fallback(
  v.nullish(
    v.pipe(
      v.custom<RubyScalar>(isScalar),
      v.transform((value) => clip(rubyText(value), 256)),
    ),
  ),
  undefined,
);
const flag = v.fallback(v.nullish(v.boolean()), undefined);

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
  time: v.fallback(v.nullish(v.union([v.string(), v.date()])), undefined),
});

export type ReportHead = v.InferOutput<typeof HeadSchema> & {
  /** Counts by Puppet's own names: total, changed, failed, out_of_sync, … */
  resources?: Record<string, number>;
  /** Seconds by Puppet's own names: total, config_retrieval, … */
  times?: Record<string, number>;
  /** With a corrective change, where it was looked for. */
  drift?: Drift;
};

/** A commit's whole message may be a version; of the metrics, all types of resources that a catalog has. */
const HEAD_LIMITS = { maxLength: 16 * 1024, maxCount: 200 };
const METRICS_LIMITS = { maxLength: 128 * 1024, maxCount: 1 };

/** Reads what decides of a report; undefined when there is none, or it is not one. Never throws for its content. */
export async function readReport(path: string): Promise<ReportHead | undefined> {
  const { head, metrics } = await decisiveProperties(path);
  if (head.length === 0) return undefined; // nothing that is worth loading the parser
  const parsed = v.safeParse(HeadSchema, await valuesOf(head));
  return parsed.success ? { ...parsed.output, ...(await metricsOf(metrics)) } : undefined;
}

/** A report's head, with what became of drift: where there was some, its resources are looked at, too. */
export async function withDrift(path: string, head: ReportHead): Promise<ReportHead> {
  const drift = head.corrective_change === true ? await driftIn(path) : undefined;
  return drift === undefined ? head : { ...head, drift };
}

const SPACE = 0x20;
const DASH = 0x2d;
const KEY = /^(["']?)([a-z_]+)\1 *:(?: |$)/;

async function decisiveProperties(path: string): Promise<{ head: string[]; metrics: string[] }> {
  const head = createProperties(HEAD_LIMITS);
  const metrics = createProperties(METRICS_LIMITS);
  let current: typeof head | undefined;
  for await (const lines of reportLines(path, 'latin1')) {
    for (const line of lines) {
      // Nearly all lines are of a resource and begin with a space; those of a log with a dash.
      const first = line.charCodeAt(0);
      const key = first === SPACE || first === DASH ? undefined : KEY.exec(line)?.[2];
      if (key === undefined) {
        current?.add(line);
        continue;
      }
      current?.skip();
      current = key === 'metrics' ? metrics : key in HeadSchema.entries ? head : undefined;
      current?.begin(line);
    }
  }
  return { head: head.take().map(decoded), metrics: metrics.take() };
}

/** The lines are read as latin1, which costs nothing: only what is looked at is decoded. */
function decoded(text: string): string {
  return plainBreaks(Buffer.from(text, 'latin1').toString('utf8'), 0);
}

/** One that cannot be read takes no other with it. */
async function valuesOf(properties: readonly string[]): Promise<unknown> {
  const all = await parseRubyYaml(properties.join('\n'));
  if (all !== undefined) return all;
  const each = await Promise.all(properties.map(parseRubyYaml));
  return Object.assign({}, ...each.filter((one) => typeof one === 'object'));
}

const number = v.union([
  v.number(),
  v.pipe(
    v.instance(RubyFloat),
    v.transform(({ value }) => value),
    v.finite(),
  ),
]);
const ValuesSchema = v.optional(v.object({ values: v.array(v.tuple([v.string(), v.string(), number])) }));
const MetricsSchema = v.object({ metrics: v.object({ resources: ValuesSchema, time: ValuesSchema }) });

async function metricsOf(lines: readonly string[]): Promise<Pick<ReportHead, 'resources' | 'times'>> {
  const parsed = v.safeParse(MetricsSchema, await parseRubyYaml(lines.join('\n')));
  if (!parsed.success) return {};
  const { metrics } = parsed.output;
  const [resources, times] = [metrics.resources, metrics.time].map(countsOf);
  return { ...(resources !== undefined && { resources }), ...(times !== undefined && { times }) };
}

function countsOf(metric: v.InferOutput<typeof ValuesSchema>): Record<string, number> | undefined {
  if (metric === undefined) return undefined;
  // Puppet lists a time for each type of resource: the two that matter to all hosts come first.
  const rank = (name: string) => (name === 'total' || name === 'config_retrieval' ? 0 : 1);
  const sorted = [...metric.values].sort(([a], [b]) => rank(a) - rank(b));
  return Object.fromEntries(sorted.slice(0, 32).map(([name, , n]) => [clip(name, 64), n]));
}
