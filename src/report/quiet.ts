/** `--quiet`, for cron: nothing when all is well, else one mail that says what to look at (DESIGN 9). */
import type { Job, JobEvent } from '../controller/jobs/job.ts';
import type { Judge, Output, Reporter } from './reporter.ts';

export interface QuietOptions extends Output {
  /** What to call it: the name of its lock (`nightly`), if it has one. */
  name?: string | undefined;
  judge: Judge;
}

export function quietReporter({ out, name, judge }: QuietOptions): Reporter {
  let job: Job | undefined;
  let startedAt = 0;
  let ended: Promise<void> | undefined;

  async function end(event: JobEvent & { type: 'job-done' }): Promise<void> {
    const verdict = judge(event.results, event.stopped);
    const bad = verdict.bad.length > 0 ? verdict.bad : verdict.accepted;
    // Hosts that could not be judged have been named before the job began.
    if (verdict.exit === 0 || bad.length === 0 || job === undefined) return;
    const { quietMail } = await import('./quiet-mail.ts');
    out(quietMail(event, { job, startedAt, name, bad, verdict }));
  }

  return {
    on(event) {
      if (event.type === 'job-started') ({ job, at: startedAt } = event);
      if (event.type !== 'job-done') return;
      ended = end(event);
      // `close` reports it.
      ended.catch(() => {});
    },
    async close() {
      await ended;
    },
  };
}
