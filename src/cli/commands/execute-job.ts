/** A job from its first host to its exit code: new, resumed, or run again. */
import { watch } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import type { ControllerConfig } from '../../config/controller-config.ts';
import type { HostResult, Job, JobEvent } from '../../controller/jobs/job.ts';
import { JOB_BOUNDS } from '../../controller/jobs/job-index.ts';
import { type JobStore, ORDER_FILE, openJobStore } from '../../controller/jobs/job-store.ts';
import type { Lease } from '../../controller/jobs/lease.ts';
import { policyOf } from '../../controller/jobs/read-job.ts';
import type { Recorder } from '../../controller/jobs/recorder.ts';
import type { Before, JobSettings } from '../../controller/jobs/stored-job.ts';
import { judgeJob } from '../../controller/jobs/verdict.ts';
import { runJob } from '../../controller/rollout/run-job.ts';
import { KickError, messageOf } from '../../errors.ts';
import type { Identity } from '../../pki/identity.ts';
import { EXIT } from '../../protocol/outcome.ts';
import type { Judge, Reporter } from '../../report/reporter.ts';
import { systemClock } from '../../util/clock.ts';
import { shortId } from '../../util/uuid.ts';
import type { CommandContext } from '../context.ts';
import { checkFormat, type OutputOptions } from '../options/run-options.ts';
import { askOnTerminal } from '../terminal.ts';

export interface Execution {
  job: Job;
  settings: JobSettings;
  identity: Identity;
  stateDir: string;
  output: OutputChoice;
  context: CommandContext;
  /** A job that goes on: the right to run it, and what an earlier controller had seen. */
  resumed?: { lease: Lease; before: Before };
}

/** How it is shown. */
export interface OutputChoice extends Pick<OutputOptions, 'format' | 'quiet' | 'verbose'> {
  /** The program that takes lines for the system's log. */
  logger?: readonly string[];
  /** For node_exporter. */
  metricsFile?: string;
}

/** The flags, and what controller.yaml says of the system's log and of metrics. */
export function outputOf(
  options: OutputOptions,
  { syslog: configured, metrics_file: metricsFile }: ControllerConfig,
): OutputChoice {
  const { format, quiet = false, verbose = false, syslog = false } = options;
  const isWanted = syslog || configured !== false;
  return {
    ...{ format, quiet, verbose },
    ...(isWanted && { logger: typeof configured === 'boolean' ? LOGGER : configured }),
    ...(metricsFile !== undefined && { metricsFile }),
  };
}

/** Takes lines with their priority in front (`<6>…`, RFC 5424 6.2.1) on its stdin. */
const LOGGER: readonly string[] = ['/usr/bin/logger', '--tag', 'kick', '--prio-prefix'];

/** Milliseconds between looks for an order, where no event of the file system tells of it. */
const LOOK_MS = 1000;

/** Hosts above which a job spends a little more CPU for a bounded memory. */
const MANY_HOSTS = 1000;

