/**
 * The jobs that this server runs. Each has a marker in `web/running`, so that a server that was killed goes on with them:
 * what a job has done is in its folder, and no host runs twice (DESIGN 7, a job's life is a lease).
 */
import { join } from 'node:path';
import type { Controller } from '../../../controller/controller.ts';
import type { RunOptions } from '../../../controller/execute-job.ts';
import type { LockWish } from '../../../controller/job-lock.ts';
import type { JobEvent } from '../../../controller/jobs/job.ts';
import type { StoredJob } from '../../../controller/jobs/stored-job.ts';
import type { Plan } from '../../../controller/plan-job.ts';
import { KickError, messageOf } from '../../../errors.ts';
import { sleep } from '../../../util/clock.ts';
import type { Log } from '../../../util/log.ts';
import { StoredProblem } from '../../../util/stored-json.ts';
import { shortId } from '../../../util/uuid.ts';
import { type Markers, openMarkers, type Waiting } from './markers.ts';
import { createQuestions, type Questions } from './questions.ts';
import { type Counts, createTallies, type Tallies } from './tallies.ts';

/** Milliseconds between two looks at a job that somebody else runs. */
const ASK_AGAIN_MS = 5000;

/** Milliseconds to wait for the lock of a job that had it. */
const RELOCK_MS = 60_000;

/** And before another look at one that seems to be over here. */
const SETTLE_MS = 20;

export interface RunningJobs {
  /** Resolves to the id once the job has begun or waits for its lock. Rejects if it cannot begin. */
  start(plan: Plan, lock: LockWish | undefined): Promise<string>;
  /** The same for a job that nobody runs. */
  resume(id: string): Promise<void>;
  /** Whether it has begun, or waits for its lock. */
  isKnown(id: string): Promise<boolean>;
  /** Whether it runs, here or elsewhere, or will be gone on with. */
  isBusy(id: string): Promise<boolean>;
  /** Resolves once it is not busy; never if this server ends before. */
  over(id: string): Promise<void>;
  isHere(id: string): boolean;
  /** How many this server runs. */
  count(): number;
  /** Why a job that runs here cannot be remembered, or what else its operator must know. */
  trouble(id: string): string | undefined;
  /** How the hosts of a job that runs have ended so far. */
  counts(id: string): Promise<Counts | undefined>;
  /** What a job asks between two batches. */
  question(id: string): string | undefined;
  /** Returns false if it asks nothing. */
  answer(id: string, goOn: boolean): boolean;
  /** Goes on with the jobs that a killed server was running. */
  takeUp(): Promise<void>;
  /** Leaves all jobs as they are; the next server goes on with them. */
  close(): Promise<void>;
}

export function openRunningJobs(controller: Controller, webDir: string, log: Log): RunningJobs {
  const markers = openMarkers(join(webDir, 'running'), log);
  const questions = createQuestions();
  const tallies = createTallies(controller);
  const [ending, troubles] = [new AbortController(), new Map<string, string>()];
  const parts = { tallies, troubles, log, signal: ending.signal };
  const { running, follow } = createFollower({ ...parts, markers });
  const { start, resume } = createStarter({ ...parts, controller, follow, questions });
  /** Those of an earlier server, until they run here or are over. */
  const takenUp = new Map<string, Promise<void>>();
  const find = (id: string) => controller.job(id).catch(() => undefined);
  const hasBegun = async (id: string) => (await find(id)) !== undefined;
  const isHeld = async (id: string) => (await find(id))?.controller !== undefined;
  const isBusy = async (id: string) => running.has(id) || takenUp.has(id) || (await isHeld(id));

  const goOnWith = goingOn({ controller, markers, start, resume, find, signal: ending.signal });

  return {
    ...{ start, isBusy, counts: tallies.of, question: questions.of, answer: questions.answer },
    resume: (id) => resume(id),
    isKnown: async (id) => (await hasBegun(id)) || (await isWaiting(id, markers)),
    async over(id) {
      while (await isBusy(id)) {
        await (running.get(id) ?? takenUp.get(id) ?? sleep(ASK_AGAIN_MS, ending.signal));
        await sleep(SETTLE_MS);
        // The next server waits for it.
        if (ending.signal.aborted) await new Promise(() => undefined);
      }
    },
    isHere: (id) => running.has(id),
    count: () => running.size,
    trouble: (id) => troubles.get(id),
    async takeUp() {
      // The oldest first, as their ids are sorted: of those with one lock it had begun.
      let before: Promise<unknown> = Promise.resolve();
      for (const id of (await markers.list()).sort()) {
        log.info({ job: id }, 'going on with a job');
        const begun = goOnWith(id, before).catch((error: unknown) => noteLeft(id, error, parts));
        takenUp.set(id, begun);
        before = Promise.all([before, begun]);
        void begun.then(() => takenUp.delete(id));
      }
    },
    close: async () => {
      ending.abort();
      await Promise.allSettled(running.values());
    },
  };
}

interface GoingOnOptions extends ReturnType<typeof createStarter> {
  controller: Controller;
  markers: Markers;
  find(id: string): Promise<StoredJob | undefined>;
  signal: AbortSignal;
}

