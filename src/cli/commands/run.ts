/** `kick [run] HOST…`: turns the command line into a job. */
import type { Command } from 'commander';
import type { LockWish } from '../../controller/job-lock.ts';
import { outcomesOf } from '../../controller/jobs/verdict.ts';
import type { JobWish } from '../../controller/plan-job.ts';
import { KickError } from '../../errors.ts';
import type { Identity } from '../../pki/identity.ts';
import { isHostName } from '../../protocol/names.ts';
import { EXIT } from '../../protocol/outcome.ts';
import { isMeantFor, jobWords } from '../confirm.ts';
import type { CommandContext } from '../context.ts';
import { addFolderOptions } from '../options/folders.ts';
import { addHostOptions, type HostOptions } from '../options/host-options.ts';
import { addRunOptions, checkFormat, type RunOptions } from '../options/run-options.ts';
import { actionOf, queueOf, rolloutOf } from '../options/run-request.ts';
import { canAsk } from '../terminal.ts';
import { whoAsks } from '../who.ts';
import { prepareHosts } from './hosts.ts';
import { outputOf, reportJob } from './report-job.ts';

const EXAMPLES = `
Examples:
  kick web1.example.com web2.example.com
  kick web1 --noop --verbose              what would change, with Puppet's log
  kick 'web[01-40]' --tags ntp,ssh --environment test
  kick @dmz --exclude web07 --dry-run     which hosts, in which batches
  kick --all --canary 1 --batch 10% --batch 50% --pause 2m --max-failures 2
  kick --fact os.family=Debian --class apache --limit 10%
  kick --discover --class apache          whoever answers through NATS
  kick --nodes-file - --format json < nodes.txt
  kick --all --quiet --lock nightly --accept unreachable,disabled
  kick --all --emergency --reason 'CVE-2026-1234'

More: kick help hosts, rollout, outcomes, exit-codes, cron.
Afterwards: kick jobs show last; kick rerun last runs it again where it did not
succeed.
`;

export function addRunCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('run', { isDefault: true })
    .description('run Puppet on hosts now, wait, and report how it ended (the default)')
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
  const { terminal } = context;
  checkFormat(options.format);
  checkReason(options);
  const asked = { action: actionOf(options), queue: queueOf(options), rollout: rolloutOf(options) };
  const accept = outcomesOf(options.accept ?? [], '--accept');
  if (options.confirm === true && !canAsk()) {
    throw new KickError('usage', '--confirm: there is no terminal on which to ask', {
      hint: '--pause 5m waits',
    });
  }
  const hosts = await prepareHosts(words, options, command, context);
  const { controller } = hosts;
  const plan = await controller.plan(hosts, {
    ...asked,
    by: whoAsks(context.env, options.reason),
    concurrency: options.concurrency ?? options.parallel,
    name: options.lock,
    settings: settingsOf(options, accept),
  });
  if (options.dryRun === true) {
    const { showPlan } = await import('./dry-run.ts');
    showPlan(terminal, plan.job, options);
    return 0;
  }
  await warnOf(await controller.identity(), terminal.err);
  warnOfCanary(options.canary, hosts.targets.length, terminal.err);
  const what = jobWords(plan.job.action);
  if (!(await isMeantFor(hosts.targets, { yes: options.yes, config: hosts.config, what, err: terminal.err })))
    return EXIT.usage;
  const lock = lockOf(options);
  return reportJob({ output: outputOf(options, hosts.config), context }, async (shown) => {
    await shown.onStart(plan);
    return controller.run(plan, { ...shown, lock });
  });
}

function checkReason({ reason = '', emergency }: RunOptions): void {
  if (reason.length > 500) throw new KickError('usage', '--reason: longer than 500 characters');
  if (emergency === true && reason.trim() === '') {
    throw new KickError('usage', '--emergency: it needs a reason', { hint: "--reason 'CVE-2026-1234'" });
  }
}

function settingsOf(options: RunOptions, accept: readonly string[]): JobWish['settings'] {
  const { lostAfter, connectTimeout, timeout, detach, success } = options;
  return {
    lostAfterMs: lostAfter,
    connectTimeoutMs: connectTimeout,
    accept,
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

async function warnOf(identity: Identity, err: (text: string) => void): Promise<void> {
  const { warnings, certname } = identity;
  for (const warning of warnings) err(`warning: ${warning}\n`);
  if (await isTrustedByDefault(identity)) return;
  err(
    `warning: agents do not trust ${certname} by default (its certificate has no pp_cli_auth)\n` +
      `hint: on every node, /etc/kick/agent.yaml:  controllers: [${isHostName(certname) ? certname : JSON.stringify(certname)}]\n`,
  );
}

/** A canary is to tell before the others start. */
function warnOfCanary(canary: number | undefined, count: number, err: (text: string) => void): void {
  if (canary === undefined || canary < count || count < 2) return;
  err(`warning: --canary ${canary}: there are only ${count} hosts, and all of them start at once\n`);
}

function lockOf({ lock: name, lockWait: waitMs, emergency }: RunOptions): LockWish | undefined {
  if (name !== undefined) return { name, waitMs, isEmergency: emergency };
  if (waitMs !== undefined && waitMs > 0)
    throw new KickError('usage', '--lock-wait: there is no --lock to wait for');
  return undefined;
}
