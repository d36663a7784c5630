/**
 * One run from the moment it was let go (or found alive by an agent that came back) to its verdict.
 * Everything it needs to go on after a crash of the agent is in the run's folder.
 */
import { watch } from 'node:fs';
import { systemCode } from '../../errors.ts';
import type { Holder } from '../../protocol/event.ts';
import { sleep } from '../../util/clock.ts';
import { formatDuration } from '../../util/duration.ts';
import type { Log } from '../../util/log.ts';
import { bootId, isAlive, type ProcessId } from '../../util/proc.ts';
import { type JudgeDeps, judgeRun, neverBegan } from '../judge/judge-run.ts';
import type { Notifier } from '../requests/notifier.ts';
import { allEvents, type KeptEvent } from './event-file.ts';
import { followOutput, OUTPUT_LIMITS, type OutputLimits, outputStateOf } from './output.ts';
import { finishedEvent, type RunEnd } from './run-end.ts';
import type { Intention, RunRecord } from './run-record.ts';
import { stopProcess } from './stop-run.ts';

export interface LiveRunDeps extends JudgeDeps {
  notifier: Notifier;
  log: Log;
  /** Milliseconds between TERM and KILL when a run is ended. */
  killGraceMs: number;
  outputLimits?: OutputLimits;
}

export interface LiveRun {
  readonly record: RunRecord;
  /** Puppet's pid, once it has begun. */
  pid(): number | undefined;
  /** Milliseconds since 1970. */
  since(): number;
  /** Milliseconds since 1970: when it last told anything, or began. */
  progressAt(): number;
  /** Milliseconds by which it is over its time limit; negative before. */
  overLimitMs(): number;
  /** Writes the intention down and ends the run; its outcome comes as ever. The first intention counts. */
  stop(intention: Intention): Promise<void>;
  /** Looks no longer: the run goes on, and an agent that comes back follows it. */
  leave(): void;
  /** Resolves when the run is over and judged; its end is not yet on disk. Never rejects. */
  readonly ended: Promise<RunEnd>;
}

/** Milliseconds between looks when nothing tells us of a change. */
const POLL_MS = 100;
/** The same while the folder is watched and the wrapper is our own child: its end wakes us. */
const WATCHED_POLL_MS = 1000;

/**
 * Follows a run. `wrapperEnded` resolves when the wrapper has ended, where it is our own child;
 * otherwise its process is watched. `serves` is the number of requests, for the `started` event.
 */
