/**
 * One run from its release (or from when a restarted agent finds it alive) to its verdict. Everything
 * needed to follow it after a crash of the agent is in the run's folder.
 */
import { sleep } from '../../util/clock.ts';
import { formatDuration } from '../../util/duration.ts';
import type { Log } from '../../util/log.ts';
import type { ProcessId } from '../../util/proc.ts';
import { type JudgeDeps, judgeRun, neverBegan } from '../judge/judge-run.ts';
import type { Notifier } from '../requests/notifier.ts';
import { allEvents } from './all-events.ts';
import { createRunEnder, type RunEnder } from './end-run.ts';
import type { KeptEvent } from './event-file.ts';
import { createLookOut, type LookOut } from './look-out.ts';
import {
  followOutput,
  OUTPUT_LIMITS,
  type OutputFollower,
  type OutputLimits,
  outputStateOf,
} from './output.ts';
import { finishedEvent, type RunEnd } from './run-end.ts';
import { createRunEvents, type RunEvents } from './run-events.ts';
import { createRunProcess, type RunProcess } from './run-process.ts';
import type { Intention, RunRecord } from './run-record.ts';

/** Milliseconds between checks whether a run that cannot be followed is over. */
const POLL_MS = 100;

export interface LiveRunDeps extends JudgeDeps {
  notifier: Notifier;
  log: Log;
  /** Milliseconds between TERM and KILL when a run is ended. */
  killGraceMs: number;
  outputLimits?: OutputLimits;
}

export interface LiveRun {
  readonly record: RunRecord;
  /** Puppet's pid, once it has started. */
  pid(): number | undefined;
  /** Milliseconds since 1970. */
  since(): number;
  /** Milliseconds since 1970: when it last printed anything, or started. */
  progressAt(): number;
  /** Milliseconds by which it is over its time limit; negative before that. */
  overLimitMs(): number;
  /** Stores the intention and ends the run, whose outcome is reported as usual. The first intention stands. */
  stop(intention: Intention): Promise<void>;
  /** Stops following: the run goes on, and the next agent follows it again. */
  leave(): void;
  /** Resolves once the run is over and judged; its end is not on disk yet. Never rejects. */
  readonly ended: Promise<RunEnd>;
}

/** The parts that follow one run. */
interface Following {
  record: RunRecord;
  /** The number of requests, for the `started` event. */
  serves: number | undefined;
  process: RunProcess;
  events: RunEvents;
  ender: RunEnder;
  lookOut: LookOut;
  isLeft: boolean;
}

/**
 * Follows a run. `wrapperEnded` resolves once the wrapper has ended, if it is our own child; otherwise
 * its process is polled. `serves` is the number of requests, for the `started` event.
 */
export function followRun(
  record: RunRecord,
  deps: LiveRunDeps,
  { wrapperEnded, serves }: { wrapperEnded?: Promise<void>; serves?: number } = {},
): LiveRun {
  const process = createRunProcess(record, deps.clock);
  const events = createRunEvents(record, deps);
  const ender = createRunEnder(record, { process, events }, deps);
  const lookOut = createLookOut(process, wrapperEnded !== undefined);
  const following: Following = { record, serves, process, events, ender, lookOut, isLeft: false };
  void wrapperEnded?.then(() => {
    process.wrapperEnded();
    lookOut.wake();
  });
  return {
    record,
    pid: () => process.puppet()?.pid,
    since: () => process.startedAt() ?? record.createdAt,
    progressAt: events.progressAt,
    overLimitMs: () => -process.leftMs(),
    stop: ender.stop,
    leave() {
      following.isLeft = true;
      lookOut.wake();
    },
    ended: followSafely(following, deps),
  };
}

/** Whatever goes wrong, a run has an end. */
async function followSafely(following: Following, deps: LiveRunDeps): Promise<RunEnd> {
  const { record, process, ender } = following;
  const { run } = record;
  try {
    const intention = await deps.runs.intention(run);
    if (intention !== undefined) void ender.stop(intention);
    return await follow(following, deps);
  } catch (error) {
    deps.log.error({ run, error: String(error) }, 'cannot follow a run');
    while (!process.isOver()) {
      if (following.isLeft) return 'left';
      enforceLimit(following);
      await sleep(POLL_MS);
    }
    const judged = await judgeUnfollowed(following, deps);
    if (judged !== undefined) return judged;
    const message = `kick agent could not follow it: ${String(error)}`;
    const times = { startedAt: process.startedAt(), endedAt: deps.clock.now() };
    return finishedEvent(record, { outcome: 'failed', message }, times);
  }
}

