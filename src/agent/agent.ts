/** The agent as a transport sees it: admission in front, the queue behind, folders below. */
import { setMaxListeners } from 'node:events';
import { statfs } from 'node:fs/promises';
import { messageOf } from '../errors.ts';
import type { Expiry } from '../pki/expiry.ts';
import type { DoctorFacts } from '../protocol/doctor.ts';
import type { FinishedEvent, StoredEvent } from '../protocol/event.ts';
import { Refusal } from '../protocol/refusal.ts';
import { canonicalAction, describeBy, type RunAction, type RunRequest } from '../protocol/request.ts';
import type { AgentService, Peer } from '../transport/transport.ts';
import type { Clock } from '../util/clock.ts';
import { exists } from '../util/files.ts';
import type { Log } from '../util/log.ts';
import { uuidv7 } from '../util/uuid.ts';
import {
  type AdmissionContext,
  type Admitted,
  authenticate,
  authenticateReader,
  authorize,
} from './admission/admission.ts';
import type { Policy } from './admission/policy.ts';
import { createCommands } from './commands.ts';
import { createDisabling } from './disabling.ts';
import type { Verdict } from './judge/evidence.ts';
import { prepareFolders } from './layout.ts';
import { openMetrics } from './metrics/metrics.ts';
import { createQueue } from './queue/queue.ts';
import { settleAll } from './queue/settle.ts';
import { createNotifier } from './requests/notifier.ts';
import { prune } from './requests/prune.ts';
import { createRequestLog } from './requests/request-log.ts';
import { jobPrefix, openRequestStore, type RequestRecord, requestName } from './requests/request-store.ts';
import { openStoreMarker } from './requests/store-marker.ts';
import type { EndedRun, Runner } from './runners/runner.ts';
import type { OutputLimits } from './runs/output.ts';
import { keeperOf } from './runs/run-lock.ts';
import { PROCESS_STEPS, type RunSteps } from './runs/run-steps.ts';
import { openRunStore } from './runs/run-store.ts';
import { type Duty, startDuties } from './schedule/duties.ts';
import { openSchedule, type Pull, pushedNote } from './schedule/schedule.ts';
import { createStatus } from './status.ts';

/** Bytes that must be free where runs and requests are written (facts: Puppet fails by itself below). */
const MIN_FREE_BYTES = 16 << 20;

const PRUNE_EVERY_MS = 3_600_000;

/** Milliseconds between looks at the clock: it may be set, and the machine suspended. */
const LOOK_EVERY_MS = 5_000;

/** Milliseconds between writes of the metrics though nothing was counted. */
const METRICS_EVERY_MS = 60_000;

/** Milliseconds; agent.yaml, stuck_after. */
const STUCK_AFTER_MS = 15 * 60_000;

export interface AgentOptions {
  stateDir: string;
  runDir: string;
  runner: Runner;
  policy: Policy;
  /** Our version. */
  version: string;
  clock: Clock;
  log: Log;
  /** Requests that may wait at once. */
  queueSize: number;
  /** Milliseconds between TERM and KILL when a run is ended. */
  killGraceMs: number;
  outputLimits?: OutputLimits;
  /** Milliseconds without a word from a run after which it seems to be stuck; 15 minutes unless told. */
  stuckAfterMs?: number;
  /** What will go wrong on this host, for `kick doctor`. */
  doctor?(): Promise<DoctorFacts>;
  /** Milliseconds between looks at the clock; 5 s unless told. */
  lookEveryMs?: number;
  /** For node_exporter's textfile collector; absent: none. */
  metricsFile?: string | undefined;
  /** Milliseconds that a look at Puppet's settings and locks may take; defaults to 150 s. */
  gateMs?: number;
  /** How runs begin and end; as processes unless told. */
  steps?: RunSteps;
}

export interface Agent extends AgentService {
  /** Known only once the certificate is there (first boot). */
  setCertname(certname: string): void;
  setPolicy(policy: Policy): void;
  /** The runs that the agent begins by itself; undefined: none. */
  setPull(pull: Pull | undefined): void;
  /** Begins the next of them now, where there are any. Never rejects. */
  runNow(): Promise<void>;
  /** When certificate and CRLs end, for monitoring. */
  setExpiry(expiry: Expiry): void;
  /** No new requests; streams end where they can be resumed; runs go on. */
  stop(): Promise<void>;
}

