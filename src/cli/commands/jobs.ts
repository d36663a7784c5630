/** `kick jobs`: what was asked of whom, by whom, and what became of it. */
import { type Command, Option } from 'commander';
import type { Controller } from '../../controller/controller.ts';
import type { FoundJob } from '../../controller/find-jobs.ts';
import { outcomesOf } from '../../controller/jobs/verdict.ts';
import { KickError } from '../../errors.ts';
import { OUTCOME_NAMES } from '../../protocol/outcome.ts';
import { safeText } from '../../util/text.ts';
import { dateTime } from '../../util/times.ts';
import { shortId } from '../../util/uuid.ts';
import type { CommandContext } from '../context.ts';
import { openControllerOf } from '../open-controller.ts';
import { addFolderOptions } from '../options/folders.ts';
import { choiceOption } from '../options/option-choices.ts';
import { duration, whole } from '../options/option-values.ts';
import { addOutputOptions, type OutputOptions } from '../options/run-options.ts';

const EXAMPLES = `
Examples:
  kick jobs                                  the last 20
  kick jobs --outcome failed --since 7d
  kick jobs show last --host web07.example.com
  kick jobs watch e41c07aa                   from another terminal
  kick jobs stop e41c07aa --cancel           start no more hosts, end what runs
  kick jobs resume e41c07aa                  its controller died: go on where it was

A job is named by the last digits of its id, or "last".
`;

interface ListOptions {
  count: number;
  since?: number;
  by?: string;
  name?: string;
  outcome?: string;
  format: string;
}

export function addJobsCommand(program: Command, context: CommandContext): void {
  const jobs = program
    .command('jobs')
    .description('the jobs that this controller remembers: list, show, watch, stop, resume')
    .enablePositionalOptions()
    .addHelpText('after', EXAMPLES)
    .option('-n, --count <n>', 'how many, the latest', whole(1, 100_000), 20)
    .option('--since <time>', 'not older than this', duration)
    .option('--by <text>', 'asked by USER or USER@HOST')
    .option('--name <name>', 'with this name (--lock)')
    .option('--outcome <outcome>', 'with a host that ended so')
    .addOption(choiceOption('--format <format>', 'human or json', ['human', 'json']).default('human'));
  addFolderOptions(jobs);
  const open = (command: Command) => openControllerOf(command, context);

  jobs.action(async (options: ListOptions) => {
    checkTwoFormats(options.format);
    context.terminal.out(await listText(open(jobs), options));
  });

  const show = jobs
    .command('show')
    .argument('<job>', 'the last digits of its id, or "last"')
    .description('how it ended for each host; with --host also its log')
    .option('--host <name>', 'one host: what changed, and its log')
    .addOption(choiceOption('--format <format>', 'human or json', ['human', 'json']).default('human'));
  addFolderOptions(show);
  show.action(async (id: string, options: { host?: string; format: string }) => {
    checkTwoFormats(options.format);
    const { showJob } = await import('./show-job.ts');
    context.terminal.out(await showJob(open(show), id, options));
  });

  const watch = jobs
    .command('watch')
    .argument('<job>')
    .description('see a job that runs, from another terminal');
  addOutputOptions(watch);
  addFolderOptions(watch);
  watch.action(async (id: string, options: OutputOptions) => {
    const { watchJob } = await import('./watch-job.ts');
    context.exit(await watchJob(open(watch), id, { output: options, context }));
  });

  const stop = jobs
    .command('stop')
    .argument('<job>')
    .description('start no more hosts; those that run go on')
    .option('--cancel', 'also end the runs in progress');
  addFolderOptions(stop);
  stop.action(async (id: string, options: { cancel?: boolean }) => {
    const { stopJob } = await import('./stop-job.ts');
    context.exit(await stopJob(id, { ...options, command: stop, context }));
  });

  const resume = jobs
    .command('resume')
    .argument('<job>')
    .description(
      'go on with a job whose controller died or was stopped, or that was detached; no host runs twice',
    );
  addOutputOptions(resume);
  addFolderOptions(resume);
  resume.action(async (id: string, options: OutputOptions) => {
    const { resumeJob } = await import('./resume-job.ts');
    context.exit(await resumeJob(id, { output: options, command: resume, context }));
  });

  // One format a command: what stands behind `jobs` and what stands behind `show` is the same option.
  for (const one of [show, watch, resume]) one.addOption(new Option('--no-color').hideHelp());
}

function checkTwoFormats(format: string): void {
  if (format === 'human' || format === 'json') return;
  throw new KickError('usage', `--format: "${format}" is not known`, { hint: 'human or json' });
}

// ---------------------------------------------------------------- the list

async function listText(controller: Controller, options: ListOptions): Promise<string> {
  const { count, since: sinceMs, by, name } = options;
  const [outcome] = options.outcome === undefined ? [] : outcomesOf([options.outcome], '--outcome');
  const found = await controller.jobs({ count, sinceMs, by, name, outcome });
  if (options.format === 'json') return `${JSON.stringify(found.map(asJson), null, 2)}\n`;
  if (found.length === 0) return 'no jobs\n';
  const width = Math.max(...found.map(({ by }) => by.length), 2);
  const head = `  ${'JOB'.padEnd(8)}  ${'WHEN'.padEnd(25)}  ${'BY'.padEnd(width)}  ${'HOSTS'.padStart(6)}  HOW\n`;
  return head + found.map((job) => rowOf(job, width)).join('');
}

function rowOf({ id, at, by, hosts, name, noop, reason, counts, state }: FoundJob, width: number): string {
  const how = state === 'done' ? countsText(counts ?? {}) : STATES[state];
  const more = [name, noop === true ? 'noop' : undefined, reason]
    .filter((text) => text !== undefined)
    .join('  ');
  const cells = [shortId(id), dateTime(at), by.padEnd(width), String(hosts).padStart(6), how, more];
  return `  ${safeText(cells.join('  ')).trimEnd()}\n`;
}

const STATES = {
  running: 'running',
  died: 'its controller died (kick jobs resume)',
  damaged: 'its record cannot be read (kick jobs show)',
} as const;

function countsText(counts: Readonly<Record<string, number>>): string {
  return OUTCOME_NAMES.filter((name) => (counts[name] ?? 0) > 0)
    .map((name) => `${counts[name]} ${name}`)
    .join(', ');
}

function asJson({ id, at, endedAt, bytes: _bytes, ...rest }: FoundJob): object {
  return {
    job: id,
    startedAt: new Date(at).toISOString(),
    ...(endedAt !== undefined && { endedAt: new Date(endedAt).toISOString() }),
    ...rest,
  };
}
