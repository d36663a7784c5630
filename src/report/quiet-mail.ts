/** The mail of `--quiet`: what to look at (DESIGN 9). */
import type { HostResult, Job, JobEvent } from '../controller/jobs/job.ts';
import type { Verdict } from '../controller/jobs/verdict.ts';
import { isSuccess } from '../protocol/outcome.ts';
import { clockTime, dayTime } from '../util/times.ts';
import { shortId } from '../util/uuid.ts';
import { painter } from './paint.ts';
import { groupLines, noteLines, someNames } from './result-lines.ts';
import { countsOf } from './summary.ts';
import { adviceFor, STOPS } from './words.ts';

export interface QuietMail {
  job: Job;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** What to call it: the name of its lock. */
  name: string | undefined;
  /** Hosts that did not do as asked. */
  bad: readonly HostResult[];
  verdict: Verdict;
}

export function quietMail(event: JobEvent & { type: 'job-done' }, mail: QuietMail): string {
  const { job, startedAt, name, bad } = mail;
  const { exit, accepted } = mail.verdict;
  const good = event.results.filter(({ outcome }) => isSuccess(outcome));
  const title = name === undefined ? 'kick' : `kick ${name}`;
  const times = `${dayTime(startedAt, event.at)} - ${clockTime(event.at)}`;
  const advice = bad.flatMap((result) => adviceFor(result, job)).slice(0, 4);
  const { maintenance = [], discovery: { silent = [] } = {} } = job;
  const shown = { job, paint: painter(false) };
  const lines = [
    `${title}: ${bad.length} of ${event.results.length} hosts did not do as asked (exit ${exit}, job ${shortId(job.id)})`,
    '',
    ...groupLines(bad, shown),
    ...noteLines(good, shown),
    '',
    ...(event.stopped === undefined ? [] : [`Stopped:     ${STOPS[event.stopped]}`]),
    `Well:        ${good.length > 0 ? countsOf(good) : 'none'}    ${times}`,
    ...(accepted.length > 0 ? [`Accepted:    ${countsOf(accepted)}`] : []),
    ...(maintenance.length > 0 ? [`Maintenance: ${someNames(maintenance)} left out`] : []),
    ...(silent.length > 0 ? [`Silent:      ${someNames(silent)}`] : []),
    `Look:        kick jobs show ${shortId(job.id)} --host ${bad[0]?.certname ?? 'HOST'}`,
    `Again:       kick rerun ${shortId(job.id)}`,
    ...(advice.length > 0 ? ['', ...advice] : []),
  ];
  return `${lines.join('\n')}\n`;
}
