/** `kick jobs watch`: a job as it happens, from another terminal. It ends with the job's exit code. */
import { watch } from 'node:fs';
import type { JobStore } from '../../controller/jobs/job-store.ts';
import { policyOf, storedJob } from '../../controller/jobs/read-job.ts';
import { createReplay } from '../../controller/jobs/replay.ts';
import { judgeJob } from '../../controller/jobs/verdict.ts';
import { KickError } from '../../errors.ts';
import type { Judge } from '../../report/reporter.ts';
import { sleep } from '../../util/clock.ts';
import { shortId } from '../../util/uuid.ts';
import type { CommandContext } from '../context.ts';
import { checkFormat, type OutputOptions } from '../options/run-options.ts';
import { reporterFor } from './execute-job.ts';

/** Milliseconds between looks where the file system tells nothing. */
const LOOK_MS = 500;

export async function watchJob(
  store: JobStore,
  text: string,
  { output, context }: { output: OutputOptions; context: CommandContext },
): Promise<number> {
  checkFormat(output.format);
  const stored = await storedJob(store, text);
  const { id } = stored.job;
  const policy = policyOf(stored.settings);
  const judge: Judge = (results, stopped) => judgeJob(results, policy, stopped);
  const reporter = await reporterFor({ output, context, name: stored.job.name, judge });
  const replay = createReplay(stored.job);
  let wake = () => {};
  const watcher = watch(store.folderOf(id), () => wake());
  try {
    for (let from = 0; ; ) {
      // First see whether somebody drives it, then read what there is: nothing comes after a controller's death.
      const holder = store.holderOf(id);
      const { events, next } = await store.eventsFrom(id, from);
      for (const event of events) {
        const told = replay(event);
        if (told === undefined) continue;
        reporter.on(told);
        if (told.type === 'job-done' && next === (await endOf(store, id, next))) {
          return judge(told.results, told.stopped).exit;
        }
      }
      if (next === from && holder === undefined) throw died(id);
      if (next === from) {
        const changed = new AbortController();
        wake = () => changed.abort();
        await sleep(LOOK_MS, changed.signal);
      }
      from = next;
    }
  } finally {
    watcher.close();
    reporter.close();
  }
}

/** Behind a `job-done` there is more when the job was taken up again. */
async function endOf(store: JobStore, id: string, from: number): Promise<number> {
  return (await store.eventsFrom(id, from)).next;
}

function died(id: string): KickError {
  return new KickError('state', `watch the job ${shortId(id)}: its controller died before it was over`, {
    hint: `kick jobs resume ${shortId(id)}`,
  });
}
