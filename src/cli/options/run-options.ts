/** The options of `kick run`; those of Puppet have Puppet's names. */

import { KickError } from '../../errors.ts';
import { WAYS } from '../../protocol/names.ts';
import { MAX_WAIT_S } from '../../protocol/request.ts';
import type { Share } from '../../util/share.ts';
import { type Command, Option } from '../commander.ts';
import { helpIn, inGroup, OPTION_GROUPS } from './groups.ts';
import { choiceOption } from './option-choices.ts';
import { duration, durationOf, list, share, whole } from './option-values.ts';

export const FORMATS = ['human', 'json', 'jsonl'] as const;

const IF_RUNNING = ['wait', 'skip'] as const;

export interface RunOptions extends OutputOptions {
  noop?: boolean;
  tags?: string[];
  tag?: string[];
  skipTags?: string[];
  environment?: string;
  useCachedCatalog?: boolean;
  usecacheonfailure?: boolean;
  ignoreschedules?: boolean;
  debug?: boolean;
  showDiff?: boolean;
  force?: boolean;
  concurrency?: number;
  parallel?: number;
  wait?: number;
  runTimeout?: number;
  timeout?: number;
  lostAfter: number;
  connectTimeout: number;
  ifRunning: 'wait' | 'skip';
  detach?: boolean;
  port?: number;
  via?: string;
  reason?: string;
  lock?: string;
  lockWait?: number;
  canary?: number;
  batch?: Share[];
  pause?: number;
  confirm?: boolean;
  maxFailures?: Share;
  maxUnreachable?: Share;
  retry?: number;
  deadline?: number;
  emergency?: boolean;
  expectVersion?: string;
  accept?: string[];
  success?: number;
  yes?: boolean;
  dryRun?: boolean;
}

/** How a job is shown; also for jobs that are resumed, watched or rerun. */
export interface OutputOptions {
  format: (typeof FORMATS)[number];
  quiet?: boolean;
  verbose?: boolean;
  syslog?: boolean;
}

/** How an agent is reached. */
export function addConnectionOptions(command: Command): void {
  inGroup(command, OPTION_GROUPS.places, () =>
    command
      .option('--port <n>', 'port of the agents (default: 8139)', whole(1, 65_535))
      .addOption(
        choiceOption('--via <way>', "direct, nats or auto (default: the inventory's, else direct)", WAYS),
      )
      .addOption(
        new Option('--connect-timeout <time>', 'give up connecting after this long')
          .argParser(durationOf(1, 86_400_000))
          .default(10_000, '10s'),
      ),
  );
}

export function addOutputOptions(command: Command): void {
  inGroup(command, OPTION_GROUPS.output, () =>
    command
      .addOption(
        choiceOption(
          '--format <format>',
          'human, json (at the end) or jsonl (as it happens)',
          FORMATS,
        ).default('human'),
      )
      .option('-q, --quiet', 'print only when something is wrong (for cron)')
      .option('-v, --verbose', "print Puppet's log lines as they come")
      .option('--syslog', 'log a line for the job and for each host to the journal'),
  );
  helpIn(command, OPTION_GROUPS.output);
}

export function addRunOptions(command: Command): void {
  inGroup(command, OPTION_GROUPS.action, () => addActionOptions(command));
  inGroup(command, OPTION_GROUPS.rollout, () => addRolloutOptions(command));
  inGroup(command, OPTION_GROUPS.waiting, () => addWaitingOptions(command));
  inGroup(command, OPTION_GROUPS.output, () => addExitOptions(command));
  addOutputOptions(command);
  addConnectionOptions(command);
  // Habits from puppet kick and MCollective.
  for (const option of [
    new Option('--tag <name>').argParser(list),
    new Option('--parallel <n>').argParser(whole(1, 10_000)),
    new Option('--foreground'),
    new Option('--force'),
  ]) {
    command.addOption(option.hideHelp());
  }
}

function addActionOptions(command: Command): void {
  command
    .option('--noop', 'change nothing, report what would change')
    .option('--no-noop', "apply, even where a host's puppet.conf says noop")
    .addOption(new Option('--tags <list>', 'only resources with these tags').argParser(list))
    .addOption(new Option('--skip-tags <list>', 'skip resources with these tags').argParser(list))
    .option('--environment <name>', 'use this environment, or fail')
    .option('--use-cached-catalog', 'apply the catalog cached on the host')
    .option('--usecacheonfailure', 'apply the cached catalog if no new one is available')
    .option('--ignoreschedules', "ignore Puppet's schedules")
    .option('--debug', "log Puppet's debug messages")
    .option('--show-diff', 'show how the contents of files change')
    .option('--expect-version <text>', "another configuration_version or code_id counts as 'stale'")
    .option('--reason <text>', "why, for the hosts' logs");
}

function addRolloutOptions(command: Command): void {
  const sizes = (value: string, before: Share[] = []) => [...before, share(1)(value)];
  command
    .option('--concurrency <n>', 'runs at once, not counting hosts that wait (default: 25)', whole(1, 10_000))
    .option('--canary <n>', 'start with N hosts, which must all succeed', whole(1, 10_000))
    .addOption(
      new Option('--batch <n>', 'N or N% of the hosts at a time; repeat it for stages').argParser(sizes),
    )
    .option('--pause <time>', 'wait this long between batches', duration)
    .option('--confirm', 'ask between batches')
    .option('--max-failures <n>', 'start no more hosts once more than N or N% have failed', share(0))
    .option('--max-unreachable <n>', 'start no more once more than N or N% are unreachable', share(0))
    .option('--retry <n>', 'try unreachable hosts N more times, while others go on', whole(0, 1000))
    .option('--deadline <time>', 'keep trying unreachable hosts for this long', duration)
    .option('--emergency', 'ignore locks, retry for an hour (--deadline); needs --reason')
    .option('-y, --yes', 'do not ask for confirmation')
    .option('--dry-run', 'send nothing; show what each host would be sent, and the batches');
}

function addWaitingOptions(command: Command): void {
  command
    .addOption(
      choiceOption('--if-running <what>', 'wait for a run in progress, or skip the host', IF_RUNNING).default(
        'wait',
      ),
    )
    .option(
      '--wait <time>',
      'how long a host may wait for a run in progress (default: 10m)',
      durationOf(0, MAX_WAIT_S * 1000),
    )
    .option(
      '--run-timeout <time>',
      'the agent ends a run after this long',
      durationOf(1000, MAX_WAIT_S * 1000),
    )
    .option('--timeout <time>', 'stop watching after this long; runs go on', durationOf(1))
    .addOption(
      new Option('--lost-after <time>', 'give up on a host after this long without contact')
        .argParser(durationOf(1))
        .default(600_000, '10m'),
    )
    .option('--detach', 'do not wait for runs to end (kick jobs resume does)')
    .option('--lock <name>', 'exit with 75 while another kick holds this lock')
    .option('--lock-wait <time>', 'wait this long for the lock', duration);
}

function addExitOptions(command: Command): void {
  command
    .addOption(
      new Option(
        '--accept <outcomes>',
        'show these outcomes, but do not count them in the exit code',
      ).argParser(list),
    )
    .option('--success <percent>', 'exit with 0 if at least this share did as asked', percent);
}

function percent(value: string): number {
  return whole(0, 100)(value.replace(/%$/, ''));
}

/** Throws `KickError` `usage`. */
export function checkFormat(format: string): void {
  if (FORMATS.some((one) => one === format)) return;
  throw new KickError('usage', `--format: "${format}" is not known`, {
    hint: `one of ${FORMATS.join(', ')}`,
  });
}
