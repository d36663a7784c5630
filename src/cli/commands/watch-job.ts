/** `kick jobs watch`: shows a job as it happens, from another terminal. Exits with the job's exit code. */
import type { Controller } from '../../controller/controller.ts';
import { isolated } from '../../report/isolated.ts';
import type { CommandContext } from '../context.ts';
import { checkFormat, type OutputOptions } from '../options/run-options.ts';
import { brokenReport, judgeBy, openReporter } from './report-job.ts';

export async function watchJob(
  controller: Controller,
  text: string,
  { output, context }: { output: OutputOptions; context: CommandContext },
): Promise<number> {
  checkFormat(output.format);
  const { job, settings } = await controller.job(text);
  const judge = judgeBy(settings);
  const reporter = await isolated(
    (guard) => openReporter({ output, context, name: job.name, judge, guard }),
    (error) => context.terminal.err(`${brokenReport(error)}\n`),
  );
  let exit = 0;
  try {
    for await (const event of controller.follow(job.id)) {
      reporter.on(event);
      if (event.type === 'job-done') exit = judge(event.results, event.stopped).exit;
    }
    return exit;
  } finally {
    await reporter.close();
  }
}
