/** `kick [run] HOST…`: puts the job, the transport and the reporter together. */
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Job } from '../controller/job.ts';
import { runJob } from '../controller/run-job.ts';
import { KickError } from '../errors.ts';
import type { Identity } from '../pki/identity.ts';
import { EXIT, exitCodeOf } from '../protocol/outcome.ts';
import type { Reporter } from '../report/reporter.ts';
import { systemClock } from '../util/clock.ts';
import { type HeldLock, holdLock } from '../util/lock-file.ts';
import { uuidv7 } from '../util/uuid.ts';
import { addFolderOptions, foldersOf } from './folders.ts';
import { addHostOptions, type HostOptions } from './host-options.ts';
import { prepareHosts } from './hosts.ts';
import type { CommandContext } from './program.ts';
import { actionOf, addRunOptions, FORMATS, queueOf, type RunOptions } from './run-options.ts';
import { whoAsks } from './who.ts';

const EXAMPLES = `
Examples:
  kick web1.example.com web2.example.com
  kick web1 --noop --verbose                 what would change, with Puppet's log
  kick web1 --tags ntp,ssh --environment test
  kick --nodes-file - --format json < nodes  for scripts
  kick --nodes-file /etc/kick/all --quiet --lock nightly    from cron
`;

/** SIGINT, for the exit status. */
const SIGINT = 2;

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
  const action = actionOf(options);
  const queue = queueOf(options);
  checkFormat(options.format);
  checkReason(options.reason);
  const hosts = await prepareHosts(words, options, command, context);
  const { targets, config } = hosts;
  const identity = await hosts.identity();
  warnOf(identity, terminal.err, await isTrustedByDefault(identity));
  const lock = await takeLock(options, foldersOf(command, env).stateDir, terminal.err);
  const interrupt = interruptible(terminal.err);
  const reporter = await reporterFor(options, context);
  const { httpsSender } = await import('../transport/https/client.ts');
  const sender = httpsSender({ identity, connectTimeoutMs: options.connectTimeout });
  const now = systemClock.now();
  const job: Job = {
    ...{ id: uuidv7(now), controller: identity.certname, by: whoAsks(env, options.reason), action, targets },
    concurrency: options.concurrency ?? options.parallel ?? config.concurrency,
    ...(queue !== undefined && { queue }),
  };
  try {
    const { results, stopped } = await runJob(job, {
      ...{ sender, identity, clock: systemClock, signal: interrupt.signal, lostAfterMs: options.lostAfter },
      emit: (event) => reporter.on(event),
      detach: options.detach === true,
      ...(options.timeout !== undefined && { timeoutMs: options.timeout }),
    });
    if (stopped === 'interrupted') return EXIT.signal + SIGINT;
    const outcomes = results.map(({ outcome }) => outcome);
    // Who did not want to wait has got what was asked for.
    return exitCodeOf(options.detach === true ? outcomes.filter((one) => one !== 'unfinished') : outcomes);
  } finally {
    reporter.close();
    interrupt.release();
    sender.close();
    await lock?.release();
  }
}

function checkFormat(format: string): void {
  if (FORMATS.some((one) => one === format)) return;
  throw new KickError('usage', `--format: "${format}" is not known`, {
    hint: `one of ${FORMATS.join(', ')}`,
  });
}

function checkReason(reason = ''): void {
  if (reason.length > 500) throw new KickError('usage', '--reason: longer than 500 characters');
}

async function isTrustedByDefault(identity: Identity): Promise<boolean> {
  const { isPuppetAdministrator } = await import('../pki/der.ts');
  const [leaf] = identity.chain;
  return leaf !== undefined && isPuppetAdministrator(leaf.raw);
}

function warnOf({ warnings, certname }: Identity, err: (text: string) => void, isTrusted: boolean): void {
  for (const warning of warnings) err(`warning: ${warning}\n`);
  if (isTrusted) return;
  err(
    `warning: agents do not trust ${certname} by default (its certificate has no pp_cli_auth)\n` +
      `hint: on every node, /etc/kick/agent.yaml:  controllers: [${certname}]\n`,
  );
}

async function takeLock(
  { lock, lockWait = 0 }: RunOptions,
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

/** Ctrl-C once: start no more, leave what runs. Twice: at once. */
function interruptible(err: (text: string) => void): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.signal + SIGINT);
    err('\nInterrupted: no more hosts are started, Puppet goes on where it runs. Again: leave at once.\n');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  return { signal: controller.signal, release: () => void process.off('SIGINT', onSignal) };
}

async function reporterFor(options: RunOptions, { terminal }: CommandContext): Promise<Reporter> {
  const { format, quiet = false, verbose = false, lock } = options;
  if (format !== 'human') {
    const { jsonReporter, jsonlReporter } = await import('../report/json.ts');
    return format === 'json' ? jsonReporter(terminal) : jsonlReporter(terminal);
  }
  if (quiet) {
    const { quietReporter } = await import('../report/quiet.ts');
    return quietReporter({ ...terminal, name: lock });
  }
  const { humanReporter } = await import('../report/human.ts');
  return humanReporter({ ...terminal, verbose, now: () => systemClock.now() });
}
