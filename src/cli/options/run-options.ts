/** The options of `kick run`, those of Puppet with Puppet's own names, and what they become in a request. */
import { type Command, Option } from 'commander';
import * as v from 'valibot';
import type { Rollout } from '../../controller/jobs/job.ts';
import { KickError } from '../../errors.ts';
import { type RunAction, RunActionSchema, type RunRequest } from '../../protocol/request.ts';
import { formatProblems, problemsOf } from '../../util/schema.ts';
import type { Share } from '../../util/share.ts';
import { choiceOption } from './option-choices.ts';
import { duration, list, share, whole } from './option-values.ts';

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

/** How a job is shown; also of a job that goes on, or runs again. */
export interface OutputOptions {
  format: (typeof FORMATS)[number];
  quiet?: boolean;
  verbose?: boolean;
  syslog?: boolean;
}

/** Milliseconds for which an emergency tries to reach hosts (DESIGN 4). */
const EMERGENCY_DEADLINE_MS = 3_600_000;

/** How an agent is reached. */
export function addConnectionOptions(command: Command): void {
  command
    .option('--port <n>', 'where agents listen (default: 8139)', whole(1, 65_535))
    .addOption(
      new Option('--connect-timeout <time>', 'how long to connect')
        .argParser(duration)
        .default(10_000, '10s'),
    );
}

export function addOutputOptions(command: Command): void {
  command
    .addOption(
      choiceOption('--format <format>', 'human, json (at the end) or jsonl (as it happens)', FORMATS).default(
        'human',
      ),
    )
    .option('-q, --quiet', 'print only when something is wrong (for cron)')
    .option('-v, --verbose', "Puppet's log lines, live")
    .option('--syslog', "a line for the job and for each host in the system's log (journald)");
}

export function addRunOptions(command: Command): void {
  command
    .option('--noop', 'change nothing, say what would change')
    .option('--no-noop', "apply, even where a host's puppet.conf says noop")
    .addOption(new Option('--tags <list>', 'only resources with these tags').argParser(list))
    .addOption(new Option('--skip-tags <list>', 'all but resources with these tags').argParser(list))
    .option('--environment <name>', 'this environment, or fail')
    .option('--use-cached-catalog', 'apply the catalog that the host has')
    .option('--usecacheonfailure', 'apply it when no new one can be had')
    .option('--ignoreschedules', "ignore Puppet's schedules")
    .option('--debug', "Puppet's debug log")
    .option('--show-diff', 'show what changes in files')
    .option('--concurrency <n>', 'runs at once; hosts that wait do not count (default: 25)', whole(1, 10_000))
    .addOption(
      choiceOption('--if-running <what>', 'wait for a run in progress, or skip the host', IF_RUNNING).default(
        'wait',
      ),
    )
    .option('--wait <time>', 'how long a host may wait for a run in progress (default: 10m)', duration)
    .option('--run-timeout <time>', 'how long a run may take, then the agent ends it', duration)
    .option('--timeout <time>', 'stop looking after this; ends nothing', duration)
    .addOption(
      new Option('--lost-after <time>', 'give a host up after no contact for')
        .argParser(duration)
        .default(600_000, '10m'),
    )
    .option('--detach', 'ask and leave; do not wait for the end (kick jobs resume does)')
    .option('--reason <text>', "why, for the hosts' logs");
  addRolloutOptions(command);
  command
    .option('--lock <name>', 'run nothing (exit 75) while another kick holds NAME')
    .option('--lock-wait <time>', 'wait so long for it', duration)
    .addOption(
      new Option(
        '--accept <outcomes>',
        'show these outcomes, but do not count them in the exit code',
      ).argParser(list),
    )
    .option('--success <percent>', 'exit 0 when so many hosts did as asked', percent)
    .option('-y, --yes', 'do not ask, however many hosts there are')
    .option('--dry-run', 'send nothing; show what would be sent to whom, in which batches');
  addOutputOptions(command);
  addConnectionOptions(command);
  // What people type who come from puppet kick and MCollective.
  for (const option of [
    new Option('--tag <name>').argParser(list),
    new Option('--parallel <n>').argParser(whole(1, 10_000)),
    new Option('--foreground'),
    new Option('--force'),
  ]) {
    command.addOption(option.hideHelp());
  }
}

