/** `kick jobs` without a subcommand: one line per job. */
import type { Controller } from '../../controller/controller.ts';
import type { FoundJob } from '../../controller/find-jobs.ts';
import { outcomesOf } from '../../controller/jobs/verdict.ts';
import { OUTCOME_NAMES } from '../../protocol/outcome.ts';
import { safeJson, safeText } from '../../util/text.ts';
import { dateTime, isoTime } from '../../util/times.ts';
import { shortId } from '../../util/uuid.ts';

export interface ListOptions {
  count: number;
  since?: number;
  by?: string;
  name?: string;
  outcome?: string;
  format: string;
}

export async function listJobs(controller: Controller, options: ListOptions): Promise<string> {
  const { count, since: sinceMs, by, name } = options;
  const [outcome] = options.outcome === undefined ? [] : outcomesOf([options.outcome], '--outcome');
  const found = await controller.jobs({ count, sinceMs, by, name, outcome });
  if (options.format === 'json') return `${safeJson(found.map(asJson), 2)}\n`;
  if (found.length === 0) return 'no jobs\n';
  const width = found.reduce((most, { by }) => Math.max(most, by.length), 2);
  const head = `  ${'JOB'.padEnd(8)}  ${'WHEN'.padEnd(25)}  ${'BY'.padEnd(width)}  ${'HOSTS'.padStart(6)}  HOW\n`;
  return head + found.map((job) => rowOf(job, width)).join('');
}

function rowOf({ id, at, by, hosts, name, noop, reason, counts, state }: FoundJob, width: number): string {
  const how = state === 'done' ? countsText(counts ?? {}) : STATES[state];
  const more = [name, noop === true ? 'noop' : undefined, reason]
    .filter((text) => text !== undefined)
    .join('  ');
  const cells = [shortId(id), dateTime(at), by.padEnd(width), String(hosts).padStart(6), how, more];
  return `  ${safeText(cells.join('  ')).trimEnd()}\n`;
}

const STATES = {
  running: 'running',
  died: 'its controller died (kick jobs resume)',
  damaged: 'its record cannot be read (kick jobs show)',
} as const;

function countsText(counts: Readonly<Record<string, number>>): string {
  return OUTCOME_NAMES.filter((name) => (counts[name] ?? 0) > 0)
    .map((name) => `${counts[name]} ${name}`)
    .join(', ');
}

function asJson({ id, at, endedAt, bytes: _bytes, ...rest }: FoundJob): object {
  return {
    job: id,
    startedAt: isoTime(at),
    ...(endedAt !== undefined && { endedAt: isoTime(endedAt) }),
    ...rest,
  };
}