function goingOn({ controller, markers, start, resume, find, signal }: GoingOnOptions) {
  const hasBegun = async (id: string) => (await find(id)) !== undefined;
  const waitingOf = (id: string) =>
    markers.waiting(id).catch(async (error: unknown) => {
      // What waited may be lost; what has begun is in its folder.
      const isDamaged = error instanceof StoredProblem && !error.isNewer;
      if (isDamaged && (await hasBegun(id))) return undefined;
      throw error;
    });
  /** Waits while somebody else runs it: another server, or one that was killed where we cannot see its processes. */
  return async (id: string, before: Promise<unknown>): Promise<void> => {
    const isHeld = async () => (await find(id))?.controller !== undefined;
    while (!signal.aborted && ((await isHeld()) || (await waitingOf(id))?.isAlive === true))
      await sleep(ASK_AGAIN_MS, signal);
    if (signal.aborted) return;
    const waiting = await waitingOf(id);
    if (waiting === undefined || (await hasBegun(id))) return await resume(id, { waiting });
    // Those that had begun have their locks again.
    await before;
    const waitMs = Math.max(0, waiting.until - controller.clock.now());
    await start(waiting.plan, { name: waiting.lock, waitMs });
  };
}

interface StarterOptions {
  controller: Controller;
  follow: ReturnType<typeof createFollower>['follow'];
  questions: Questions;
  tallies: Tallies;
  troubles: Map<string, string>;
  log: Log;
  signal: AbortSignal;
}

function createStarter({ controller, follow, questions, tallies, troubles, log, signal }: StarterOptions) {
  const optionsOf = (id: string): RunOptions => ({
    confirm: (text, aborted) => questions.ask(id, text, aborted),
    signal,
    warn(reason) {
      if (!troubles.has(id)) troubles.set(id, reason);
      log.warn({ job: id, reason }, 'trouble with a job');
    },
  });
  const note = (id: string) => (event: JobEvent) => tallies.note(id, event);
  return {
    resume(id: string, takenUp?: { waiting: Waiting | undefined }) {
      const isTakenUp = takenUp !== undefined;
      const work = (begun: () => void) => {
        const onStart = (stored: StoredJob) => {
          tallies.begin(id, stored);
          begun();
        };
        const lock = takenUp?.waiting && { name: takenUp.waiting.lock, waitMs: RELOCK_MS };
        return controller.resume(id, { ...optionsOf(id), isTakenUp, lock, onStart, onEvent: note(id) });
      };
      return follow(id, work, takenUp?.waiting);
    },
    async start(plan: Plan, lock: LockWish | undefined): Promise<string> {
      const { id } = plan.job;
      const work = (begun: () => void) => {
        tallies.begin(id);
        const onEvent = (event: JobEvent) => {
          begun();
          tallies.note(id, event);
        };
        return controller.run(plan, { ...optionsOf(id), lock, onEvent, onLock: begun });
      };
      const { name, waitMs = 0 } = lock ?? {};
      const until = controller.clock.now() + waitMs;
      await follow(id, work, name === undefined ? undefined : { plan, lock: name, until });
      return id;
    },
  };
}

interface FollowerOptions {
  markers: Markers;
  tallies: Tallies;
  troubles: Map<string, string>;
  log: Log;
  signal: AbortSignal;
}

/** Jobs with their markers, until they are over. `signal` aborted: the server ends, and the next one goes on with them. */
function createFollower({ markers, tallies, troubles, log, signal }: FollowerOptions) {
  const running = new Map<string, Promise<void>>();

  /** `work` runs the job to its end, and calls `begun`. */
  async function follow(
    id: string,
    work: (begun: () => void) => Promise<unknown>,
    waiting?: Waiting,
  ): Promise<void> {
    // Its marker is not ours to remove if this one fails.
    if (running.has(id))
      throw new KickError('state', `run the job ${shortId(id)}: this server runs it already`);
    running.set(id, Promise.resolve());
    await markers.add(id, waiting);
    await new Promise<void>((resolve, reject) => {
      const over = work(resolve)
        .then(
          () => resolve(),
          (error: unknown) => {
            log.warn({ job: id, reason: messageOf(error) }, 'a job ended early');
            reject(error);
          },
        )
        .then(async () => {
          running.delete(id);
          tallies.end(id);
          troubles.delete(id);
          if (!signal.aborted) await markers.remove(id);
        });
      running.set(id, over);
    });
  }

  return { running, follow };
}

const isWaiting = (id: string, markers: Markers): Promise<boolean> =>
  markers.waiting(id).then(
    (waiting) => waiting !== undefined,
    () => true, // it cannot be read
  );

/** Whatever else goes wrong is logged where it does. */
function noteLeft(
  job: string,
  error: unknown,
  { log, troubles }: { log: Log; troubles: Map<string, string> },
): void {
  if (!(error instanceof StoredProblem)) return;
  troubles.set(job, `the job ${shortId(job)} waited for its lock, and is left alone: ${error.message}`);
  log.warn({ job, reason: error.message }, 'a job is left alone');
}
