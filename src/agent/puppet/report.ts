/**
 * The head of Puppet's report, which decides the outcome (docs/puppet.md, "Exit codes"). A report is Ruby-tagged YAML of up
 * to many MB: only its top-level scalars and its metrics are parsed, and nothing else is read.
 */
import * as v from 'valibot';
import type { Drift } from '../../protocol/event.ts';
import { longText, measure, text } from '../../util/bounds.ts';
import { isScalar, RubyFloat, type RubyScalar, rubyScalar, rubyText } from '../../util/ruby-scalar.ts';
import { clip } from '../../util/text.ts';
import { driftIn } from './report-drift.ts';
import { reportLines } from './report-lines.ts';
import { createProperties, plainBreaks } from './report-properties.ts';
import { parseRubyYaml } from './ruby-yaml.ts';

/** Values that do not decide the outcome never make a report unreadable. */
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
  /** When the run started, RFC 3339; unquoted it is a date in YAML. */
  time: v.fallback(v.nullish(v.union([text(256), v.date()])), undefined),
});

export type ReportHead = v.InferOutput<typeof HeadSchema> & {
  /** Counts by Puppet's names: total, changed, failed, out_of_sync, … */
  resources?: Record<string, number>;
  /** Seconds by Puppet's names: total, config_retrieval, … */
  times?: Record<string, number>;
  /** Set by `withDrift`, if there was a corrective change. */
  drift?: Drift;
};

/** A version may be a whole commit message; metrics list every resource type in the catalog. */
const HEAD_LIMITS = { maxLength: 16 * 1024, maxCount: 200 };
const METRICS_LIMITS = { maxLength: 128 * 1024, maxCount: 1 };

/** Reads the head of a report; undefined if there is none, or the file is not a report. Never throws for its content. */
export async function readReport(path: string): Promise<ReportHead | undefined> {
  const { head, metrics } = await decisiveProperties(path);
  if (head.length === 0) return undefined; // nothing worth loading the parser for
  const parsed = v.safeParse(HeadSchema, await valuesOf(head));
  return parsed.success ? { ...parsed.output, ...(await metricsOf(metrics)) } : undefined;
}

/** When its run began, milliseconds since 1970, or NaN. A quoted time is text in Ruby as well, in the same format. */
export function reportTime(time: ReportHead['time']): number {
  const value = typeof time === 'string' ? rubyScalar(time) : time;
  return value instanceof Date ? value.getTime() : Date.parse(String(value));
}

/** Adds what became of drift to a report's head; reads the resources only if there was drift. */
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
      // Nearly all lines belong to resources and start with a space; those of logs start with a dash.
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

/** Lines are read as latin1, which is cheap; only what is used is decoded. */
function decoded(text: string): string {
  return plainBreaks(Buffer.from(text, 'latin1').toString('utf8'), 0);
}

/** An unreadable property does not affect the others. */
async function valuesOf(properties: readonly string[]): Promise<unknown> {
  const all = await parseRubyYaml(properties.join('\n'));
  if (all !== undefined) return all;
  const each = await Promise.all(properties.map(parseRubyYaml));
  return Object.assign({}, ...each.filter((one) => typeof one === 'object'));
}

const number = v.union([
  measure,
  v.pipe(
    v.instance(RubyFloat),
    v.transform(({ value }) => value),
    measure,
  ),
]);
const ValuesSchema = v.optional(v.object({ values: v.array(v.tuple([longText, longText, number])) }));
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
  // Puppet lists a time per resource type; the two that every host has come first.
  const rank = (name: string) => (name === 'total' || name === 'config_retrieval' ? 0 : 1);
  const sorted = [...metric.values].sort(([a], [b]) => rank(a) - rank(b));
  return Object.fromEntries(sorted.slice(0, 32).map(([name, , n]) => [clip(name, 64), n]));
}