/** Resolves to the exit status. */
export async function executeJob(execution: Execution): Promise<number> {
  const { job, settings, identity, stateDir, output, context, resumed } = execution;
  const { terminal } = context;
  if (job.targets.length > MANY_HOSTS) collectSooner();
  checkFormat(output.format);
  const policy = policyOf(settings);
  const judge: Judge = (results, stopped) => judgeJob(results, policy, stopped);
  const store = openJobStore(stateDir, systemClock);
  const trouble = (why: string) =>
    terminal.err(`warning: job ${shortId(job.id)} is not remembered, its hosts run all the same: ${why}\n`);
  const { lease, recorder } = await openRecorder(store, execution, trouble);
  const interrupt = interruptible(terminal.err);
  const orders = watchOrders(store, job.id);
  const reporters = await reportersFor(execution, judge);
  const { httpsSender } = await import('../../transport/https/client/client.ts');
  const sender = httpsSender({ identity, connectTimeoutMs: settings.connectTimeoutMs });
  const report = (event: JobEvent) => {
    for (const reporter of reporters) reporter.on(event);
  };
  const emit = (event: JobEvent) => {
    // Written first: what people have seen must be there after a kill -9.
    if (recorder === undefined) report(event);
    else recorder.on(event, () => report(event));
  };
  const startedAt = systemClock.now();
  let exit: number | undefined;
  let ended: readonly HostResult[] = [];
  try {
    const { results, stopped } = await runJob(job, {
      ...{ sender, identity, clock: systemClock, emit, lostAfterMs: settings.lostAfterMs },
      signal: AbortSignal.any([interrupt.signal, ...(lease === undefined ? [] : [lease.lost])]),
      ...{ stop: orders.stop, cancel: orders.cancel },
      detach: settings.detach === true,
      confirm: (question, signal) => askOnTerminal(question, signal),
      ...(settings.timeoutMs !== undefined && { timeoutMs: settings.timeoutMs }),
      ...(resumed !== undefined && { before: resumed.before }),
      ...(recorder !== undefined && { log: recorder }),
      ...(lease !== undefined && { lease }),
    });
    if (lease?.lost.aborted === true) throw lostLease(job, store);
    ended = results;
    exit = judge(results, stopped).exit;
    return exit;
  } finally {
    await recorder?.written();
    for (const reporter of reporters) reporter.close();
    orders.close();
    interrupt.release();
    sender.close();
    await recorder?.close(exit === undefined ? undefined : { exit });
    lease?.release();
    await pruneJobs(store, job.id);
    if (exit !== undefined) await noteMetrics(execution, { results: ended, startedAt, exit });
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

async function noteMetrics(
  { job, identity, stateDir, output, context }: Execution,
  end: { results: readonly HostResult[]; startedAt: number; exit: number },
): Promise<void> {
  const { metricsFile: file } = output;
  if (file === undefined) return;
  const { noteJob } = await import('../../controller/job-metrics.ts');
  const warn = (text: string) => context.terminal.err(`warning: ${text}\n`);
  await noteJob({ job, identity, ...end }, { file, stateDir, clock: systemClock, warn });
}

/** Where the store cannot be used the hosts run all the same. */
async function openRecorder(
  store: JobStore,
  { job, settings, resumed }: Execution,
  onTrouble: (why: string) => void,
): Promise<{ lease?: Lease; recorder?: Recorder }> {
  let lease = resumed?.lease;
  try {
    lease ??= await store.create(job, settings);
    return { lease, recorder: await store.recorder(job.id, { lease, onTrouble, known: resumed?.before }) };
  } catch (error) {
    onTrouble(messageOf(error));
    return lease === undefined ? {} : { lease };
  }
}

function lostLease({ id }: Job, store: JobStore): KickError {
  const pid = store.holderOf(id)?.pid;
  const who = pid === undefined ? 'another controller' : `pid ${pid}`;
  return new KickError(
    'state',
    `run the job ${shortId(id)}: it lost its lease to ${who}, which goes on with it`,
    {
      hint: `kick jobs watch ${shortId(id)}`,
    },
  );
}

/** What is too old or too much goes; not what runs. That it could not be done is no reason to fail. */
async function pruneJobs(store: JobStore, own: string): Promise<void> {
  const isKept = async (id: string) => id === own || store.holderOf(id) !== undefined;
  await store.index.prune(JOB_BOUNDS, systemClock.now(), isKept).catch(() => undefined);
}

/** Ctrl-C once: start no more, leave what runs. Twice: at once. */
function interruptible(err: (text: string) => void): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    err('\nInterrupted: no more hosts are started, Puppet goes on where it runs. Again: leave at once.\n');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  return { signal: controller.signal, release: () => void process.off('SIGINT', onSignal) };
}

interface Orders {
  stop: AbortSignal;
  cancel: AbortSignal;
  close(): void;
}

/** `kick jobs stop` writes its order into the job's folder. */
function watchOrders(store: JobStore, id: string): Orders {
  const [stop, cancel] = [new AbortController(), new AbortController()];
  const look = async () => {
    const order = await store.ordered(id);
    if (order === undefined) return;
    if (order.cancel) cancel.abort();
    else stop.abort();
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  let watcher: ReturnType<typeof watch> | undefined;
  try {
    // The job's own log grows in this folder, too: each of its writes comes by here.
    watcher = watch(store.folderOf(id), { persistent: false }, (_what, name) => {
      if (name === ORDER_FILE) void look();
    });
    watcher.on('error', () => watcher?.close());
  } catch {
    // the timer is enough
  }
  return {
    stop: stop.signal,
    cancel: cancel.signal,
    close() {
      clearInterval(timer);
      watcher?.close();
    },
  };
}

async function reportersFor({ output, context, job }: Execution, judge: Judge): Promise<Reporter[]> {
  const reporters = [await reporterFor({ output, context, name: job.name, judge })];
  if (output.logger !== undefined) {
    const { syslogReporter } = await import('../../report/syslog.ts');
    reporters.push(await syslogReporter({ argv: output.logger, judge }));
  }
  return reporters;
}

export interface ReporterChoice {
  output: Pick<OutputOptions, 'format' | 'quiet' | 'verbose'>;
  context: CommandContext;
  /** What the job is called. */
  name: string | undefined;
  judge: Judge;
}

/** The one that people or scripts see. */
export async function reporterFor({ output, context, name, judge }: ReporterChoice): Promise<Reporter> {
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
