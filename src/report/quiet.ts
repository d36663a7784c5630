/** `--quiet`, for cron: nothing when all is well, else one mail that says what to look at (DESIGN 9). */
import { isSuccess } from '../protocol/outcome.ts';
import { clockTime, dayTime } from '../util/times.ts';
import { shortId } from '../util/uuid.ts';
import { painter } from './paint.ts';
import { followProgress } from './progress.ts';
import type { Judge, Output, Reporter } from './reporter.ts';
import { countsOf, groupLines, noteLines } from './summary.ts';
import { adviceFor, STOPS, someNames } from './words.ts';

export interface QuietOptions extends Output {
  /** What to call it: the name of its lock (`nightly`), if it has one. */
  name?: string | undefined;
  judge: Judge;
}

export function quietReporter({ out, name, judge }: QuietOptions): Reporter {
  const progress = followProgress();
  return {
    on(event) {
      progress.on(event);
      if (event.type !== 'job-done') return;
      const { job, startedAt } = progress.now();
      const { exit, bad: counted, accepted } = judge(event.results, event.stopped);
      const bad = counted.length > 0 ? counted : accepted;
      // Hosts that could not be judged have been named before the job began.
      if (exit === 0 || bad.length === 0 || job === undefined) return;
      const good = event.results.filter(({ outcome }) => isSuccess(outcome));
      const title = name === undefined ? 'kick' : `kick ${name}`;
      const times = `${dayTime(startedAt, event.at)} - ${clockTime(event.at)}`;
      const advice = bad.flatMap((result) => adviceFor(result, job)).slice(0, 4);
      const { maintenance = [] } = job;
      const lines = [
        `${title}: ${bad.length} of ${event.results.length} hosts did not do as asked (exit ${exit}, job ${shortId(job.id)})`,
        '',
        ...groupLines(bad, painter(false)),
        ...noteLines(good, painter(false)),
        '',
        ...(event.stopped === undefined ? [] : [`Stopped:     ${STOPS[event.stopped]}`]),
        `Well:        ${good.length > 0 ? countsOf(good) : 'none'}    ${times}`,
        ...(accepted.length > 0 ? [`Accepted:    ${countsOf(accepted)}`] : []),
        ...(maintenance.length > 0 ? [`Maintenance: ${someNames(maintenance)} left out`] : []),
        `Look:        kick jobs show ${shortId(job.id)} --host ${bad[0]?.certname ?? 'HOST'}`,
        `Again:       kick rerun ${shortId(job.id)}`,
        ...(advice.length > 0 ? ['', ...advice] : []),
      ];
      out(`${lines.join('\n')}\n`);
    },
    close() {},
  };
}
