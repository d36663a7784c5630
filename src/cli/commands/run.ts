/** `kick [run] HOST…`: from the command line to a job. */
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Job, Rollout } from '../../controller/jobs/job.ts';
import type { JobSettings } from '../../controller/jobs/stored-job.ts';
import { outcomesOf } from '../../controller/jobs/verdict.ts';
import { groupBoundsOf } from '../../controller/targeting/selection.ts';
import { KickError, messageOf } from '../../errors.ts';
import type { Identity } from '../../pki/identity.ts';
import { isHostName } from '../../protocol/names.ts';
import { EXIT } from '../../protocol/outcome.ts';
import { dryRunText } from '../../report/dry-run.ts';
import { systemClock } from '../../util/clock.ts';
import { type HeldLock, holdLock, isFull, lockHolder } from '../../util/lock-file.ts';
import { uuidv7 } from '../../util/uuid.ts';
import { isMeantFor, jobWords } from '../confirm.ts';
import type { CommandContext } from '../context.ts';
import { addFolderOptions, foldersOf } from '../options/folders.ts';
import { addHostOptions, type HostOptions } from '../options/host-options.ts';
import {
  actionOf,
  addRunOptions,
  checkFormat,
  queueOf,
  type RunOptions,
  rolloutOf,
} from '../options/run-options.ts';
import { canAsk } from '../terminal.ts';
import { version } from '../version.ts';
import { whoAsks } from '../who.ts';
import { executeJob, outputOf } from './execute-job.ts';
import { type Hosts, prepareHosts } from './hosts.ts';

const EXAMPLES = `
Examples:
  kick web1.example.com web2.example.com
  kick web1 --noop --verbose                 what would change, with Puppet's log
  kick 'web[01-40]' --tags ntp,ssh --environment test
  kick @dmz --exclude web07 --dry-run        who would be sent what, in which batches
  kick --all --canary 1 --batch 10% --batch 50% --pause 2m --max-failures 2
  kick --fact os.family=Debian --class apache --limit 10%
  kick --nodes-file - --format json < nodes  for scripts
  kick --all --quiet --lock nightly --accept unreachable,disabled    from cron
  kick --all --emergency --reason 'CVE-2026-1234'

'kick nodes --help' tells how hosts are chosen. What became of a job: kick jobs show last;
once more for those that did not go well: kick rerun last.
`;

export function addRunCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('run', { isDefault: true })
    .description('run Puppet on hosts now, wait, and say how it ended (the default command)')
    .addHelpText('after', EXAMPLES);
  addHostOptions(command);
  addRunOptions(command);
  addFolderOptions(command);
  command.action(async (words: string[], options: RunOptions & HostOptions) => {
    context.exit(await run(words, options, command, context));
  });
}

async function run(
  words: readonly string[],
  options: RunOptions & HostOptions,
  command: Command,
  context: CommandContext,
): Promise<number> {
  const { terminal, env } = context;
  checkFormat(options.format);
  checkReason(options);
  const plan = { action: actionOf(options), queue: queueOf(options), rollout: rolloutOf(options) };
  const accept = outcomesOf(options.accept ?? [], '--accept');
  if (options.confirm === true && !canAsk()) {
    throw new KickError('usage', '--confirm: there is no terminal on which to ask', {
      hint: '--pause 5m waits',
    });
  }
  const hosts = await prepareHosts(words, options, command, context);
  const identity = await hosts.identity();
  const job = await jobOf(plan, { options, hosts, identity, context });
  if (options.dryRun === true) {
    terminal.out(dryRunText(job, options.format === 'human' ? 'human' : 'json'));
    return 0;
  }
  warnOf(identity, terminal.err, await isTrustedByDefault(identity));
  const what = jobWords(job.action);
  const asked = { yes: options.yes, config: hosts.config, what, err: terminal.err };
  if (!(await isMeantFor(job.targets, asked))) return EXIT.usage;
  const { stateDir } = foldersOf(command, env);
  const lock = await takeLock(options, stateDir, terminal.err);
  try {
    const isWhole = hosts.unanswered.length === 0 || accept.includes('unreachable');
    return await executeJob({
      ...{ job, identity, stateDir, context },
      settings: { ...settingsOf(options, accept), ...(!isWhole && { partial: true }) },
      output: outputOf(options, hosts.config),
    });
  } finally {
    await lock?.release();
  }
}

