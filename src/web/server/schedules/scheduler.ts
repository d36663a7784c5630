/**
 * Runs what is due. A time counts as dealt with before its job starts, in the file and under its lock: a server that is
 * killed in between, or a second one, never runs it twice.
 */
import { messageOf } from '../../../errors.ts';
import { type Clock, sleep } from '../../../util/clock.ts';
import type { Log } from '../../../util/log.ts';
import type { StoredList } from '../access/stored-list.ts';
import { MAX_HISTORY, type StoredPass, type StoredSchedule } from './stored-schedule.ts';
import { nextTimes } from './times.ts';

/** Milliseconds between two looks: a clock that is set, or a schedule that is changed, is noticed within it. */
const LOOK_EVERY_MS = 5000;

/** Milliseconds by which a time may be late and is not missed. */
const LATE_MS = 60_000;

export type Pass = Omit<StoredPass, 'at'>;

/** Called with the job that still runs. */
export type OnWaiting = (job: string) => void;

export interface SchedulerOptions {
  stored: StoredList<StoredSchedule>;
  clock: Clock;
  log: Log;
  /** Starts its job; what became of that. Calls `onWaiting` if it waits for the job before, however long that takes. */
  fire(schedule: StoredSchedule, onWaiting?: OnWaiting): Promise<Pass>;
}

export interface Scheduler {
  /** Goes on with what an earlier server waited for. */
  takeUp(): Promise<void>;
  /** Deals with what is due now; resolves when that has begun. */
  look(): Promise<void>;
  /** Runs one now, and notes it. */
  run(schedule: StoredSchedule, onWaiting?: OnWaiting): Promise<Pass>;
  close(): void;
}

export function startScheduler(options: SchedulerOptions): Scheduler {
  const ending = new AbortController();
  const { log } = options;
  const scheduler = createScheduler(options);
  let trouble: string | undefined;
  const failed = (error: unknown) => {
    const reason = messageOf(error);
    // Once, and not at each look.
    if (reason !== trouble) log.error({ reason }, 'the schedules cannot be looked at');
    trouble = reason;
  };
  void (async () => {
    await scheduler.takeUp().catch(failed);
    while (!ending.signal.aborted) {
      await scheduler.look().then(() => (trouble = undefined), failed);
      await sleep(LOOK_EVERY_MS, ending.signal);
    }
  })();
  return { ...scheduler, close: () => ending.abort() };
}

export function createScheduler({ stored, clock, fire }: SchedulerOptions): Omit<Scheduler, 'close'> {
  async function note({ wish: { name } }: StoredSchedule, pass: StoredPass): Promise<void> {
    await stored.change((all) =>
      all.map((one) =>
        one.wish.name === name ? { ...one, history: [pass, ...one.history].slice(0, MAX_HISTORY) } : one,
      ),
    );
  }

  async function run(schedule: StoredSchedule, onWaiting?: OnWaiting): Promise<Pass> {
    const at = clock.now();
    const pass = await fire(schedule, onWaiting).catch((error: unknown): Pass => {
      return { result: 'failed', message: messageOf(error) };
    });
    try {
      await note(schedule, { at, ...pass });
      return pass;
    } catch (error) {
      // The job has begun: a full disk only loses the note of it.
      const lost = `it is not noted: ${messageOf(error)}`;
      return { ...pass, message: pass.message === undefined ? lost : `${pass.message}; ${lost}` };
    }
  }

  return {
    run,
    async takeUp() {
      for (const one of await stored.read()) if (one.waitsFor !== undefined) void run(one);
    },
    async look() {
      const now = clock.now();
      if (!(await stored.read()).some((one) => dueAt(one, now) !== undefined)) return;
      const due: { schedule: StoredSchedule; at: number }[] = [];
      await stored.change((all) =>
        all.map((schedule) => {
          const at = dueAt(schedule, now);
          if (at === undefined) return schedule;
          due.push({ schedule, at });
          return { ...schedule, doneUntil: now };
        }),
      );
      for (const { schedule, at } of due) {
        const isMissed = now - at > LATE_MS;
        if (isMissed && schedule.wish.missed === 'skip') {
          await note(schedule, { at, result: 'missed', message: 'no server ran at this time' });
        } else void run(schedule);
      }
    },
  };
}

/** The latest of its times that has come and has not been dealt with; of several that were missed only one counts. */
function dueAt({ wish, doneUntil }: StoredSchedule, now: number): number | undefined {
  if (wish.paused) return undefined;
  const [next] = nextTimes(wish, doneUntil, 1);
  if (next === undefined || next > now) return undefined;
  const [recent] = nextTimes(wish, Math.max(doneUntil, now - LATE_MS), 1);
  return recent !== undefined && recent <= now ? recent : next;
}
