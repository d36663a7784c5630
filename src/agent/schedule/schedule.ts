/** Pull mode: runs that an agent starts by itself, through the same queue and lock as requested ones. */
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import type { RunAction } from '../../protocol/request.ts';
import type { PullStatus } from '../../protocol/status.ts';
import { boundedTime } from '../../util/bounds.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import type { Quarantine } from '../../util/quarantine.ts';
import { openMemory } from './memory.ts';
import { intervalOf, type Pull, scheduledAction, whyOff } from './pull.ts';
import { type Grid, gridOf, nextDue } from './slots.ts';

export interface ScheduleDeps {
  stateDir: string;
  clock: Clock;
  log: Log;
  quarantine: Quarantine;
  /** Puppet's runinterval, milliseconds; undefined if there is no Puppet. */
  runinterval(): Promise<number | undefined>;
  isDisabled(): Promise<boolean>;
  /** Why the cached catalog cannot be applied; undefined if it can. Puppet would fetch a new one instead. */
  catalogProblem(): Promise<string | undefined>;
  /** Queues a run of our own, which waits for at most `waitS` seconds. */
  begin(action: RunAction, waitS: number): Promise<void>;
}

export interface Schedule {
  /** The grid depends on the certname, which is known once there is a certificate. Nothing is due before that. */
  setCertname(certname: string): void;
  /** Undefined: no pull mode. */
  setPull(pull: Pull | undefined): void;
  pull(): Pull | undefined;
  /** Starts the run that is due, if any. */
  look(): Promise<void>;
  /** Starts the next run now. */
  runNow(): Promise<void>;
  /** Call whenever a run begins, whoever asked for it. */
  onRun(action: RunAction): Promise<void>;
  status(): Promise<PullStatus | undefined>;
  /** Why no runs start although pull mode is set; undefined if they do, or if it is not set. */
  off(): Promise<string | undefined>;
}

/** Maximum seconds that a scheduled run waits for another run. */
const MAX_WAIT_S = 600;

/** A pull mode that starts runs, and when. */
interface Active {
  pull: Pull;
  grid: Grid;
}

export async function openSchedule(deps: ScheduleDeps): Promise<Schedule> {
  const { stateDir, clock, log, runinterval } = deps;
  const memory = await openMemory(join(stateDir, 'schedule.json'), deps);
  const active = createActive(deps);
  const { current } = active;

  return {
    setCertname: active.setCertname,
    setPull: active.setPull,
    pull: current,
    async look() {
      const now = memory.look();
      const own = await active.now();
      if (own === undefined || nextDue(memory.past(), own.grid) > now) return;
      await memory.note(now);
      await beginNext(own, 'debug', deps);
    },
    async runNow() {
      const now = memory.look();
      const own = await active.now();
      if (own === undefined) {
        const why = current() === undefined ? 'agent.yaml has no pull' : 'its interval is not known';
        log.warn({}, `asked to run now, but there is no schedule: ${why}`);
        return;
      }
      log.info({}, 'asked to run now, before the time of the next scheduled run');
      await memory.note(now);
      await beginNext(own, 'info', deps);
    },
    async onRun(action) {
      if (countsFor(current(), action)) await memory.note(clock.now());
    },
    async status() {
      const own = await active.now();
      if (own === undefined) return undefined;
      const { pull, grid } = own;
      const nextAt = boundedTime(nextDue(memory.past(), grid));
      return { intervalMs: grid.intervalMs, nextAt, catalog: pull.catalog, ...(pull.noop && { noop: true }) };
    },
    async off() {
      const pull = current();
      return pull === undefined ? undefined : whyOff(pull, await intervalOf(pull, runinterval));
    },
  };
}

/** The current settings, resolved at each call, since Puppet's own settings may change. */
function createActive({ log, runinterval }: ScheduleDeps) {
  let certname: string | undefined;
  let pull: Pull | undefined;
  let lastReason = '';

  function complain(reason: string): void {
    if (lastReason !== reason) log.error({ reason }, 'pull mode is off');
    lastReason = reason;
  }

  return {
    setCertname(name: string) {
      certname = name;
    },
    setPull(changed: Pull | undefined) {
      pull = changed;
    },
    current: () => pull,
    /** Undefined if nothing can be due. */
    async now(): Promise<Active | undefined> {
      if (pull === undefined || certname === undefined) return undefined;
      const wanted = pull;
      const intervalMs = await intervalOf(wanted, runinterval);
      const off = whyOff(wanted, intervalMs);
      if (off !== undefined || intervalMs === undefined) {
        complain(off ?? '');
        return undefined;
      }
      lastReason = '';
      const { splay } = wanted;
      const spread = splay === true ? intervalMs : splay === false ? 0 : splay;
      return { pull: wanted, grid: gridOf(certname, { intervalMs, splayMs: spread }) };
    },
  };
}

/** `level`: of the log line if Puppet is disabled. */
async function beginNext({ pull, grid }: Active, level: 'debug' | 'info', deps: ScheduleDeps): Promise<void> {
  const { log, isDisabled, catalogProblem, begin } = deps;
  if (await isDisabled()) {
    log[level]({}, 'the scheduled run is skipped: Puppet is disabled');
    return;
  }
  const problem = pull.catalog === 'pushed' ? await catalogProblem() : undefined;
  if (problem !== undefined) {
    log.warn({ reason: problem }, 'the scheduled run is skipped: kick this host once, to push a catalog');
    return;
  }
  const waitS = Math.min(MAX_WAIT_S, Math.ceil(grid.intervalMs / 2000));
  try {
    await begin(scheduledAction(pull), waitS);
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'the scheduled run is skipped');
  }
}

/** Whether a run does what a scheduled one would do, so that it counts for the schedule. */
function countsFor(pull: Pull | undefined, { tags, skipTags, noop, useCachedCatalog }: RunAction): boolean {
  return (
    pull !== undefined &&
    tags === undefined &&
    skipTags === undefined &&
    (noop !== true || pull.noop) &&
    (useCachedCatalog !== true || pull.catalog === 'pushed')
  );
}
