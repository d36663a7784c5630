/**
 * What an agent has counted, for node_exporter's textfile collector. Counters survive restarts:
 * they are kept as JSON in the state directory. A second of them may be lost with a power cut.
 */
import { messageOf } from '../../errors.ts';
import type { Expiry } from '../../pki/expiry.ts';
import type { FinishedEvent } from '../../protocol/event.ts';
import { isSuccess } from '../../protocol/outcome.ts';
import type { RefusalCode } from '../../protocol/refusal.ts';
import { writeFileAtomic } from '../../util/atomic-file.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { metricsFile, nameProblem } from '../../util/metrics-file.ts';
import { readOrSetAside, storedText } from '../../util/stored-json.ts';
import { COUNTERS, type Counters } from './counters.ts';
import { metricsText } from './metrics-text.ts';

/** The shortest time between two writes, milliseconds. */
const WRITE_EVERY_MS = 1000;

/** Runs that are remembered so that one which serves several requests counts once. */
const MAX_RUNS = 1000;

/** What is looked up whenever the file is written. */
export interface Levels {
  waiting(): number;
  /** May throw where Puppet is not there yet. */
  isDisabled(): Promise<boolean>;
}

export interface Metrics {
  /** A request has its outcome. */
  finished(acceptedAt: number, event: FinishedEvent): void;
  refused(code: RefusalCode): void;
  setExpiry(expiry: Expiry): void;
  /** Until then nobody waits, and whether Puppet is disabled is not known. */
  setLevels(levels: Levels): void;
  /** Something else has changed: a request waits, Puppet was disabled. */
  changed(): void;
  /** Writes now; never throws. */
  write(): Promise<void>;
  /** Writes what was not written yet, and nothing afterwards. */
  close(): Promise<void>;
}

export interface MetricsOptions {
  /** The file for node_exporter; absent: nothing is counted. */
  file: string | undefined;
  /** Where the counters are kept. */
  keptIn: string;
  version: string;
  clock: Clock;
  log: Log;
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
  const { keptIn, version, clock, log } = options;
  const problem = nameProblem(file);
  if (problem !== undefined) log.warn({}, problem);
  const output = metricsFile(file, (why) => log.warn({}, why));
  const counters = await readCounters(keptIn, log);
  const keep = createKeeper(keptIn, log);
  const isNewRun = createRunFilter();
  const writer = createWriter(clock, writeBoth);
  let expiry: Partial<Expiry> = {};
  let levels: Levels | undefined;

  async function writeBoth(): Promise<void> {
    await keep(counters);
    const disabled = await levels?.isDisabled().catch(() => undefined);
    const waiting = levels?.waiting() ?? 0;
    await output.write(metricsText({ counters, expiry, version, waiting, disabled }));
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
      // The first write waits for a turn of the event loop as well: it must not delay the end of a run.
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

/** Keeps the counters; trouble is logged once, until it is over. */
function createKeeper(path: string, log: Log): (counters: Counters) => Promise<void> {
  let isLogged = false;
  return async (counters) => {
    try {
      await writeFileAtomic(path, storedText(counters, COUNTERS));
      isLogged = false;
    } catch (error) {
      if (!isLogged) log.warn({ error: messageOf(error) }, 'the counters cannot be kept');
      isLogged = true;
    }
  };
}

/** Whether an event is the end of a run that was not seen before. */
function createRunFilter(): (event: FinishedEvent) => boolean {
  const runs = new Set<string>();
  return ({ run, outcome, startedAt }) => {
    // A request that was cancelled off a run which goes on for others names the run, but not its times.
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
  // Where nobody knows when a run began (a reboot), nobody knows how long it was waited for.
  if (startedAt !== undefined || run === undefined) {
    observe(counters.wait, (startedAt ?? endedAt) - acceptedAt);
  }
  if (!isRunEnd) return;
  increase(counters.runs, outcome);
  if (startedAt !== undefined) observe(counters.duration, endedAt - startedAt);
  if (isSuccess(outcome)) counters.lastSuccess = endedAt;
}

function increase(counters: Record<string, number>, name: string): void {
  counters[name] = (counters[name] ?? 0) + 1;
}

/** A clock that was set back is no reason for a counter to go back. */
function observe(into: { sum: number; count: number }, ms: number): void {
  into.sum += Math.max(0, ms) / 1000;
  into.count += 1;
}

async function readCounters(path: string, log: Log): Promise<Counters> {
  const zero = { sum: 0, count: 0 };
  const none: Counters = { runs: {}, requests: {}, refused: {}, duration: { ...zero }, wait: { ...zero } };
  return (await readOrSetAside(path, COUNTERS, { log, means: 'the counters begin at zero' })) ?? none;
}
