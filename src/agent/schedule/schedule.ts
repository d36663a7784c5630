/** Pull mode: the runs that an agent begins by itself, through the same queue and lock as those it is asked for. */
import { join } from 'node:path';
import * as v from 'valibot';
import { messageOf } from '../../errors.ts';
import type { RunAction } from '../../protocol/request.ts';
import type { PullStatus } from '../../protocol/status.ts';
import { writeFileAtomic } from '../../util/atomic-file.ts';
import type { Clock } from '../../util/clock.ts';
import { readOwnJson } from '../../util/files.ts';
import type { Log } from '../../util/log.ts';
import type { Verdict } from '../judge/evidence.ts';
import { type Grid, gridOf, nextDue } from './slots.ts';

/** agent.yaml, pull. */
export interface Pull {
  /** Milliseconds, or as Puppet's own setting says. */
  runinterval: number | 'puppet';
  /** Whether, or over how many milliseconds, hosts are spread. */
  splay: boolean | number;
  /** `pushed`: the cached catalog, so that new code comes only by a kick. */
  catalog: 'new' | 'pushed';
  /** Only report. */
  noop: boolean;
}

/** What a scheduled run asks for. */
export function scheduledAction({ catalog, noop }: Pull): RunAction {
  return {
    op: 'run',
    ...(noop && { noop: true }),
    ...(catalog === 'pushed' && { useCachedCatalog: true as const }),
  };
}

export interface ScheduleDeps {
  stateDir: string;
  clock: Clock;
  log: Log;
  /** Puppet's runinterval, milliseconds; undefined where there is no Puppet. */
  runinterval(): Promise<number | undefined>;
  isDisabled(): Promise<boolean>;
  /** Why the cached catalog cannot be applied; undefined where it can. Without one Puppet would fetch a new one. */
  catalogProblem(): Promise<string | undefined>;
  /** Puts a run of our own into the queue, for whoever waits at most so many seconds. */
  begin(action: RunAction, waitS: number): Promise<void>;
}

export interface Schedule {
  /** Whose grid it is: known only once the certificate is there. Nothing is due before. */
  setCertname(certname: string): void;
  /** Undefined: no pull mode. */
  setPull(pull: Pull | undefined): void;
  pull(): Pull | undefined;
  /** Begins what is due. */
  look(): Promise<void>;
  /** Begins the next run now. */
  runNow(): Promise<void>;
  /** A run has begun, whoever asked for it. */
  onRun(action: RunAction): Promise<void>;
  status(): Promise<PullStatus | undefined>;
  /** Why it begins no runs although it was set; undefined where it does, or was not set. */
  off(): Promise<string | undefined>;
}

/** Milliseconds between two looks that mean that the machine was suspended, or the clock set. */
const GAP_MS = 60_000;

/** Milliseconds: shorter ones would only be a loop. */
const SHORTEST_MS = 1000;

/** Seconds that a scheduled run waits for another one at the most. */
const MAX_WAIT_S = 600;

/** Milliseconds; undefined where there is no Puppet to ask. */
export async function intervalOf(
  { runinterval: wanted }: Pull,
  ofPuppet: () => Promise<number | undefined>,
): Promise<number | undefined> {
  return wanted === 'puppet' ? ofPuppet() : wanted;
}

/** Why such an interval means that no run begins; undefined where it means that they do. */
export function whyOff({ runinterval: wanted }: Pull, intervalMs: number | undefined): string | undefined {
  const whose = wanted === 'puppet' ? "Puppet's runinterval" : 'runinterval';
  if (intervalMs === undefined) return `${whose} is not known`;
  if (intervalMs === 0) return `${whose} is 0`;
  return intervalMs < SHORTEST_MS ? `${whose} is under a second` : undefined;
}

const MemorySchema = v.object({ lastAt: v.pipe(v.number(), v.integer(), v.minValue(0)) });