function checkReason({ reason = '', emergency }: RunOptions): void {
  if (reason.length > 500) throw new KickError('usage', '--reason: longer than 500 characters');
  if (emergency === true && reason.trim() === '') {
    throw new KickError('usage', '--emergency: it needs a reason', { hint: "--reason 'CVE-2026-1234'" });
  }
}

interface Plan {
  action: Job['action'];
  queue: Job['queue'] | undefined;
  rollout: Rollout;
}

interface JobParts {
  options: RunOptions & HostOptions;
  hosts: Hosts;
  identity: Identity;
  context: CommandContext;
}

async function jobOf(
  { action, queue, rollout }: Plan,
  { options, hosts, identity, context }: JobParts,
): Promise<Job> {
  const { targets, config, maintenance } = hosts;
  const groups = await groupBoundsOf(hosts.inventory, targets, hosts.membersOf);
  const all = { ...rollout, ...(groups.length > 0 && { groups }) };
  return {
    ...{ id: uuidv7(systemClock.now()), controller: identity.certname, action, targets },
    by: whoAsks(context.env, options.reason),
    concurrency: options.concurrency ?? options.parallel ?? config.concurrency,
    ...(queue !== undefined && { queue }),
    ...(Object.keys(all).length > 0 && { rollout: all }),
    ...(options.lock !== undefined && { name: options.lock }),
    ...(maintenance.length > 0 && { maintenance }),
  };
}

function settingsOf(options: RunOptions, accept: readonly string[]): JobSettings {
  const { lostAfter, connectTimeout, timeout, detach, success } = options;
  return {
    ...{ lostAfterMs: lostAfter, connectTimeoutMs: connectTimeout, accept, version: version() },
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(detach === true && { detach }),
    ...(success !== undefined && { success }),
  };
}

async function isTrustedByDefault(identity: Identity): Promise<boolean> {
  const { isPuppetAdministrator } = await import('../../pki/der.ts');
  const [leaf] = identity.chain;
  return leaf !== undefined && isPuppetAdministrator(leaf.raw);
}

function warnOf({ warnings, certname }: Identity, err: (text: string) => void, isTrusted: boolean): void {
  for (const warning of warnings) err(`warning: ${warning}\n`);
  if (isTrusted) return;
  err(
    `warning: agents do not trust ${certname} by default (its certificate has no pp_cli_auth)\n` +
      `hint: on every node, /etc/kick/agent.yaml:  controllers: [${isHostName(certname) ? certname : JSON.stringify(certname)}]\n`,
  );
}

async function takeLock(
  { lock, lockWait = 0, emergency }: RunOptions,
  stateDir: string,
  err: (text: string) => void,
): Promise<HeldLock | undefined> {
  if (lock === undefined) {
    if (lockWait > 0) throw new KickError('usage', '--lock-wait: there is no --lock to wait for');
    return undefined;
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(lock)) {
    throw new KickError('usage', `--lock: "${lock}" is not a name (letters, digits, "_", "." and "-")`);
  }
  const path = join(stateDir, 'locks', lock);
  // DESIGN 4: an emergency takes no lock.
  if (emergency === true) {
    const holder = await lockHolder(path, systemClock);
    if (holder !== undefined) err(`past the lock "${lock}", which is held by ${holder}\n`);
    return undefined;
  }
  try {
    return await holdOrWait(path, { lock, lockWait, err });
  } catch (error) {
    if (!isFull(error instanceof KickError ? error.cause : error)) throw error;
    // As with the memory of a job: the hosts run rather than not; what overlaps waits on each host.
    err(`warning: ${messageOf(error)}: the hosts run without it\n`);
    return undefined;
  }
}

interface LockWish {
  lock: string;
  lockWait: number;
  err: (text: string) => void;
}

async function holdOrWait(path: string, { lock, lockWait, err }: LockWish): Promise<HeldLock> {
  const common = { clock: systemClock, waitMs: lockWait };
  if (lockWait === 0) return holdLock(path, { ...common, label: `lock "${lock}"` });
  // At most one waiter a name: who comes third is told which waiter covers it (DESIGN 4).
  const place = await holdLock(`${path}.waiting`, {
    clock: systemClock,
    label: `place of the one who waits for the lock "${lock}"`,
  });
  try {
    return await holdLock(path, {
      ...common,
      label: `lock "${lock}"`,
      onWaiting: (holder) => err(`waiting for the lock "${lock}", which is held by ${holder}\n`),
    });
  } finally {
    await place.release();
  }
}
