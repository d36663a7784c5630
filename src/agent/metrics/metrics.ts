/**
 * An agent's metrics, for node_exporter's textfile collector. Counters survive restarts: they are stored
 * as JSON in the state directory. A power cut may lose the last second.
 */
import { messageOf } from '../../errors.ts';
import type { Expiry } from '../../pki/expiry.ts';
import type { FinishedEvent } from '../../protocol/event.ts';
import { isSuccess } from '../../protocol/outcome.ts';
import type { RefusalCode } from '../../protocol/refusal.ts';
import type { BrokerStatus } from '../../protocol/status.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { metricsFile, nameProblem } from '../../util/metrics-file.ts';
import type { Quarantine } from '../../util/quarantine.ts';
import { readOrSetAside, storedText } from '../../util/stored-json.ts';
import { COUNTERS, type Counters } from './counters.ts';
import { metricsText } from './metrics-text.ts';

/** Minimum milliseconds between two writes. */
const WRITE_EVERY_MS = 1000;

/** Runs remembered so that one that serves several requests is counted once. */
const MAX_RUNS = 1000;

/** Values read whenever the file is written. */
export interface Levels {
  waiting(): number;
  /** May throw if Puppet is not installed yet. */
  isDisabled(): Promise<boolean>;
  /** Undefined: it has none. */
  broker(): BrokerStatus | undefined;
}

export interface Metrics {
  /** A request has its outcome. */
  finished(acceptedAt: number, event: FinishedEvent): void;
  refused(code: RefusalCode): void;
  setExpiry(expiry: Expiry): void;
  /** Until it is called, no requests wait and it is not known whether Puppet is disabled. */
  setLevels(levels: Levels): void;
  /** Something else has changed: a request is waiting, Puppet was disabled. */
  changed(): void;
  /** Writes now; never throws. */
  write(): Promise<void>;
  /** Writes for the last time. */
  close(): Promise<void>;
}

export interface MetricsOptions {
  /** The file for node_exporter; absent: nothing is counted. */
  file: string | undefined;
  /** The file that the counters are stored in. */
  keptIn: string;
  version: string;
  clock: Clock;
  log: Log;
  quarantine: Quarantine;
}

const NOTHING: Metrics = {
  finished() {},
  refused() {},
  setExpiry() {},
  setLevels() {},
  changed() {},
  async write() {},
  async close() {},
};

export async function openMetrics({ file, ...options }: MetricsOptions): Promise<Metrics> {
  if (file === undefined) return NOTHING;
  const { version, clock, log } = options;
  const problem = nameProblem(file);
  if (problem !== undefined) log.warn({}, problem);
  const output = metricsFile(file, (why) => log.warn({}, why));
  const counters = await readCounters(options);
  const keep = createKeeper(options);
  const isNewRun = createRunFilter();
  const writer = createWriter(clock, writeBoth);
  let expiry: Partial<Expiry> = {};
  let levels: Levels | undefined;

  async function writeBoth(): Promise<void> {
    await keep(counters);
    const disabled = await levels?.isDisabled().catch(() => undefined);
    const waiting = levels?.waiting() ?? 0;
    const broker = levels?.broker();
    await output.write(metricsText({ counters, expiry, version, waiting, disabled, broker }));
  }

  return {
    finished(acceptedAt, event) {
      countEnd(counters, { acceptedAt, event, isRunEnd: isNewRun(event) });
      writer.soon();
    },
    refused(code) {
      increase(counters.refused, code);
      writer.soon();
    },
    setExpiry(changed) {
      expiry = changed;
      writer.soon();
    },
    setLevels(found) {
      levels = found;
    },
    changed: writer.soon,
    write: writer.now,
    close: writer.close,
  };
}

interface Writer {
  /** Writes within a second. */
  soon(): void;
  now(): Promise<void>;
  /** Writes for the last time. */
  close(): Promise<void>;
}

function createWriter(clock: Clock, write: () => Promise<void>): Writer {
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let writtenAt = Number.NEGATIVE_INFINITY;
  let isClosed = false;

  function now(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writtenAt = clock.monotonic();
    writing = writing.then(write);
    return writing;
  }

  return {
    now,
    soon() {
      if (timer !== undefined || isClosed) return;
      // Even the first write waits for the next turn of the event loop: it must not delay the end of a run.
      timer = setTimeout(() => void now(), Math.max(0, writtenAt + WRITE_EVERY_MS - clock.monotonic()));
      timer.unref();
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await now();
    },
  };
}

type KeeperOptions = Pick<MetricsOptions, 'keptIn' | 'log' | 'quarantine'>;

/** Returns a function that stores the counters; failures are logged once, until it works again. */
function createKeeper({ keptIn, log, quarantine }: KeeperOptions): (counters: Counters) => Promise<void> {
  let isLogged = false;
  return async (counters) => {
    try {
      await quarantine.replace(keptIn, storedText(counters, COUNTERS));
      isLogged = false;
    } catch (error) {
      if (!isLogged) log.warn({ error: messageOf(error) }, 'cannot store the counters');
      isLogged = true;
    }
  };
}

/** Returns a test for events that end a run not seen before. */
function createRunFilter(): (event: FinishedEvent) => boolean {
  const runs = new Set<string>();
  return ({ run, outcome, startedAt }) => {
    // A cancelled request whose run goes on for others names the run, but has no times of it.
    if (run === undefined || (outcome === 'cancelled' && startedAt === undefined) || runs.has(run))
      return false;
    runs.add(run);
    for (const oldest of runs) {
      if (runs.size <= MAX_RUNS) break;
      runs.delete(oldest);
    }
    return true;
  };
}

function countEnd(
  counters: Counters,
  { acceptedAt, event, isRunEnd }: { acceptedAt: number; event: FinishedEvent; isRunEnd: boolean },
): void {
  const { outcome, run, startedAt, endedAt } = event;
  increase(counters.requests, outcome);
  // If it is not known when a run began (after a reboot), neither is how long the request waited.
  if (startedAt !== undefined || run === undefined) {
    observe(counters.wait, (startedAt ?? endedAt) - acceptedAt);
  }
  if (!isRunEnd) return;
  increase(counters.runs, outcome);
  if (startedAt !== undefined) observe(counters.duration, endedAt - startedAt);
  if (isSuccess(outcome)) counters.lastSuccess = endedAt;
}

function increase(counters: Record<string, number>, name: string): void {
  counters[name] = Math.min(Number.MAX_SAFE_INTEGER, (counters[name] ?? 0) + 1);
}

/** Counters never decrease, even if the clock was set back. */
function observe(into: { sum: number; count: number }, ms: number): void {
  into.sum = Math.min(Number.MAX_SAFE_INTEGER, into.sum + Math.max(0, ms) / 1000);
  into.count = Math.min(Number.MAX_SAFE_INTEGER, into.count + 1);
}

async function readCounters({ keptIn, log, quarantine }: KeeperOptions): Promise<Counters> {
  const zero = { sum: 0, count: 0 };
  const none: Counters = { runs: {}, requests: {}, refused: {}, duration: { ...zero }, wait: { ...zero } };
  const means = 'the counters begin at zero';
  return (await readOrSetAside(keptIn, COUNTERS, { log, quarantine, means })) ?? none;
}
