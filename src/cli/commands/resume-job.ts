/** `kick jobs resume`: resumes a job whose controller died or was stopped; no host runs twice. */
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { openControllerOf } from '../open-controller.ts';
import { checkFormat, type OutputOptions } from '../options/run-options.ts';
import { outputOf, reportJob } from './report-job.ts';

export interface ResumeOptions {
  output: OutputOptions;
  command: Command;
  context: CommandContext;
}

export async function resumeJob(text: string, { output, command, context }: ResumeOptions): Promise<number> {
  checkFormat(output.format);
  const controller = openControllerOf(command, context);
  const choice = outputOf(output, await controller.config());
  return reportJob({ output: choice, context }, (shown) => controller.resume(text, shown));
}