/** Opens the folders and settles what was left unfinished. Throws `KickError` `state`. */
export async function openAgent(options: AgentOptions): Promise<Agent> {
  const { stateDir, runDir, runner, version, clock, log } = options;
  const layout = await prepareFolders(stateDir, runDir);
  const notBefore = await openStoreMarker(layout.storeMarker, clock);
  const requests = openRequestStore(layout.requests);
  const runs = openRunStore(layout.liveRuns, layout.runs);
  const notifier = createNotifier();
  const requestLog = createRequestLog({ requests, runs, notifier, clock });
  const keeper = () => keeperOf(layout.runLock, { runsPuppet: runner.name !== 'command' });
  const disabling = createDisabling({ lockPath: () => runner.disabledLock(), clock, log });
  const { enabledSince } = disabling;
  const queueDeps = {
    ...{ enabledSince, keeper, requestLog, runs, notifier, runner, clock, log, onOutcome: auditOutcome },
    ...{ runLock: layout.runLock, killGraceMs: options.killGraceMs },
    runner: { ...runner, judge: noted },
    onLetGo: ({ request }: RequestRecord) => void schedule.onRun(request.action),
    steps: options.steps ?? PROCESS_STEPS,
    stuckAfterMs: options.stuckAfterMs ?? STUCK_AFTER_MS,
    ...(options.gateMs !== undefined && { gateMs: options.gateMs }),
    ...(options.outputLimits !== undefined && { outputLimits: options.outputLimits }),
  };
  const queue = createQueue(queueDeps);
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // one a stream
  let { policy } = options;
  let certname: string | undefined;
  const metrics = await openMetrics({
    ...{ file: options.metricsFile, keptIn: layout.metrics, version, clock, log },
    levels: {
      waiting: () => queue.waiting(),
      isDisabled: async () => (await runner.gate(clock.now())).state === 'disabled',
    },
  });

  const schedule = await openSchedule({
    ...{ stateDir, clock, log, begin: beginOwn },
    runinterval: () => runner.runinterval(),
    catalogProblem: () => runner.catalogProblem(),
    isDisabled: async () => (await runner.gate(clock.now())).state === 'disabled',
  });
  const statusOf = createStatus({
    ...{ version, clock, runner, queue, schedule, keeper, doctor: options.doctor },
  });
  await settleAll({ ...queueDeps, requests, queue });
  const pruneDeps = { requests, requestLog, runsDir: layout.runs };
  const commands = createCommands({ requests, queue, disabling, clock });
  const duties: Duty[] = [
    { what: 'prune', everyMs: PRUNE_EVERY_MS, work: () => prune(clock.now(), pruneDeps) },
    {
      what: 'enable when the time has come',
      everyMs: options.lookEveryMs ?? LOOK_EVERY_MS,
      work: () => disabling.expire(),
    },
    {
      what: 'begin a scheduled run',
      everyMs: options.lookEveryMs ?? LOOK_EVERY_MS,
      work: () => schedule.look(),
    },
    { what: 'write the metrics', everyMs: METRICS_EVERY_MS, work: () => metrics.write() },
  ];
  const endDuties = startDuties(duties, log);

  // ---------------------------------------------------------------- the audit log

  function auditOutcome({ request, acceptedAt }: RequestRecord, finished: FinishedEvent): void {
    const { outcome, run, message } = finished;
    metrics.finished(acceptedAt, finished);
    log.info({ audit: 'outcome', ...who(request), outcome, run, message }, `outcome: ${outcome}`);
  }

  function who({ iss, job, attempt, action, by }: RunRequest | Admitted['request']): object {
    return { controller: iss, job, attempt, op: action.op, by: describeBy(by), reason: by.reason };
  }

  /** Every refusal is one line, and only its code travels. */
  async function audited<T>(
    what: string,
    peer: Peer,
    work: (say: (fields: object) => void) => Promise<T>,
  ): Promise<T> {
    let fields: object = {};
    try {
      return await work((more) => {
        fields = more;
      });
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal('internal', messageOf(error));
      const { code, message } = refusal;
      metrics.refused(code);
      log.warn(
        { audit: 'refused', what, peer: peer.address, code, detail: message, ...fields },
        `refused: ${code}`,
      );
      throw refusal;
    }
  }

  function context(): AdmissionContext {
    if (stopping.signal.aborted || certname === undefined) throw new Refusal('stopping', 'not serving');
    return { certname, policy, now: clock.now(), notBefore: notBefore(), version };
  }

  // ---------------------------------------------------------------- requests

  const streamOf = (name: string, after: number) => (signal: AbortSignal) => streamUntil(name, after, signal);

  /** Ends when the reader goes, and when the agent is being stopped. */
  async function* streamUntil(name: string, after: number, signal: AbortSignal): AsyncGenerator<StoredEvent> {
    const either = new AbortController();
    for (const one of [signal, stopping.signal]) {
      if (one.aborted) either.abort();
      one.addEventListener('abort', () => either.abort(), { once: true, signal: either.signal });
    }
    try {
      yield* requestLog.stream(name, after, either.signal);
    } finally {
      either.abort();
    }
  }

  /** Step "already known": answered here, whatever the time and the policy. */
  async function isKnown(name: string, request: RunRequest): Promise<boolean> {
    const known = await requests.read(name);
    if (known === undefined) return false;
    if (known === 'gone') throw new Refusal('gone', 'its folder is no longer kept');
    if (canonicalAction(known.request.action) !== canonicalAction(request.action)) {
      throw new Refusal('job-conflict', 'the same key with another action');
    }
    return true;
  }

  function checkRunner({ action }: RunRequest): void {
    const unsupported = runner.unsupported(action);
    if (unsupported.length > 0) {
      throw new Refusal('unsupported', `${runner.name} cannot honour ${unsupported.join(', ')}`, { version });
    }
  }

  async function checkRoom(): Promise<void> {
    if (queue.waiting() >= options.queueSize) throw new Refusal('queue-full', `${queue.waiting()} wait`);
    if (!(await exists(layout.liveRuns))) await prepareFolders(stateDir, runDir);
    for (const folder of [runDir, stateDir]) {
      const { bavail, bsize } = await statfs(folder);
      if (bavail * bsize < MIN_FREE_BYTES)
        throw new Refusal('no-space', `${bavail * bsize} bytes in "${folder}"`);
    }
  }

  async function accept(name: string, request: RunRequest, address: string): Promise<void> {
    const record: RequestRecord = { name, request, acceptedAt: clock.now() };
    let isNew: boolean;
    try {
      isNew = await requests.create(record, { type: 'accepted', version });
    } catch (error) {
      throw new Refusal('no-space', `cannot write the request down: ${messageOf(error)}`);
    }
    if (!isNew) {
      await isKnown(name, request);
      return;
    }
    log.info({ audit: 'accepted', ...who(request), action: request.action, peer: address }, 'accepted');
    queue.add(record);
    metrics.changed();
  }

  async function submit(body: Uint8Array, peer: Peer, say: (fields: object) => void): Promise<string> {
    const admitted = await authenticate(body, peer, context());
    say(who(admitted.request));
    const request = asRun(admitted.request);
    const name = requestName(request);
    if (await isKnown(name, request)) return name;
    authorize(admitted, context());
    checkRunner(request);
    await checkRoom();
    await accept(name, request, peer.address);
    return name;
  }

  /** A run of our own schedule: a request like any other, but that nobody signed it. */
  async function beginOwn(action: RunAction, wait: number): Promise<void> {
    if (stopping.signal.aborted || certname === undefined) return;
    await checkRoom();
    const [now, iat] = [clock.now(), Math.floor(clock.now() / 1000)];
    const request: RunRequest = {
      ...{ v: 1, jti: uuidv7(now), job: uuidv7(now), attempt: 1, iss: certname, aud: certname },
      ...{ iat, exp: iat + wait, action, queue: { wait } },
      by: { user: 'schedule', uid: 0, host: certname },
    };
    await accept(requestName(request), request, 'own schedule');
  }

  async function noted(ended: EndedRun): Promise<Verdict> {
    const verdict = await runner.judge(ended);
    const note = pushedNote(schedule.pull(), ended.action, verdict);
    if (verdict.outcome === 'race-lost' || note === undefined) return verdict;
    return { ...verdict, message: verdict.message === undefined ? note : `${verdict.message}; ${note}` };
  }

  return {
    setCertname(name) {
      certname = name;
      schedule.setCertname(name);
    },
    setPolicy(changed) {
      policy = changed;
    },
    setPull: (pull) => schedule.setPull(pull),
    async runNow() {
      if (stopping.signal.aborted) return;
      try {
        await schedule.runNow();
      } catch (error) {
        log.error({ error: messageOf(error) }, 'cannot begin the scheduled run');
      }
    },
    setExpiry: (expiry) => metrics.setExpiry(expiry),
    submit: (body, peer) => audited('run', peer, async (say) => streamOf(await submit(body, peer, say), 0)),
    events: (job, after, peer) =>
      audited('events', peer, async (say) => {
        const iss = authenticateReader(peer, context().policy);
        say({ controller: iss, job });
        const name = await latestOf(job, iss);
        if (name === undefined) throw new Refusal('unknown-job', `no job "${job}" of "${iss}"`);
        return streamOf(name, after);
      }),
    status: (peer, question) =>
      audited('status', peer, async () => {
        authenticateReader(peer, context().policy);
        return statusOf({ certname, question });
      }),
    command: (body, peer) =>
      audited('command', peer, async (say) => {
        const admitted = await authenticate(body, peer, context());
        const { request } = admitted;
        say(who(request));
        authorize(admitted, context());
        const reply = await commands(request);
        metrics.changed();
        log.info({ audit: 'accepted', ...who(request), action: request.action, ...reply }, request.action.op);
        return reply;
      }),
    async stop() {
      stopping.abort();
      endDuties();
      await queue.close();
      await metrics.close();
    },
  };

  /** The last attempt of a job. */
  async function latestOf(job: string, iss: string): Promise<string | undefined> {
    const attempts = (await requests.list())
      .filter((name) => name.startsWith(jobPrefix(job)))
      .map((name) => Number(name.split('.')[1]))
      .sort((a, b) => b - a);
    for (const attempt of attempts) {
      const name = requestName({ iss, job, attempt });
      const known = await requests.read(name);
      if (known === 'gone') throw new Refusal('gone', 'its folder is no longer kept');
      if (known !== undefined) return name;
    }
    return undefined;
  }
}

function asRun(request: Admitted['request']): RunRequest {
  const { action } = request;
  if (action.op !== 'run') throw new Refusal('malformed', `op "${action.op}" here`);
  return { ...request, action };
}
