/** `kick jobs show`. */

import { hostList } from '../../conditions/nodeset/host-list.ts';
import type { Controller } from '../../controller/controller.ts';
import type { HostLog } from '../../controller/host-log.ts';
import type { HostResult } from '../../controller/jobs/job.ts';
import { resultsOf } from '../../controller/jobs/read-job.ts';
import type { StoredJob } from '../../controller/jobs/stored-job.ts';
import { judgeJob, verdictPolicy } from '../../controller/jobs/verdict.ts';
import type { LogLine } from '../../protocol/event.ts';
import { changeLines } from '../../report/changes.ts';
import { jobDocument } from '../../report/json.ts';
import { painter } from '../../report/paint.ts';
import { hostLine, hostLines, summaryOf } from '../../report/summary.ts';
import { whoOf } from '../../report/words.ts';
import { plural, safeJson, safeText } from '../../util/text.ts';
import { dateTime } from '../../util/times.ts';
import { shortId } from '../../util/uuid.ts';

export interface ShowOptions {
  host?: string;
  format: string;
}

export async function showJob(
  controller: Controller,
  id: string,
  { host, format }: ShowOptions,
): Promise<string> {
  if (host === undefined) {
    const stored = await controller.job(id);
    return format === 'json' ? documentText(stored) : await jobText(stored);
  }
  const found = await controller.hostLog(id, host);
  if (format !== 'json') return hostText(found);
  const { stored, certname, result, log } = found;
  const { hosts, ...job } = documentOf(stored, result === undefined ? [] : [result]);
  return `${safeJson({ ...job, host: hosts?.[0] ?? { certname }, log }, 2)}\n`;
}

function documentOf(stored: StoredJob, results: readonly HostResult[]): { hosts?: object[] } {
  const { job, startedAt, endedAt, stopped } = stored;
  const { exit } = judgeJob(resultsOf(stored), verdictPolicy(stored.settings), stopped);
  return jobDocument({ job, startedAt, endedAt, stopped, results, exit });
}

function documentText(stored: StoredJob): string {
  return `${safeJson(documentOf(stored, resultsOf(stored)), 2)}\n`;
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

async function jobText(stored: StoredJob): Promise<string> {
  const { job, startedAt, endedAt, stopped, asked, controller } = stored;
  const results = resultsOf(stored);
  const paint = painter(false);
  const lines = headOf(stored);
  if (endedAt !== undefined) {
    const input = { job, results, startedAt, endedAt, dispatchMs: undefined, stopped, paint };
    const summary = await summaryOf(input);
    return `${lines.join('\n')}\n\n${summary}`;
  }
  const isAwaited = (certname: string) => stored.awaited.has(certname);
  const running = [...asked.keys()].filter((one) => !stored.results.has(one) && !isAwaited(one));
  const awaited = [...stored.awaited.keys()];
  return `${[
    ...lines,
    '',
    ...(await hostLines(results, { job, paint })),
    '',
    `  ${results.length} of ${job.targets.length} are over, ${running.length} were under way${running.length === 0 ? '' : `: ${hostList(running)}`}`,
    ...(awaited.length === 0
      ? []
      : [`  ${awaited.length} cannot be reached and are tried again: ${hostList(awaited)}`]),
    controller === undefined
      ? `  Its controller died: kick jobs resume ${shortId(job.id)}`
      : `  It runs (pid ${controller.pid}): kick jobs watch ${shortId(job.id)}`,
  ].join('\n')}\n`;
}

function hostText({ stored, certname, result, log }: HostLog): string {
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