export function followRun(
  record: RunRecord,
  deps: LiveRunDeps,
  { wrapperEnded, serves }: { wrapperEnded?: Promise<void>; serves?: number } = {},
): LiveRun {
  const { runs, notifier, clock, log } = deps;
  const { run } = record;
  const dir = runs.liveDir(run);
  let puppet: ProcessId | undefined;
  let startedAt: number | undefined;
  let progressAt = record.createdAt;
  /** By the monotonic clock: a clock that is set ends no run. */
  let endBy = Number.POSITIVE_INFINITY;
  let stopping: Promise<void> | undefined;
  let intended: Intention | undefined;
  let wrapperGone = false;
  let isLeft = false;
  void wrapperEnded?.then(() => {
    wrapperGone = true;
    wake();
  });

  let isWatched = true;
  let wake = () => {};
  const nextLook = () =>
    new Promise<void>((resolve) => {
      const isTold = isWatched && wrapperEnded !== undefined && !wrapperGone;
      const longest = isTold ? Math.min(WATCHED_POLL_MS, endBy - clock.monotonic()) : POLL_MS;
      const timer = setTimeout(resolve, Math.max(POLL_MS, longest));
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function append(events: readonly KeptEvent[]): Promise<void> {
    if (events.length === 0) return;
    progressAt = clock.now();
    await unlessVanished(() => runs.append(run, events));
    notifier.notify(run);
  }

  /** Somebody has emptied the volatile directory: the run goes on, and its end can still be told. */
  async function unlessVanished(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || (await runs.isLive(run))) throw error;
    }
  }

  /** Start times count from the boot: in another one nothing of it is alive. */
  const isOfThisBoot = record.boot === bootId();
  const lives = (process: ProcessId | undefined) => isOfThisBoot && process !== undefined && isAlive(process);
  const isOver = () => (wrapperGone || !lives(record.wrapper)) && !lives(record.inner) && !lives(puppet);

  async function noteStart(events: readonly KeptEvent[]): Promise<void> {
    if (puppet !== undefined) return;
    const { started } = await runs.wrapperFiles(run);
    if (started === undefined) return;
    puppet = started.process;
    startedAt = started.at;
    const { timeLimitMs = Number.POSITIVE_INFINITY } = record;
    endBy = clock.monotonic() + timeLimitMs - Math.max(0, clock.now() - startedAt);
    if (events.some(({ type }) => type === 'started')) return;
    const counted = serves === undefined ? {} : { serves };
    await append([{ type: 'started', run, pid: puppet.pid, at: startedAt, ...counted }]);
  }

  async function follow(): Promise<RunEnd> {
    const before = await allEvents((offset) => runs.events(run, offset));
    progressAt = Math.max(progressAt, before.at(-1)?.at ?? 0);
    const follower = followOutput(dir, outputStateOf(before), deps.outputLimits ?? OUTPUT_LIMITS);
    const stamp = (events: Awaited<ReturnType<typeof follower.next>>) =>
      events.map((event) => ({ ...event, at: clock.now() }));
    const stopWatching = watchFolder(dir, {
      onChange: () => wake(),
      onLost: () => {
        isWatched = false;
      },
    });
    try {
      for (;;) {
        if (isLeft) return 'left';
        // First see the process gone, then read what it left (DESIGN 4).
        const over = isOver();
        const look = nextLook();
        await noteStart(before);
        if (puppet === undefined && over && (await runs.isLive(run))) return neverBegan(record, deps);
        if (over && isOver()) break;
        const events = stamp(await follower.next());
        await append(events);
        enforceLimit();
        if (events.length === 0) await look;
        else wake();
      }
    } finally {
      stopWatching();
    }
    for (let rest = await follower.last(); rest.length > 0; rest = await follower.last()) {
      await append(stamp(rest));
    }
    await stopping;
    if (isLeft) return 'left';
    const isTold = before.some(({ type }) => type === 'resources');
    return judgeRun(record, deps, { startedAt, isTold, intended });
  }

  function enforceLimit(): void {
    if (stopping !== undefined || clock.monotonic() < endBy) return;
    const limit = formatDuration(record.timeLimitMs ?? 0);
    void stop({ outcome: 'timed-out', message: `it ran longer than ${limit}` });
  }

  function stop(intention: Intention): Promise<void> {
    stopping ??= end(intention).catch((error: unknown) =>
      log.error({ run, error: String(error) }, 'cannot end a run'),
    );
    return stopping;
  }

  async function end(intention: Intention): Promise<void> {
    intended = (await runs.intention(run)) ?? intention;
    await unlessVanished(() => runs.intend(run, intended ?? intention));
    log.info({ run, job: record.job, outcome: intention.outcome }, 'ending a run');
    while (puppet === undefined && !isOver() && (await runs.isLive(run))) await sleep(POLL_MS / 2);
    const target = puppet ?? record.inner;
    if (target !== undefined && lives(target))
      await stopProcess(target, { clock, graceMs: deps.killGraceMs });
  }

  const ended = (async (): Promise<RunEnd> => {
    try {
      const intention = await runs.intention(run);
      if (intention !== undefined) void stop(intention);
      return await follow();
    } catch (error) {
      log.error({ run, error: String(error) }, 'cannot follow a run');
      while (!isOver()) await sleep(POLL_MS);
      const message = `kick agent could not follow it: ${String(error)}`;
      return finishedEvent(record, { outcome: 'failed', message }, { startedAt, endedAt: clock.now() });
    }
  })();

  return {
    record,
    pid: () => puppet?.pid,
    since: () => startedAt ?? record.createdAt,
    progressAt: () => progressAt,
    overLimitMs: () => clock.monotonic() - endBy,
    stop,
    leave() {
      isLeft = true;
      wake();
    },
    ended,
  };
}

/** Whether a run seems to be stuck. `now`: milliseconds since 1970; `stuckAfterMs`: of silence. */
export function progressOf(
  live: Pick<LiveRun, 'progressAt' | 'overLimitMs'>,
  { now, stuckAfterMs }: { now: number; stuckAfterMs: number },
): Pick<Holder, 'progressAt' | 'stuck'> {
  const progressAt = live.progressAt();
  const silentMs = now - progressAt;
  const overMs = live.overLimitMs();
  const stuck =
    overMs > 0
      ? `over its time limit by ${formatDuration(overMs)}`
      : silentMs > stuckAfterMs
        ? `it has told nothing for ${formatDuration(silentMs)}`
        : undefined;
  return { progressAt, ...(stuck !== undefined && { stuck }) };
}

/** `onLost`: where the system's watches are used up, the poll must do. */
function watchFolder(
  dir: string,
  { onChange, onLost }: { onChange: () => void; onLost: () => void },
): () => void {
  try {
    const watcher = watch(dir, onChange);
    watcher.on('error', onLost);
    return () => watcher.close();
  } catch {
    onLost();
    return () => {};
  }
}