export async function openSchedule(deps: ScheduleDeps): Promise<Schedule> {
  const { stateDir, clock, log, runinterval, isDisabled, catalogProblem, begin } = deps;
  const path = join(stateDir, 'schedule.json');
  let lastAt = await remembered(path);
  let awakeSince = clock.now();
  let lookedAt = awakeSince;
  let certname: string | undefined;
  let pull: Pull | undefined;
  let told = '';

  function complain(why: string): void {
    if (told !== why) log.error({ reason: why }, 'pull mode is off');
    told = why;
  }

  /** Undefined while nothing can be due. */
  async function grid(): Promise<Grid | undefined> {
    if (pull === undefined || certname === undefined) return undefined;
    const { splay } = pull;
    const intervalMs = await intervalOf(pull, runinterval);
    const off = whyOff(pull, intervalMs);
    if (off !== undefined || intervalMs === undefined) {
      complain(off ?? '');
      return undefined;
    }
    told = '';
    return gridOf(certname, intervalMs, splay === true ? intervalMs : splay === false ? 0 : splay);
  }

  async function note(now: number): Promise<void> {
    lastAt = now;
    try {
      await writeFileAtomic(path, JSON.stringify({ lastAt }));
    } catch (error) {
      // It costs a run too many after a restart, nothing more.
      log.warn({ error: messageOf(error) }, 'cannot remember when the last run began');
    }
  }

  /** The clock may have been set back, or have stood still. */
  function lookAtClock(): number {
    const now = clock.now();
    if (now - lookedAt > GAP_MS) awakeSince = now;
    awakeSince = Math.min(awakeSince, now);
    if (lastAt !== undefined) lastAt = Math.min(lastAt, now);
    lookedAt = now;
    return now;
  }

  /** `level`: of the note that there is nothing to begin. */
  async function beginNext(
    wanted: Pull,
    { intervalMs }: Grid,
    now: number,
    level: 'debug' | 'info' = 'debug',
  ): Promise<void> {
    await note(now);
    if (await isDisabled()) {
      log[level]({}, 'the scheduled run is left out: Puppet is disabled');
      return;
    }
    const problem = wanted.catalog === 'pushed' ? await catalogProblem() : undefined;
    if (problem !== undefined) {
      log.warn({ reason: problem }, 'the scheduled run is left out: kick this host once, to push a catalog');
      return;
    }
    const waitS = Math.min(MAX_WAIT_S, Math.ceil(intervalMs / 2000));
    try {
      await begin(scheduledAction(wanted), waitS);
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'the scheduled run is left out');
    }
  }

  return {
    setCertname(name) {
      certname = name;
    },
    setPull(changed) {
      pull = changed;
    },
    pull: () => pull,
    async look() {
      const now = lookAtClock();
      const own = await grid();
      if (own === undefined || pull === undefined || nextDue({ lastAt, awakeSince }, own) > now) return;
      await beginNext(pull, own, now);
    },
    async runNow() {
      const now = lookAtClock();
      const own = await grid();
      if (own === undefined || pull === undefined) {
        const why = pull === undefined ? 'agent.yaml says nothing of pull' : 'its interval is not known';
        log.warn({}, `asked to run now, but there is no schedule: ${why}`);
        return;
      }
      log.info({}, 'asked to run now, before the time of the next scheduled run');
      await beginNext(pull, own, now, 'info');
    },
    async onRun({ tags, skipTags, noop, useCachedCatalog }) {
      const isWhole =
        tags === undefined &&
        skipTags === undefined &&
        (noop !== true || pull?.noop === true) &&
        (useCachedCatalog !== true || pull?.catalog === 'pushed');
      if (pull !== undefined && isWhole) await note(clock.now());
    },
    async status() {
      const own = await grid();
      if (own === undefined || pull === undefined) return undefined;
      const { intervalMs } = own;
      const nextAt = nextDue({ lastAt, awakeSince }, own);
      return { intervalMs, nextAt, catalog: pull.catalog, ...(pull.noop && { noop: true }) };
    },
    off: async () => (pull === undefined ? undefined : whyOff(pull, await intervalOf(pull, runinterval))),
  };
}

/** A file that is missing or broken means: no run is known. */
async function remembered(path: string): Promise<number | undefined> {
  try {
    const parsed = v.safeParse(MemorySchema, await readOwnJson<unknown>(path));
    return parsed.success ? parsed.output.lastAt : undefined;
  } catch {
    return undefined;
  }
}

/** What a run that has ended means for the schedule; undefined where it means nothing. A kick of some tags leaves the whole catalog behind, and scheduled runs apply what is cached (docs/puppet.md, "The cached catalog"). */
export function pushedNote(pull: Pull | undefined, action: RunAction, verdict: Verdict): string | undefined {
  // Only where it was certainly replaced, and where there is no error that it would hide.
  if (verdict.outcome !== 'changed' && verdict.outcome !== 'unchanged') return undefined;
  if (verdict.facts?.noop === true) return undefined;
  if (pull?.catalog !== 'pushed' || action.noop === true || action.useCachedCatalog === true)
    return undefined;
  if (action.tags === undefined && action.skipTags === undefined) return undefined;
  return 'the cached catalog is now this one as a whole: scheduled runs will apply all of it, not only these tags';
}
