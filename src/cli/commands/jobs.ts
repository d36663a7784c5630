/** `kick jobs`: who asked what of which hosts, and what became of it. */

import { KickError } from '../../errors.ts';
import { type Command, Option } from '../commander.ts';
import type { CommandContext } from '../context.ts';
import { openControllerOf } from '../open-controller.ts';
import { addFolderOptions } from '../options/folders.ts';
import { choiceOption } from '../options/option-choices.ts';
import { duration, whole } from '../options/option-values.ts';
import { addOutputOptions, type OutputOptions } from '../options/run-options.ts';
import { print } from '../print.ts';
import type { ListOptions } from './list-jobs.ts';

const EXAMPLES = `
Examples:
  kick jobs                             the latest 20
  kick jobs --outcome failed --since 7d
  kick jobs show last --host web07.example.com
  kick jobs watch e41c07aa              from another terminal
  kick jobs stop e41c07aa --cancel      start no more hosts, end the runs
  kick jobs resume e41c07aa             go on after its controller died

A job is named by the last digits of its id, or "last".
`;

const THE_JOB = 'the last digits of its id, or "last"';

export function addJobsCommand(program: Command, context: CommandContext): void {
  const jobs = program
    .command('jobs')
    .description('list, show, watch, stop and resume jobs')
    .enablePositionalOptions()
    .helpCommand('help [command]', 'explain a command')
    .addHelpText('after', EXAMPLES)
    .option('-n, --count <n>', 'the latest N', whole(1, 100_000), 20)
    .option('--since <time>', 'not older than this: 7d', duration)
    .option('--by <text>', 'started by USER or USER@HOST')
    .option('--name <name>', 'with this name (--lock)')
    .option('--outcome <outcome>', 'with a host that ended like this')
    .addOption(twoFormats());
  addFolderOptions(jobs);
  jobs.allowExcessArguments().action(async (options: ListOptions, { args: [word] }: Command) => {
    refuseWord(word);
    checkTwoFormats(options.format);
    const { listJobs } = await import('./list-jobs.ts');
    write(await listJobs(openControllerOf(jobs, context), options), options, context);
  });
  addShow(jobs, context);
  addWatch(jobs, context);
  addStop(jobs, context);
  addResume(jobs, context);
}

/** `kick jobs e41c07aa`, or a misspelt subcommand. */
function refuseWord(word: string | undefined): void {
  if (word === undefined) return;
  throw new KickError('usage', `jobs: there is no command "${word}"`, {
    hint: `kick jobs --help lists them; if it is a job: kick jobs show ${word}`,
  });
}

function addShow(jobs: Command, context: CommandContext): void {
  const show = jobs
    .command('show')
    .argument('<job>', THE_JOB)
    .description('show how each host ended; with --host also its log')
    .option('--host <name>', 'one host: what changed, and its log')
    .addOption(twoFormats());
  addFolderOptions(show);
  show.addOption(noColor());
  show.action(async (id: string, options: { host?: string; format: string }) => {
    checkTwoFormats(options.format);
    const { showJob } = await import('./show-job.ts');
    write(await showJob(openControllerOf(show, context), id, options), options, context);
  });
}

function addWatch(jobs: Command, context: CommandContext): void {
  const watch = jobs
    .command('watch')
    .argument('<job>', THE_JOB)
    .description('follow a running job from another terminal');
  addOutputOptions(watch);
  addFolderOptions(watch);
  watch.addOption(noColor());
  watch.action(async (id: string, options: OutputOptions) => {
    const { watchJob } = await import('./watch-job.ts');
    context.exit(await watchJob(openControllerOf(watch, context), id, { output: options, context }));
  });
}

function addStop(jobs: Command, context: CommandContext): void {
  const stop = jobs
    .command('stop')
    .argument('<job>', THE_JOB)
    .description('start no more hosts; runs in progress go on')
    .option('--cancel', 'also end the runs in progress');
  addFolderOptions(stop);
  stop.action(async (id: string, options: { cancel?: boolean }) => {
    const { stopJob } = await import('./stop-job.ts');
    context.exit(await stopJob(id, { ...options, command: stop, context }));
  });
}

function addResume(jobs: Command, context: CommandContext): void {
  const resume = jobs
    .command('resume')
    .argument('<job>', THE_JOB)
    .description('go on with a job that died, was stopped or was detached; no host runs twice');
  addOutputOptions(resume);
  addFolderOptions(resume);
  resume.addOption(noColor());
  resume.action(async (id: string, options: OutputOptions) => {
    const { resumeJob } = await import('./resume-job.ts');
    context.exit(await resumeJob(id, { output: options, command: resume, context }));
  });
}

function write(text: string, { format }: { format: string }, { terminal }: CommandContext): void {
  if (format === 'human') print(terminal, text);
  else terminal.out(text);
}

const twoFormats = () =>
  choiceOption('--format <format>', 'human or json', ['human', 'json']).default('human');

/** Accepted after the subcommand too; --help lists it once. */
const noColor = () => new Option('--no-color').hideHelp();

function checkTwoFormats(format: string): void {
  if (format === 'human' || format === 'json') return;
  throw new KickError('usage', `--format: "${format}" is not known`, { hint: 'human or json' });
}
