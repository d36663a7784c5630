/** `kick jobs resume`: the controller died or was stopped; what was not over goes on, and no host runs twice. */
import type { Command } from 'commander';
import { readControllerConfig } from '../../config/controller-files.ts';
import { identityOf } from '../../config/identity.ts';
import { openJobStore } from '../../controller/jobs/job-store.ts';
import { storedJob } from '../../controller/jobs/read-job.ts';
import { beforeOf } from '../../controller/jobs/stored-job.ts';
import { KickError } from '../../errors.ts';
import { systemClock } from '../../util/clock.ts';
import { shortId } from '../../util/uuid.ts';
import type { CommandContext } from '../context.ts';
import { foldersOf } from '../options/folders.ts';
import { checkFormat, type OutputOptions } from '../options/run-options.ts';
import { executeJob, outputOf } from './execute-job.ts';

export interface ResumeOptions {
  output: OutputOptions;
  command: Command;
  context: CommandContext;
}

export async function resumeJob(text: string, { output, command, context }: ResumeOptions): Promise<number> {
  checkFormat(output.format);
  const folders = foldersOf(command, context.env);
  const store = openJobStore(folders.stateDir, systemClock);
  const id = await store.find(text);
  const lease = await store.take(id);
  if (!('lost' in lease)) {
    throw new KickError('usage', `resume the job ${shortId(id)}: it runs (pid ${lease.pid})`, {
      hint: `kick jobs watch ${shortId(id)}`,
    });
  }
  try {
    const stored = await storedJob(store, id);
    const { job, settings } = stored;
    const before = beforeOf(stored);
    if (before.results.size === job.targets.length) {
      throw new KickError('usage', `resume the job ${shortId(id)}: it is over for every host`, {
        hint: `kick rerun ${shortId(id)} asks those again that did not go well`,
      });
    }
    const identity = await identityOf(folders, context.env['PATH'] ?? '');
    if (identity.certname !== job.controller) {
      // To the agents the same job of another controller is another job.
      throw new KickError(
        'usage',
        `resume the job ${shortId(id)}: ${job.controller} began it, this is ${identity.certname}`,
      );
    }
    const config = await readControllerConfig(folders.configDir);
    // Whoever resumes a job looks for its end, also where it was left to itself.
    const { detach: _detach, ...looking } = settings;
    return await executeJob({
      ...{
        job,
        settings: looking,
        identity,
        context,
        resumed: { lease, before },
        stateDir: folders.stateDir,
      },
      output: outputOf(output, config),
    });
  } finally {
    lease.release();
  }
}
