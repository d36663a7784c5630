/**
 * The jobs that this server runs. Each has a marker in `web/running`, so that a server that was killed goes on with them:
 * what a job has done is in its folder, and no host runs twice (DESIGN 7, a job's life is a lease).
 */
import { join } from 'node:path';
import type { Controller } from '../../../controller/controller.ts';
import type { RunOptions } from '../../../controller/execute-job.ts';
import type { LockWish } from '../../../controller/job-lock.ts';
import type { Plan } from '../../../controller/plan-job.ts';
import { KickError, messageOf } from '../../../errors.ts';
import { sleep } from '../../../util/clock.ts';
import type { Log } from '../../../util/log.ts';
import { shortId } from '../../../util/uuid.ts';
import { type Markers, openMarkers } from './markers.ts';
import { createQuestions } from './questions.ts';

/** Milliseconds between two looks at a job that somebody else runs. */
const ASK_AGAIN_MS = 5000;

export interface RunningJobs {
  /** Resolves to the id once the job has begun or waits for its lock. Rejects if it cannot begin. */
  start(plan: Plan, lock: LockWish | undefined): Promise<string>;
  /** The same for a job that nobody runs. */
  resume(id: string): Promise<void>;
  /** Resolves once this server no longer runs it; at once if it never did. */
  over(id: string): Promise<void>;
  isRunning(id: string): boolean;
  /** How many this server runs. */
  count(): number;
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
  const ending = new AbortController();
  const { running, follow } = createFollower({ markers, log, signal: ending.signal });

  function optionsOf(id: string): RunOptions {
    return {
      confirm: (text, signal) => questions.ask(id, text, signal),
      signal: ending.signal,
      warn: (reason) => log.warn({ job: id, reason }, 'trouble with a job'),
    };
  }

  const resume = (id: string) =>
    follow(id, (begun) => controller.resume(id, { ...optionsOf(id), onStart: begun }));

  /** Waits while somebody else runs it: another server, or one that was killed where we cannot see its processes. */
  async function goOnWith(id: string): Promise<void> {
    const isHeld = async () => (await controller.job(id).catch(() => undefined))?.controller !== undefined;
    while (await isHeld()) await sleep(ASK_AGAIN_MS, ending.signal);
    if (ending.signal.aborted) return;
    await resume(id);
  }

  return {
    async start(plan, lock) {
      const { id } = plan.job;
      const work = (begun: () => void) =>
        controller.run(plan, { ...optionsOf(id), lock, onEvent: begun, onLock: begun });
      await follow(id, work);
      return id;
    },
    resume,
    over: async (id) => running.get(id),
    isRunning: (id) => running.has(id),
    count: () => running.size,
    question: questions.of,
    answer: questions.answer,
    async takeUp() {
      for (const id of await markers.list()) {
        log.info({ job: id }, 'going on with a job');
        void goOnWith(id).catch(() => undefined); // it is logged
      }
    },
    async close() {
      ending.abort();
      await Promise.allSettled(running.values());
    },
  };
}

/** Jobs with their markers, until they are over. `signal` aborted: the server ends, and the next one goes on with them. */
function createFollower({ markers, log, signal }: { markers: Markers; log: Log; signal: AbortSignal }) {
  const running = new Map<string, Promise<void>>();

  /** `work` runs the job to its end, and calls `begun`. */
  async function follow(id: string, work: (begun: () => void) => Promise<unknown>): Promise<void> {
    // Its marker is not ours to remove if this one fails.
    if (running.has(id))
      throw new KickError('state', `run the job ${shortId(id)}: this server runs it already`);
    running.set(id, Promise.resolve());
    await markers.add(id);
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
          if (!signal.aborted) await markers.remove(id);
        });
      running.set(id, over);
    });
  }

  return { running, follow };
}