function addRolloutOptions(command: Command): void {
  const sizes = (value: string, before: Share[] = []) => [...before, share(1)(value)];
  command
    .option('--canary <n>', 'first so many hosts, which must all be a success', whole(1, 10_000))
    .addOption(
      new Option('--batch <n>', 'N or N% of the hosts at a time; repeat it for stages').argParser(sizes),
    )
    .option('--pause <time>', 'between batches', duration)
    .option('--confirm', 'ask between batches')
    .option('--max-failures <n>', 'start no more hosts when more than N or N% have failed', share(0))
    .option('--max-unreachable <n>', 'start no more when more than N or N% cannot be reached', share(0))
    .option('--retry <n>', 'try unreachable hosts N times more, while the others go on', whole(0, 1000))
    .option('--deadline <time>', 'try unreachable hosts again until then', duration)
    .option('--emergency', 'past every --lock, retrying for an hour (--deadline); needs --reason')
    .option('--expect-version <text>', "a catalog with another configuration_version or code_id is 'stale'");
}

function percent(value: string): number {
  return whole(0, 100)(value.replace(/%$/, ''));
}

/** The action of the requests. Throws `KickError` `usage` with all that is wrong with it. */
export function actionOf(options: RunOptions): RunAction {
  const tags = [...(options.tags ?? []), ...(options.tag ?? [])];
  const { runTimeout } = options;
  const action = {
    op: 'run',
    ...(options.noop !== undefined && { noop: options.noop }),
    ...(tags.length > 0 && { tags }),
    ...(options.skipTags !== undefined && { skipTags: options.skipTags }),
    ...(options.environment !== undefined && { environment: options.environment }),
    ...(options.useCachedCatalog === true && { useCachedCatalog: true }),
    ...(options.usecacheonfailure === true && { usecacheonfailure: true }),
    ...((options.ignoreschedules === true || options.force === true) && { ignoreschedules: true }),
    ...(options.debug === true && { debug: true }),
    ...(options.showDiff === true && { showDiff: true }),
    ...(runTimeout !== undefined && { runTimeout: Math.ceil(runTimeout / 1000) }),
  };
  const parsed = v.safeParse(RunActionSchema, action);
  if (parsed.success) return parsed.output;
  const problems = problemsOf(parsed.issues).map(({ path: [name = '', ...rest], message }) => ({
    path: [`--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, ...rest],
    message,
  }));
  throw new KickError('usage', `read the options:\n  ${formatProblems(problems).replaceAll('\n', '\n  ')}`);
}

/** How requests wait; undefined when all is as agents do by themselves. */
export function queueOf({ ifRunning, wait }: RunOptions): RunRequest['queue'] {
  if (ifRunning !== 'wait' && ifRunning !== 'skip') {
    throw new KickError('usage', `--if-running: "${String(ifRunning)}" is not known`, {
      hint: 'wait or skip',
    });
  }
  if (ifRunning === 'wait' && wait === undefined) return undefined;
  return {
    ...(ifRunning === 'skip' && { ifRunning }),
    ...(wait !== undefined && { wait: Math.ceil(wait / 1000) }),
  };
}

/** How the hosts are let go; the bounds of groups are added by who knows the inventory. */
export function rolloutOf(options: RunOptions): Rollout {
  const { canary, batch, pause, confirm, maxFailures, maxUnreachable, retry, expectVersion } = options;
  const isBatched = canary !== undefined || batch !== undefined;
  if (!isBatched && (pause !== undefined || confirm === true)) {
    throw new KickError('usage', `${confirm === true ? '--confirm' : '--pause'}: there are no batches`, {
      hint: 'say how large they are: --batch 10%',
    });
  }
  if (options.detach === true) refuseWithDetach(options);
  const deadlineMs = options.deadline ?? (options.emergency === true ? EMERGENCY_DEADLINE_MS : undefined);
  return {
    ...(canary !== undefined && { canary }),
    ...(batch !== undefined && { batches: batch }),
    ...(pause !== undefined && { pauseMs: pause }),
    ...(confirm === true && { confirm }),
    ...(maxFailures !== undefined && { maxFailures }),
    ...(maxUnreachable !== undefined && { maxUnreachable }),
    ...(retry !== undefined && { retry }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(expectVersion !== undefined && { expectVersion }),
  };
}

/** What needs the end of runs that nobody waits for. */
function refuseWithDetach({ canary, maxFailures, expectVersion }: RunOptions): void {
  const needsEnds = { '--canary': canary, '--max-failures': maxFailures, '--expect-version': expectVersion };
  for (const [option, value] of Object.entries(needsEnds)) {
    if (value === undefined) continue;
    throw new KickError('usage', `${option}: with --detach nobody looks how the runs end`, {
      hint: 'leave one of them out; --batch and --pause need no end',
    });
  }
}

/** Throws `KickError` `usage`. */
export function checkFormat(format: string): void {
  if (FORMATS.some((one) => one === format)) return;
  throw new KickError('usage', `--format: "${format}" is not known`, {
    hint: `one of ${FORMATS.join(', ')}`,
  });
}
