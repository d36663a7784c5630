/** The parts of an agent behind its answers: folders, stores, counters, the queue. */
import type { Holder } from '../protocol/event.ts';
import { openQuarantine, type Quarantine, type QuarantineLimits } from '../util/quarantine.ts';
import { type Audit, createAudit } from './admission/audit.ts';
import type { CommandsDeps } from './commands.ts';
import { createDisabling, type Disabling } from './disabling.ts';
import { type Layout, prepareFolders } from './layout.ts';
import { type Metrics, openMetrics } from './metrics/metrics.ts';
import type { AgentOptions } from './options.ts';
import { createQueue, type Queue } from './queue/queue.ts';
import type { QueueDeps } from './queue/queue-deps.ts';
import { createCommandMarks } from './requests/command-marks.ts';
import { createNotifier } from './requests/notifier.ts';
import { createRequestLog, type RequestLog } from './requests/request-log.ts';
import { openRequestStore, type RequestStore } from './requests/request-store.ts';
import { openStoreMarker } from './requests/store-marker.ts';
import type { Runner } from './runners/runner.ts';
import { keeperOf } from './runs/run-lock.ts';
import { PROCESS_STEPS } from './runs/run-steps.ts';
import { openRunStore } from './runs/run-store.ts';
import { notingPushes } from './schedule/pushed-note.ts';
import { createStanding, type Standing } from './standing.ts';

/** Milliseconds; agent.yaml, stuck_after. */
const STUCK_AFTER_MS = 15 * 60_000;

/** The run folder is in memory. */
const QUARANTINE_LIMITS: Record<'state' | 'run', QuarantineLimits> = {
  state: { entries: 100, bytes: 64 << 20, fileBytes: 4 << 20 },
  run: { entries: 20, bytes: 4 << 20, fileBytes: 1 << 20 },
};

export interface Parts {
  layout: Layout;
  /** For damaged files in the run folder, and in the state directory. */
  quarantines: { live: Quarantine; settled: Quarantine };
  requests: RequestStore;
  requestLog: RequestLog;
  standing: Standing;
  runner: Runner;
  metrics: Metrics;
  audit: Audit;
  disabling: Disabling;
  marks: CommandsDeps['marks'];
  queue: Queue;
  /** Also needed to settle the runs of an earlier agent. */
  queueDeps: QueueDeps;
  keeper(): Holder | undefined;
}

/** Throws `KickError` `state`. */
export async function openParts(options: AgentOptions): Promise<Parts> {
  const { stateDir, runDir, runner, policy, version, clock, log } = options;
  const layout = await prepareFolders(stateDir, runDir);
  const quarantines = openQuarantines(options);
  const quarantine = quarantines.settled;
  const notBefore = await openStoreMarker(layout.storeMarker, { clock, log, quarantine });
  const standing = createStanding({ policy, clock, version, notBefore });
  const requests = openRequestStore(layout.requests, {
    ...{ log, clock, quarantine },
    inMemory: (name) => queue.find(name),
    async leftOf(name) {
      const end = await requestLog.finished(name);
      return end?.type === 'finished' ? end.outcome : undefined;
    },
  });
  const runs = openRunStore(layout.liveRuns, layout.runs, { log, quarantines });
  const notifier = createNotifier();
  const requestLog = createRequestLog({ requests, runs, notifier, clock });
  const { metricsFile: file } = options;
  const metrics = await openMetrics({ file, keptIn: layout.metrics, version, clock, log, quarantine });
  const audit = createAudit({ log, metrics, clock, standing });
  const disabling = createDisabling({ lockPath: () => runner.disabledLock(), clock, log });
  const commandMarks = createCommandMarks(layout.commands, { quarantine });
  const marks = () => (standing.verify === undefined ? undefined : commandMarks);
  const keeper = () => keeperOf(layout.runLock, { runsPuppet: runner.name !== 'command' });
  const queueDeps: QueueDeps = {
    runs,
    requestLog,
    notifier,
    runner: notingPushes(runner, () => standing.pull),
    clock,
    log,
    keeper,
    enabledSince: disabling.enabledSince,
    onOutcome: audit.outcome,
    runLock: layout.runLock,
    killGraceMs: options.killGraceMs,
    steps: options.steps ?? PROCESS_STEPS,
    stuckAfterMs: options.stuckAfterMs ?? STUCK_AFTER_MS,
    ...(options.gateMs !== undefined && { gateMs: options.gateMs }),
    ...(options.outputLimits !== undefined && { outputLimits: options.outputLimits }),
  };
  const queue: Queue = createQueue(queueDeps);
  const stores = { layout, quarantines, requests, requestLog };
  return { ...stores, standing, runner, metrics, audit, disabling, marks, queue, queueDeps, keeper };
}

/** Each on the file system of what it takes. */
function openQuarantines({ stateDir, runDir, clock, log }: AgentOptions): Parts['quarantines'] {
  return {
    settled: openQuarantine({ root: stateDir, limits: QUARANTINE_LIMITS.state, clock, log }),
    live: openQuarantine({ root: runDir, limits: QUARANTINE_LIMITS.run, clock, log }),
  };
}
