/** How the hosts of jobs that run have ended so far: of our own as it happens, of others' by a look at what they wrote. */
import type { Controller } from '../../../controller/controller.ts';
import type { JobEvent } from '../../../controller/jobs/job.ts';
import { outcomeCounts, type StoredJob } from '../../../controller/jobs/stored-job.ts';

/** Milliseconds between two looks at a job of somebody else's. */
const LOOK_EVERY_MS = 3000;

export type Counts = Readonly<Record<string, number>>;

export interface Tallies {
  /** Begins to count a job; `before`: what an earlier server had seen of it. */
  begin(id: string, before?: StoredJob): void;
  note(id: string, event: JobEvent): void;
  end(id: string): void;
  /** Undefined: nothing is known of it. */
  of(id: string): Promise<Counts | undefined>;
}

export function createTallies(controller: Pick<Controller, 'job' | 'clock'>): Tallies {
  const own = new Map<string, Record<string, number>>();
  const looked = new Map<string, { at: number; counts: Promise<Counts | undefined> }>();
  const { clock } = controller;

  function look(id: string): Promise<Counts | undefined> {
    const now = clock.monotonic();
    for (const [other, { at }] of looked) if (now - at >= LOOK_EVERY_MS) looked.delete(other);
    const known = looked.get(id)?.counts;
    if (known !== undefined) return known;
    const counts = controller.job(id).then(
      ({ results }) => outcomeCounts(results.values()),
      () => undefined,
    );
    looked.set(id, { at: now, counts });
    return counts;
  }

  return {
    begin: (id, before) =>
      void own.set(id, before === undefined ? {} : { ...outcomeCounts(before.results.values()) }),
    note(id, event) {
      const counts = own.get(id);
      if (counts === undefined || event.type !== 'host-done') return;
      const { outcome } = event.result;
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    },
    end: (id) => void own.delete(id),
    of: async (id) => own.get(id) ?? look(id),
  };
}
