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

/** Milliseconds between two writes at the least. */
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
  const runs = new Set<string>();
  let expiry: Partial<Expiry> = {};
  let levels: Levels | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let writtenAt = Number.NEGATIVE_INFINITY;
  let isClosed = false;
  let isTold = false;

  function schedule(): void {
    if (timer !== undefined || isClosed) return;
    // Also the first waits for its turn of the loop: the end of a run must not wait for it.
    timer = setTimeout(() => void write(), Math.max(0, writtenAt + WRITE_EVERY_MS - clock.monotonic()));
    timer.unref();
  }

  function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writtenAt = clock.monotonic();
    writing = writing.then(writeBoth);
    return writing;
  }

  async function writeBoth(): Promise<void> {
    await keep();
    const disabled = await levels?.isDisabled().catch(() => undefined);
    const waiting = levels?.waiting() ?? 0;
    await output.write(metricsText({ counters, expiry, version, waiting, disabled }));
  }

  async function keep(): Promise<void> {
    try {
      await writeFileAtomic(keptIn, storedText(counters, COUNTERS));
      isTold = false;
    } catch (error) {
      if (!isTold) log.warn({ error: messageOf(error) }, 'the counters cannot be kept');
      isTold = true;
    }
  }

  /** Whether this is the end of a run, told for the first time. */
  function isRunEnd({ run, outcome, startedAt }: FinishedEvent): boolean {
    // A request that was cancelled off a run which goes on for others names the run, but not its times.
    if (run === undefined || (outcome === 'cancelled' && startedAt === undefined) || runs.has(run))
      return false;
    runs.add(run);
    for (const oldest of runs) {
      if (runs.size <= MAX_RUNS) break;
      runs.delete(oldest);
    }
    return true;
  }

  return {
    finished(acceptedAt, event) {
      const { outcome, run, startedAt, endedAt } = event;
      increase(counters.requests, outcome);
      // Of a run whose beginning nobody knows (a reboot), nobody knows how long it was waited for.
      if (startedAt !== undefined || run === undefined) {
        observe(counters.wait, (startedAt ?? endedAt) - acceptedAt);
      }
      if (isRunEnd(event)) {
        increase(counters.runs, outcome);
        if (startedAt !== undefined) observe(counters.duration, endedAt - startedAt);
        if (isSuccess(outcome)) counters.lastSuccess = endedAt;
      }
      schedule();
    },
    refused(code) {
      increase(counters.refused, code);
      schedule();
    },
    setExpiry(changed) {
      expiry = changed;
      schedule();
    },
    setLevels(found) {
      levels = found;
    },
    changed: schedule,
    write,
    async close() {
      if (isClosed) return;
      isClosed = true;
      await write();
    },
  };
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