/** By what it has left behind, which may be whole; undefined if it cannot be read. */
async function judgeUnfollowed(
  { record, process, ender }: Following,
  deps: LiveRunDeps,
): Promise<RunEnd | undefined> {
  if (process.puppet() === undefined) return undefined;
  const startedAt = process.startedAt();
  try {
    const intended = ender.intended();
    return await judgeRun(record, deps, { startedAt, isReported: true, intended, isCut: true });
  } catch {
    return undefined;
  }
}

async function follow(following: Following, deps: LiveRunDeps): Promise<RunEnd> {
  const { record, process, events, ender, lookOut } = following;
  const { runs, clock, outputLimits = OUTPUT_LIMITS } = deps;
  const { run } = record;
  const dir = runs.liveDir(run);
  const before = await allEvents((offset) => runs.events(run, offset));
  events.sawProgress(before.at(-1)?.at ?? 0);
  const output = stamped(followOutput(dir, outputStateOf(before), outputLimits), () => clock.now());
  const stopWatching = lookOut.watch(dir);
  try {
    const end = await untilOver(following, { before, output }, deps);
    if (end !== undefined) return end;
  } finally {
    stopWatching();
  }
  for (let rest = await output.last(); rest.length > 0; rest = await output.last()) await events.append(rest);
  await events.tellLost();
  await ender.done();
  if (following.isLeft) return 'left';
  const isReported = before.some(({ type }) => type === 'resources');
  const [startedAt, intended, isCut] = [process.startedAt(), ender.intended(), events.isCut()];
  return judgeRun(record, deps, { startedAt, isReported, intended, isCut });
}

interface Seen {
  /** What an earlier agent has stored. */
  before: readonly KeptEvent[];
  output: StampedOutput;
}

/** Returns undefined once the run is over and must be judged. */
async function untilOver(
  following: Following,
  { before, output }: Seen,
  deps: LiveRunDeps,
): Promise<RunEnd | undefined> {
  const { record, process, events, ender, lookOut } = following;
  for (;;) {
    if (following.isLeft) return 'left';
    // Check for the process first, then read what it left behind (DESIGN 4).
    const over = process.isOver();
    const look = lookOut.next();
    await noteStart(following, before, deps);
    if (process.puppet() === undefined && over && (await deps.runs.isLive(record.run)))
      return neverBegan(record, deps, { intended: ender.intended() });
    if (over && process.isOver()) return undefined;
    const found = await output.next();
    // Puppet may have begun since the look above; `started` comes before what it printed.
    if (found.length > 0) await noteStart(following, before, deps);
    await events.append(found);
    enforceLimit(following);
    if (found.length === 0) await look;
    else lookOut.wake();
  }
}

async function noteStart(
  { record, serves, process, events }: Following,
  before: readonly KeptEvent[],
  { runs }: LiveRunDeps,
): Promise<void> {
  if (process.puppet() !== undefined) return;
  const { run, inner } = record;
  const noted = before.find(({ type }) => type === 'started');
  const { started = startAgain(noted, inner) } = await runs.wrapperFiles(run, inner);
  if (started === undefined) return;
  process.began(started);
  if (noted !== undefined) return;
  const counted = serves === undefined ? {} : { serves };
  await events.append([{ type: 'started', run, pid: started.process.pid, at: started.at, ...counted }]);
}

/** From an earlier agent's event, if the wrapper's file is missing. */
function startAgain(noted: KeptEvent | undefined, inner: ProcessId | undefined) {
  return noted === undefined || inner === undefined ? undefined : { process: inner, at: noted.at };
}

function enforceLimit({ record, process, ender }: Following): void {
  if (ender.isStopping() || process.leftMs() > 0) return;
  const limit = formatDuration(record.timeLimitMs ?? 0);
  void ender.stop({ outcome: 'timed-out', message: `it ran longer than ${limit}` });
}

interface StampedOutput {
  next(): Promise<KeptEvent[]>;
  last(): Promise<KeptEvent[]>;
}

function stamped(follower: OutputFollower, now: () => number): StampedOutput {
  const stamp = (events: Awaited<ReturnType<OutputFollower['next']>>) =>
    events.map((event) => ({ ...event, at: now() }));
  return {
    next: async () => stamp(await follower.next()),
    last: async () => stamp(await follower.last()),
  };
}
