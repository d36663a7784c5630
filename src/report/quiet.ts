/** `--quiet`, for cron: nothing when all is well, else one mail that says what to look at (DESIGN 9). */
import { exitCodeOf, isSuccess } from '../protocol/outcome.ts';
import { shortId } from '../util/uuid.ts';
import { painter } from './paint.ts';
import { followProgress } from './progress.ts';
import type { Output, Reporter } from './reporter.ts';
import { countsOf, groupLines } from './summary.ts';
import { adviceFor, clockTime } from './words.ts';

export interface QuietOptions extends Output {
  /** What to call it: the name of its lock (`nightly`), if it has one. */
  name?: string | undefined;
}

export function quietReporter({ out, name }: QuietOptions): Reporter {
  const progress = followProgress();
  return {
    on(event) {
      progress.on(event);
      if (event.type !== 'job-done') return;
      const { job, startedAt } = progress.now();
      const bad = event.results.filter(({ outcome }) => !isSuccess(outcome));
      if (bad.length === 0 || job === undefined) return;
      const good = event.results.filter(({ outcome }) => isSuccess(outcome));
      const exit = exitCodeOf(event.results.map(({ outcome }) => outcome));
      const title = name === undefined ? 'kick' : `kick ${name}`;
      const times = `${clockTime(startedAt)} - ${clockTime(event.at)}`;
      const advice = bad.flatMap((result) => adviceFor(result, job)).slice(0, 4);
      const lines = [
        `${title}: ${bad.length} of ${event.results.length} hosts did not do as asked (exit ${exit}, job ${shortId(job.id)})`,
        '',
        ...groupLines(bad, painter(false)),
        '',
        `Well:        ${good.length > 0 ? countsOf(good) : 'none'}    ${times}`,
        ...(advice.length > 0 ? ['', ...advice] : []),
      ];
      out(`${lines.join('\n')}\n`);
    },
    close() {},
  };
}
