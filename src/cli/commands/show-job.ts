/** `kick jobs show`. */
import type { HostResult } from '../../controller/jobs/job.ts';
import type { JobStore } from '../../controller/jobs/job-store.ts';
import { policyOf, resultsOf, storedJob } from '../../controller/jobs/read-job.ts';
import type { StoredJob } from '../../controller/jobs/stored-job.ts';
import { judgeJob } from '../../controller/jobs/verdict.ts';
import { KickError } from '../../errors.ts';
import type { LogLine } from '../../protocol/event.ts';
import { changeLines } from '../../report/changes.ts';
import { jobDocument, safeJson } from '../../report/json.ts';
import { painter } from '../../report/paint.ts';
import { hostLine, summaryOf } from '../../report/summary.ts';
import { whoOf } from '../../report/words.ts';
import { plural, safeText } from '../../util/text.ts';
import { dateTime } from '../../util/times.ts';
import { shortId } from '../../util/uuid.ts';

export interface ShowOptions {
  host?: string;
  format: string;
}

export async function showJob(store: JobStore, id: string, { host, format }: ShowOptions): Promise<string> {
  const stored = await storedJob(store, id);
  if (host === undefined) return format === 'json' ? documentText(stored) : jobText(stored);
  const certname = certnameIn(stored, host);
  const result = stored.results.get(certname);
  const log = await logOf(store, stored.job.id, certname);
  if (format === 'json') {
    const { hosts, ...job } = documentOf(stored, result === undefined ? [] : [result]);
    return `${safeJson({ ...job, host: hosts?.[0] ?? { certname }, log }, 2)}\n`;
  }
  return hostText(stored, { certname, result, log });
}

function documentOf(stored: StoredJob, results: readonly HostResult[]): { hosts?: object[] } {
  const { job, startedAt, endedAt, stopped } = stored;
  const { exit } = judgeJob(resultsOf(stored), policyOf(stored.settings), stopped);
  return jobDocument({ job, startedAt, endedAt, stopped, results, exit });
}

function documentText(stored: StoredJob): string {
  return `${safeJson(documentOf(stored, resultsOf(stored)), 2)}\n`;
}

/** A certname of the job, or one without its domain. */
function certnameIn({ job }: StoredJob, host: string): string {
  const lower = host.toLowerCase();
  const names = job.targets.map(({ certname }) => certname);
  const found = names.filter((name) => name === lower || name.startsWith(`${lower}.`));
  const [only] = names.includes(lower) ? [lower] : found;
  if (only !== undefined && (found.length <= 1 || only === lower)) return only;
  throw new KickError('usage', `--host: "${host}" is not a host of job ${shortId(job.id)}`, {
    hint: `kick jobs show ${shortId(job.id)} lists them`,
  });
}

function headOf({ job, startedAt, settings, damaged }: StoredJob): string[] {
  const { by, action } = job;
  return [
    `job ${job.id}  ${plural(job.targets.length, 'host')}  by ${whoOf(job)}, ${dateTime(startedAt)}`,
    `  asked  ${JSON.stringify(action)}`,
    ...(by.reason === undefined ? [] : [`  why    ${by.reason}`]),
    ...(damaged > 0 ? [`  ${plural(damaged, 'line')} of its record cannot be read`] : []),
    ...(settings.accept.length > 0 ? [`  accepted  ${settings.accept.join(', ')}`] : []),
  ].map((line) => safeText(line));
}

function jobText(stored: StoredJob): string {
  const { job, startedAt, endedAt, stopped, asked, controller } = stored;
  const results = resultsOf(stored);
  const paint = painter(false);
  const lines = headOf(stored);
  if (endedAt !== undefined) {
    const summary = summaryOf({ job, results, startedAt, endedAt, dispatchMs: undefined, stopped, paint });
    return `${lines.join('\n')}\n\n${summary}`;
  }
  const running = [...asked.keys()].filter((certname) => !stored.results.has(certname));
  return `${[
    ...lines,
    '',
    ...results.map((result) => hostLine(result, results, paint)),
    '',
    `  ${results.length} of ${job.targets.length} are over, ${running.length} were under way: ${running.slice(0, 10).join(', ')}`,
    controller === undefined
      ? `  Its controller died: kick jobs resume ${shortId(job.id)}`
      : `  It runs (pid ${controller.pid}): kick jobs watch ${shortId(job.id)}`,
  ].join('\n')}\n`;
}

interface HostParts {
  certname: string;
  result: HostResult | undefined;
  log: readonly LogLine[];
}

function hostText(stored: StoredJob, { certname, result, log }: HostParts): string {
  const lines = [
    ...headOf(stored),
    '',
    result === undefined ? `  ${certname}  no outcome yet` : hostLine(result, [result], painter(false)),
    ...changeLines(result?.resources ?? [], result?.moreResources),
    ...(log.length > 0 ? ['', ...log.map(logText)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function logText({ level, source, message }: LogLine): string {
  return safeText(`  ${level}: ${source === undefined ? '' : `${source}: `}${message}`);
}

/** Each line once: a stream that was resumed may have brought some again. */
async function logOf(store: JobStore, id: string, certname: string): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  let lastSeq = 0;
  for (let from = 0; ; ) {
    const { events, next } = await store.eventsFrom(id, from);
    for (const event of events) {
      if (event.type !== 'host-event' || event.certname !== certname) continue;
      // An agent that had forgotten the job counts from 1 again.
      if (event.event.type === 'accepted') lastSeq = 0;
      if (event.event.seq <= lastSeq) continue;
      lastSeq = event.event.seq;
      if (event.event.type === 'log') lines.push(...event.event.lines);
    }
    if (next === from) return lines;
    from = next;
  }
}
