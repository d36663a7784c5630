/** `--dry-run` of run and rerun: shows the plan of a job instead of running it. */
import type { Job } from '../../controller/jobs/job.ts';
import { dryRunText } from '../../report/dry-run.ts';
import { print } from '../print.ts';
import type { Terminal } from '../terminal.ts';

/** `format`: `human`, or any other for JSON. */
export function showPlan(terminal: Terminal, job: Job, { format }: { format: string }): void {
  if (format === 'human') print(terminal, dryRunText(job, 'human'));
  else terminal.out(dryRunText(job, 'json'));
}
