/** Runs a job in a terminal: reporters, Ctrl-C, questions and the exit status. */
import type { ControllerConfig } from '../../config/controller-config.ts';
import type { JobEnd, RunOptions } from '../../controller/execute-job.ts';
import type { LockNotice } from '../../controller/job-lock.ts';
import type { JobSettings } from '../../controller/jobs/stored-job.ts';
import { judgeJob, verdictPolicy } from '../../controller/jobs/verdict.ts';
import type { Plan } from '../../controller/plan-job.ts';
import { KickError, messageOf } from '../../errors.ts';
import { EXIT } from '../../protocol/outcome.ts';
import { type Guard, isolated } from '../../report/isolated.ts';
import type { Judge, Reporter } from '../../report/reporter.ts';
import { systemClock } from '../../util/clock.ts';
import { safeText } from '../../util/text.ts';
import type { CommandContext } from '../context.ts';
import { checkFormat, type OutputOptions } from '../options/run-options.ts';
import { askOnTerminal } from '../terminal.ts';

/** How it is shown. */
export interface OutputChoice extends Pick<OutputOptions, 'format' | 'quiet' | 'verbose'> {
  /** The program that takes lines for the system log. */
  logger?: readonly string[];
}

/** Combines the flags with the `syslog` of controller.yaml. */
export function outputOf(options: OutputOptions, { syslog: configured }: ControllerConfig): OutputChoice {
  const { format, quiet = false, verbose = false, syslog = false } = options;
  const isWanted = syslog || configured !== false;
  const choice = { format, quiet, verbose };
  return isWanted ? { ...choice, logger: typeof configured === 'boolean' ? LOGGER : configured } : choice;
}

/** Takes lines with a priority prefix (`<6>…`, RFC 5424 6.2.1) on its stdin. */
const LOGGER: readonly string[] = ['/usr/bin/logger', '--tag', 'kick', '--prio-prefix'];

/** Number of hosts above which a job trades a little CPU for bounded memory. */
const MANY_HOSTS = 1000;

/** What a terminal contributes to a job. */
export interface InTerminal extends RunOptions {
  /** Call it once the job is known, before it starts. */
  onStart(plan: Plan): Promise<void>;
}

export interface ShownIn {
  output: OutputChoice;
  context: CommandContext;
}

/** Resolves to the exit status of the job that `work` runs. */
export async function reportJob(
  { output, context }: ShownIn,
  work: (terminal: InTerminal) => Promise<JobEnd>,
): Promise<number> {
  checkFormat(output.format);
  const reporters = new Set<Reporter>();
  const { err } = context.terminal;
  const say = (line: string) => {
    const shown = [...reporters].find((reporter) => reporter.say !== undefined);
    if (shown?.say === undefined) err(`${line}\n`);
    else shown.say(line);
  };
  const interrupt = interruptible(say);
  try {
    const { verdict } = await work({
      onStart: async (plan) => {
        if (plan.job.targets.length > MANY_HOSTS) await collectSooner();
        await openReporters({ output, context }, plan, reporters);
      },
      onEvent(event) {
        for (const reporter of reporters) reporter.on(event);
      },
      warn: (message) => say(`warning: ${message}`),
      onLock: (notice) => say(lockText(notice)),
      confirm: askOnTerminal,
      signal: interrupt.signal,
    });
    return verdict.exit;
  } catch (error) {
    // Ctrl-C while waiting for the lock: nothing has started.
    const isLocked = error instanceof KickError && error.code === 'locked';
    if (isLocked && interrupt.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    for (const reporter of reporters) await reporter.close();
    interrupt.release();
  }
}

function lockText(notice: LockNotice): string {
  switch (notice.type) {
    case 'passed':
      return `ignoring the lock "${notice.name}", held by ${notice.holder}`;
    case 'waiting':
      return `waiting for the lock "${notice.name}", held by ${notice.holder}`;
    case 'without':
      return `warning: ${notice.why}: the hosts run without it`;
  }
}

/**
 * Connections that have waited for their runs end up among V8's old objects, which are collected only when there are up to
 * four times as many as were last alive: this took 320 MB instead of 200 (docs/performance.md). This lowers the factor to
 * 1.5. V8 reads it at each collection, so it can be set while the program runs.
 */
async function collectSooner(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--heap-growing-percent=50');
}

/** Ctrl-C once: start no more hosts, leave runs in progress. Twice: exit immediately. */
function interruptible(say: (line: string) => void): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    say('Interrupted: starting no more hosts, runs in progress go on. Again: exit immediately.');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  return { signal: controller.signal, release: () => void process.off('SIGINT', onSignal) };
}

