/** `kick rerun`: runs a job again for the hosts that did not do as asked. */
import type { Command } from 'commander';
import { outcomesOf } from '../../controller/jobs/verdict.ts';
import type { Rerun } from '../../controller/plan-job.ts';
import { KickError } from '../../errors.ts';
import { EXIT } from '../../protocol/outcome.ts';
import { plural } from '../../util/text.ts';
import { shortId } from '../../util/uuid.ts';
import { isMeantFor, jobWords } from '../confirm.ts';
import type { CommandContext } from '../context.ts';
import { openControllerOf } from '../open-controller.ts';
import { addFolderOptions } from '../options/folders.ts';
import { list, whole } from '../options/option-values.ts';
import { addOutputOptions, checkFormat, type OutputOptions } from '../options/run-options.ts';
import { whoAsks } from '../who.ts';
import { outputOf, reportJob } from './report-job.ts';

const EXAMPLES = `
Examples:
  kick rerun last                           all that did not succeed
  kick rerun last --outcome failed,unreachable
  kick rerun e41c07aa --outcome not-started --dry-run

The job keeps its options (tags, noop, batches, …).
`;

interface RerunOptions extends OutputOptions {
  outcome?: string[];
  reason?: string;
  concurrency?: number;
  yes?: boolean;
  dryRun?: boolean;
}

export function addRerunCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('rerun')
    .argument('<job>', 'the last digits of its id, or "last"')
    .description('run a job again on the hosts that did not do as asked')
    .option('--outcome <outcomes>', 'hosts that ended like this (default: all but successes)', list)
    .option('--reason <text>', "why, for the hosts' logs (default: the job's)")
    .option('--concurrency <n>', "runs at once (default: the job's)", whole(1, 10_000))
    .option('-y, --yes', 'do not ask for confirmation')
    .option('--dry-run', 'send nothing; show what each host would be sent')
    .addHelpText('after', EXAMPLES);
  addOutputOptions(command);
  addFolderOptions(command);
  command.action(async (id: string, options: RerunOptions) => {
    context.exit(await rerun(id, options, command, context));
  });
}

async function rerun(
  text: string,
  options: RerunOptions,
  command: Command,
  context: CommandContext,
): Promise<number> {
  checkFormat(options.format);
  const { err } = context.terminal;
  const controller = openControllerOf(command, context);
  const outcomes = options.outcome === undefined ? undefined : outcomesOf(options.outcome, '--outcome');
  const { concurrency } = options;
  const by = whoAsks(context.env, options.reason);
  const rerun = await controller.rerun(text, { by, outcomes, concurrency });
  const { targets, of } = rerun;
  if (outcomes === undefined) warnOfUnknownEnds(rerun, context);
  if (targets.length === 0) {
    const what = outcomes === undefined ? 'every host did as asked' : `no host was ${outcomes.join(' or ')}`;
    err(`Nothing to run again: in job ${shortId(of.job.id)} ${what}.\n`);
    // Naming outcomes is a choice of hosts, and an empty choice is an error everywhere.
    return outcomes === undefined ? 0 : EXIT.usage;
  }
  const plan = await rerun.plan();
  if (options.dryRun === true) {
    const { showPlan } = await import('./dry-run.ts');
    showPlan(context.terminal, plan.job, options);
    return 0;
  }
  const config = await controller.config();
  const what = jobWords(plan.job.action);
  if (!(await isMeantFor(targets, { yes: options.yes, config, what, err }))) return EXIT.usage;
  err(`again for ${plural(targets.length, 'host')} of job ${shortId(of.job.id)}\n`);
  return reportJob({ output: outputOf(options, config), context }, async (shown) => {
    await shown.onStart(plan);
    return controller.run(plan, shown);
  });
}

/** Hosts that were left to themselves may have done as asked. */
function warnOfUnknownEnds({ of, targets, unknownEnds }: Rerun, { terminal }: CommandContext): void {
  if (unknownEnds === 0) return;
  const id = shortId(of.job.id);
  const hint = `kick jobs resume ${id} follows them, --outcome unfinished asks them again`;
  const what = `the end of ${plural(unknownEnds, 'host')} is not known (--detach)`;
  if (targets.length === 0) throw new KickError('usage', `rerun the job ${id}: ${what}`, { hint });
  terminal.err(`${what}: ${hint}\n`);
}
