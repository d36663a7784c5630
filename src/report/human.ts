/** For people: what happens now (a live area in a terminal, lines in a pipe), and at the end how it ended. */
import type { Job, JobEvent } from '../controller/jobs/job.ts';
import { jobLines } from './job-lines.ts';
import type { OpenPage, PageOptions } from './page.ts';
import { painter } from './paint.ts';
import type { Reporter } from './reporter.ts';
import { summaryOf } from './summary.ts';

export interface HumanOptions extends PageOptions {
  /** `livePage` if stderr is a terminal on which lines can be rewritten, else `plainPage`. */
  openPage: OpenPage;
  /** Puppet's log lines, live. */
  verbose: boolean;
}

export function humanReporter(options: HumanOptions): Reporter {
  const { out, openPage } = options;
  const page = openPage(options);
  let job: Job | undefined;
  let startedAt = 0;
  let dispatchMs = 0;
  let ended: Promise<void> | undefined;

  async function summary({ at: endedAt, results, stopped }: JobEvent & { type: 'job-done' }): Promise<void> {
    if (job === undefined) return;
    const paint = painter(options.color);
    const text = await summaryOf({ job, results, startedAt, endedAt, dispatchMs, stopped, paint });
    const columns = options.outColumns();
    out(`\n${columns === undefined ? text : (await import('./wrap.ts')).wrapText(text, columns)}`);
  }

  return {
    on(event) {
      if (event.type === 'job-started') {
        ({ job, at: startedAt } = event);
        dispatchMs = 0;
      } else if (event.type === 'host-dispatched') dispatchMs = event.at - startedAt;
      for (const line of jobLines(event, options)) page.put(line);
      page.on(event);
      if (event.type !== 'job-done') return;
      page.end();
      ended = summary(event);
      // `close` reports it.
      ended.catch(() => {});
    },
    say: (text) => page.put({ to: 'err', text, indent: 2 }),
    redraw: page.redraw,
    async close() {
      page.end();
      await ended;
    },
  };
}