/** Adds the reporters to `reporters`; one that throws takes itself off again. */
async function openReporters(
  { output, context }: ShownIn,
  { job, settings }: Plan,
  reporters: Set<Reporter>,
): Promise<void> {
  const judge = judgeBy(settings);
  const argv = await trustedLogger(output.logger, context);
  const choice = { output, context, name: job.name, judge };
  await addTo(reporters, context, (guard) => openReporter({ ...choice, guard }));
  if (argv === undefined) return;
  const { syslogReporter } = await import('../../report/syslog.ts');
  await addTo(reporters, context, () => syslogReporter({ argv, judge }));
}

/** Throws `KickError` `untrusted` if others can change the program. */
async function trustedLogger(
  argv: readonly string[] | undefined,
  { env }: Pick<CommandContext, 'env'>,
): Promise<readonly string[] | undefined> {
  if (argv === undefined) return undefined;
  const { trustedProgram } = await import('../../util/trusted-program.ts');
  const [program = '', ...words] = argv;
  return [trustedProgram(program, { doing: `log to "${program}"`, searchPath: env['PATH'] }), ...words];
}

async function addTo(
  reporters: Set<Reporter>,
  { terminal }: CommandContext,
  open: (guard: Guard) => Reporter | Promise<Reporter>,
): Promise<void> {
  let opened: Reporter | undefined;
  let isBroken = false;
  opened = await isolated(open, (error) => {
    isBroken = true;
    if (opened !== undefined) reporters.delete(opened);
    terminal.err(`${brokenReport(error)}\n`);
  });
  if (!isBroken) reporters.add(opened);
}

/** In a line, as the report has just ended within one. */
export function brokenReport(error: unknown): string {
  return `warning: the report ends here, and the job goes on: ${safeText(messageOf(error))}`;
}

export function judgeBy(settings: JobSettings): Judge {
  const policy = verdictPolicy(settings);
  return (results, stopped) => judgeJob(results, policy, stopped);
}

export interface ReporterChoice {
  output: Pick<OutputOptions, 'format' | 'quiet' | 'verbose'>;
  context: CommandContext;
  /** The job's name. */
  name: string | undefined;
  judge: Judge;
  guard: Guard;
}

/** Opens the reporter for people or scripts. */
export async function openReporter(choice: ReporterChoice): Promise<Reporter> {
  const { output, context, name, judge, guard } = choice;
  const { terminal } = context;
  const { format, quiet = false, verbose = false } = output;
  if (format !== 'human') {
    const { jsonReporter, jsonlReporter } = await import('../../report/json.ts');
    return format === 'json' ? jsonReporter(terminal, judge) : jsonlReporter(terminal, judge);
  }
  if (quiet) {
    const { quietReporter } = await import('../../report/quiet.ts');
    return quietReporter({ ...terminal, name, judge });
  }
  const { humanReporter } = await import('../../report/human.ts');
  const options = { ...terminal, verbose, now: () => systemClock.now() };
  if (!terminal.isTty) {
    const { plainPage } = await import('../../report/page.ts');
    return humanReporter({ ...options, openPage: plainPage });
  }
  const { livePage, unheld } = await import('../../report/live-page.ts');
  const every: typeof unheld = (ms, work) => unheld(ms, guard(work));
  return redrawn(humanReporter({ ...options, openPage: livePage, every }), guard);
}

/** After Ctrl-Z and fg the shell has written to the terminal. */
function redrawn(reporter: Reporter, guard: Guard): Reporter {
  const onContinue = guard(() => reporter.redraw?.());
  process.on('SIGCONT', onContinue);
  return {
    ...reporter,
    async close() {
      process.off('SIGCONT', onContinue);
      await reporter.close();
    },
  };
}
