/** `kick rerun`: a job once more, for the hosts that did not do as asked. */
import type { Command } from 'commander';
import { readControllerConfig } from '../../config/controller-files.ts';
import { identityOf } from '../../config/identity.ts';
import type { Job, Rollout } from '../../controller/jobs/job.ts';
import { openJobStore } from '../../controller/jobs/job-store.ts';
import { storedJob } from '../../controller/jobs/read-job.ts';
import type { StoredJob } from '../../controller/jobs/stored-job.ts';
import { isAsAsked, outcomesOf } from '../../controller/jobs/verdict.ts';
import { KickError } from '../../errors.ts';
import { EXIT, type Outcome } from '../../protocol/outcome.ts';
import { dryRunText } from '../../report/dry-run.ts';
import { systemClock } from '../../util/clock.ts';
import { plural } from '../../util/text.ts';
import { shortId, uuidv7 } from '../../util/uuid.ts';
import { isMeantFor, jobWords } from '../confirm.ts';
import type { CommandContext } from '../context.ts';
import { addFolderOptions, foldersOf } from '../options/folders.ts';
import { list, whole } from '../options/option-values.ts';
import { addOutputOptions, checkFormat, type OutputOptions } from '../options/run-options.ts';
import { whoAsks } from '../who.ts';
import { executeJob, outputOf } from './execute-job.ts';

const EXAMPLES = `
Examples:
  kick rerun last                                  all that were not a success
  kick rerun last --outcome failed,unreachable
  kick rerun e41c07aa --outcome not-started --dry-run

The options of the job (tags, noop, batches, …) stay what they were.
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
    .description('a job once more, for the hosts that did not do as asked')
    .option('--outcome <outcomes>', 'for the hosts that ended so (default: all but successes)', list)
    .option('--reason <text>', "why, for the hosts' logs (default: the job's)")
    .option('--concurrency <n>', "runs at once (default: the job's)", whole(1, 10_000))
    .option('-y, --yes', 'do not ask, however many hosts there are')
    .option('--dry-run', 'send nothing; show what would be sent to whom')
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
  const folders = foldersOf(command, context.env);
  const store = openJobStore(folders.stateDir, systemClock);
  const stored = await storedJob(store, text);
  const wanted = options.outcome === undefined ? undefined : outcomesOf(options.outcome, '--outcome');
  const targets = again(stored, wanted);
  if (wanted === undefined) tellUnknownEnds(stored, targets.length, context);
  if (targets.length === 0) {
    const what = wanted === undefined ? 'every host did as asked' : `no host was ${wanted.join(' or ')}`;
    context.terminal.err(`Nothing to run again: in job ${shortId(stored.job.id)} ${what}.\n`);
    // Who names outcomes means hosts: none is a choice of nobody, as everywhere.
    return wanted === undefined ? 0 : EXIT.usage;
  }
  const identity = await identityOf(folders, context.env['PATH'] ?? '');
  const { rollout, name, maintenance: _maintenance, ...old } = stored.job;
  const names = new Set(targets.map(({ certname }) => certname));
  const job: Job = {
    ...old,
    ...{ id: uuidv7(systemClock.now()), controller: identity.certname, targets },
    by: whoAsks(context.env, options.reason ?? stored.job.by.reason),
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
    ...(name !== undefined && { name }),
    ...(rollout !== undefined && { rollout: boundTo(names, rollout) }),
  };
  if (options.dryRun === true) {
    context.terminal.out(dryRunText(job, options.format === 'human' ? 'human' : 'json'));
    return 0;
  }
  const config = await readControllerConfig(folders.configDir);
  const { err } = context.terminal;
  const what = jobWords(job.action);
  if (!(await isMeantFor(targets, { yes: options.yes, config, what, err }))) return EXIT.usage;
  err(`again for ${plural(targets.length, 'host')} of job ${shortId(stored.job.id)}\n`);
  const { partial: _partial, ...settings } = stored.settings;
  return executeJob({
    ...{ job, settings, identity, context, stateDir: folders.stateDir },
    output: outputOf(options, config),
  });
}

/** A host without any outcome (its controller died) was no success. */
function again({ job, results }: StoredJob, wanted: readonly Outcome[] | undefined) {
  return job.targets.filter(({ certname }) => {
    const result = results.get(certname);
    if (wanted !== undefined) return wanted.includes(result?.outcome ?? 'not-started');
    return result === undefined || !isAsAsked(result);
  });
}

/** Hosts that were left to themselves may have done all that was asked. */
function tellUnknownEnds({ job, results }: StoredJob, targets: number, { terminal }: CommandContext): void {
  const left = [...results.values()].filter(({ detached }) => detached === true).length;
  if (left === 0) return;
  const hint = `kick jobs resume ${shortId(job.id)} looks for it, --outcome unfinished asks them again`;
  const what = `the end of ${plural(left, 'host')} is not known (--detach)`;
  if (targets === 0) throw new KickError('usage', `rerun the job ${shortId(job.id)}: ${what}`, { hint });
  terminal.err(`${what}: ${hint}\n`);
}

function boundTo(names: ReadonlySet<string>, rollout: Rollout): Rollout {
  const { groups, ...rest } = rollout;
  if (groups === undefined) return rest;
  const left = groups.map((group) => ({
    ...group,
    certnames: group.certnames.filter((one) => names.has(one)),
  }));
  return { ...rest, groups: left.filter(({ certnames }) => certnames.length > 0) };
}
