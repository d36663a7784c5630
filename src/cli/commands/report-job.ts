/** A job in a terminal: its reporters, Ctrl-C, questions, and the exit status. */
import { setFlagsFromString } from 'node:v8';
import type { ControllerConfig } from '../../config/controller-config.ts';
import type { JobEnd, RunOptions } from '../../controller/execute-job.ts';
import type { LockNotice } from '../../controller/job-lock.ts';
import { policyOf } from '../../controller/jobs/read-job.ts';
import type { JobSettings } from '../../controller/jobs/stored-job.ts';
import { judgeJob } from '../../controller/jobs/verdict.ts';
import type { Plan } from '../../controller/plan-job.ts';
import { KickError } from '../../errors.ts';
import { EXIT } from '../../protocol/outcome.ts';
import type { Judge, Reporter } from '../../report/reporter.ts';
import { systemClock } from '../../util/clock.ts';
import type { CommandContext } from '../context.ts';
import { checkFormat, type OutputOptions } from '../options/run-options.ts';
import { askOnTerminal, type Terminal } from '../terminal.ts';

/** How it is shown. */
export interface OutputChoice extends Pick<OutputOptions, 'format' | 'quiet' | 'verbose'> {
  /** The program that takes lines for the system's log. */
  logger?: readonly string[];
}

/** The flags, and what controller.yaml says of the system's log. */
export function outputOf(options: OutputOptions, { syslog: configured }: ControllerConfig): OutputChoice {
  const { format, quiet = false, verbose = false, syslog = false } = options;
  const isWanted = syslog || configured !== false;
  const choice = { format, quiet, verbose };
  return isWanted ? { ...choice, logger: typeof configured === 'boolean' ? LOGGER : configured } : choice;
}

/** Takes lines with their priority in front (`<6>…`, RFC 5424 6.2.1) on its stdin. */
const LOGGER: readonly string[] = ['/usr/bin/logger', '--tag', 'kick', '--prio-prefix'];

/** Hosts above which a job spends a little more CPU for a bounded memory. */
const MANY_HOSTS = 1000;

/** What a terminal adds to a job. */
export interface InTerminal extends RunOptions {
  /** The job is known, and about to begin. */
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
  const { err } = context.terminal;
  const interrupt = interruptible(err);
  let reporters: Reporter[] = [];
  try {
    const { verdict } = await work({
      onStart: async (plan) => {
        if (plan.job.targets.length > MANY_HOSTS) collectSooner();
        reporters = await openReporters({ output, context }, plan);
      },
      onEvent(event) {
        for (const reporter of reporters) reporter.on(event);
      },
      warn: (message) => err(`warning: ${message}\n`),
      onLock: (notice) => err(`${lockText(notice)}\n`),
      confirm: askOnTerminal,
      signal: interrupt.signal,
    });
    return verdict.exit;
  } catch (error) {
    // Ctrl-C while it waited for its lock: nothing was begun.
    const isLocked = error instanceof KickError && error.code === 'locked';
    if (isLocked && interrupt.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    for (const reporter of reporters) reporter.close();
    interrupt.release();
  }
}

function lockText(notice: LockNotice): string {
  switch (notice.type) {
    case 'passed':
      return `past the lock "${notice.name}", which is held by ${notice.holder}`;
    case 'waiting':
      return `waiting for the lock "${notice.name}", which is held by ${notice.holder}`;
    case 'without':
      return `warning: ${notice.why}: the hosts run without it`;
  }
}

/**
 * What is left of a connection that waited for its run lies among the old objects, which V8 collects when there are up
 * to four times as many as were alive the last time: 320 MB were seen where 200 do (docs/performance.md). From now on
 * one and a half times. Read anew at each collection, so it may be said while the program runs.
 */
function collectSooner(): void {
  setFlagsFromString('--heap-growing-percent=50');
}

/** Ctrl-C once: start no more, leave what runs. Twice: at once. */
function interruptible(err: Terminal['err']): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    err('\nInterrupted: no more hosts are started, Puppet goes on where it runs. Again: leave at once.\n');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  return { signal: controller.signal, release: () => void process.off('SIGINT', onSignal) };
}

async function openReporters({ output, context }: ShownIn, { job, settings }: Plan): Promise<Reporter[]> {
  const judge = judgeBy(settings);
  const reporters = [await openReporter({ output, context, name: job.name, judge })];
  if (output.logger !== undefined) {
    const { syslogReporter } = await import('../../report/syslog.ts');
    reporters.push(await syslogReporter({ argv: output.logger, judge }));
  }
  return reporters;
}

export function judgeBy(settings: JobSettings): Judge {
  const policy = policyOf(settings);
  return (results, stopped) => judgeJob(results, policy, stopped);
}

export interface ReporterChoice {
  output: Pick<OutputOptions, 'format' | 'quiet' | 'verbose'>;
  context: CommandContext;
  /** What the job is called. */
  name: string | undefined;
  judge: Judge;
}

/** The one that people or scripts see. */
export async function openReporter({ output, context, name, judge }: ReporterChoice): Promise<Reporter> {
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
  return humanReporter({ ...terminal, verbose, now: () => systemClock.now() });
}
