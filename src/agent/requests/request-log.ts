/**
 * A request's stream of events, numbered from 1 without gaps: its own, then those of the run that
 * serves it. They are joined only by the assignment, so nothing is stored twice while a run lasts.
 *
 * A run's events are on a tmpfs and lost in a reboot, so numbers that a reader has seen may come again. The end does not
 * depend on them: every reader gets it, with a number above any that reader has seen.
 */
import type { Event, StoredEvent } from '../../protocol/event.ts';
import type { Clock } from '../../util/clock.ts';
import { allEvents } from '../runs/all-events.ts';
import type { RunStore } from '../runs/run-store.ts';
import { followRequest } from './follow-request.ts';
import type { Notifier } from './notifier.ts';
import type { AssignedRun } from './request-record.ts';
import type { RequestStore } from './request-store.ts';
import { withoutOffsets } from './without-offsets.ts';

export interface RequestLogDeps {
  requests: RequestStore;
  runs: RunStore;
  notifier: Notifier;
  clock: Clock;
}

export interface RequestLog {
  /** Adds to the request's own events and wakes its readers. */
  append(name: string, events: readonly Event[]): Promise<void>;
  /** From now on the run's events follow the request's own. */
  assign(name: string, run: AssignedRun): Promise<void>;
  /**
   * Takes the request off its run: copies the run's events so far into the request's own, followed by
   * `last` if given, in one write.
   */
  release(name: string, last?: Event): Promise<void>;
  /** The request's outcome, if it has one. */
  finished(name: string): Promise<StoredEvent | undefined>;
  /**
   * Yields the events after number `after` as they come; ends after `finished`, which every reader gets, when `signal`
   * aborts, or when the request is no longer kept.
   */
  stream(name: string, after: number, signal: AbortSignal): AsyncGenerator<StoredEvent>;
}

export function createRequestLog({ requests, runs, notifier, clock }: RequestLogDeps): RequestLog {
  async function lastOwn(name: string): Promise<number> {
    const own = await allEvents((offset) => requests.ownEvents(name, offset));
    return own.at(-1)?.seq ?? 0;
  }

  /** Whatever is behind it: nothing that we write. */
  async function ownEnd(name: string): Promise<StoredEvent | undefined> {
    const own = await allEvents((offset) => requests.ownEvents(name, offset));
    return own.find(({ type }) => type === 'finished');
  }

  const exclusively = createTurns();

  async function append(name: string, events: readonly (Event & { at?: number })[]): Promise<void> {
    if ((await ownEnd(name)) !== undefined) return; // exactly one outcome per request
    const base = await lastOwn(name);
    await requests.appendOwn(
      name,
      events.map((event, index) => ({ at: clock.now(), ...event, seq: base + index + 1 })),
    );
    notifier.notify(name);
  }

  return {
    append: (name, events) => exclusively(name, () => append(name, events)),
    assign: (name, { run, boot, wrapper, inner }) =>
      exclusively(name, async () => {
        const processes = {
          ...(wrapper !== undefined && { wrapper }),
          ...(inner !== undefined && { inner }),
        };
        await requests.assign(name, { run, boot, base: await lastOwn(name), ...processes });
      }),
    release: (name, last) => exclusively(name, () => release(name, last)),
    async finished(name) {
      const own = await ownEnd(name);
      if (own !== undefined) return own;
      const assignment = await requests.assignment(name);
      const end = typeof assignment === 'object' ? await runs.endOf(assignment.run) : undefined;
      if (end === undefined || typeof assignment !== 'object') return undefined;
      return { ...withoutOffsets(end.last), seq: assignment.base + end.count };
    },
    stream: (name, after, signal) =>
      followRequest({ name, after, signal }, { requests, runs, notifier, clock }),
  };

  async function release(name: string, last?: Event): Promise<void> {
    const assignment = await requests.assignment(name);
    const ofRun =
      typeof assignment === 'object' ? await allEvents((offset) => runs.events(assignment.run, offset)) : [];
    const copied = ofRun.filter(({ type }) => type !== 'finished').map(withoutOffsets);
    const all = [...copied, ...(last === undefined ? [] : [last])];
    if (all.length > 0) await append(name, all);
    await requests.unassign(name, { isOver: last !== undefined });
    notifier.notify(name);
  }
}

/** Returns a function that allows one writer at a time per request, so that numbers have no gaps. */
function createTurns(): (name: string, write: () => Promise<void>) => Promise<void> {
  const writers = new Map<string, Promise<void>>();
  return (name, write) => {
    const turn = (writers.get(name) ?? Promise.resolve()).catch(() => {}).then(write);
    const settled = turn
      .catch(() => {})
      .then(() => {
        if (writers.get(name) === settled) writers.delete(name);
      });
    writers.set(name, settled);
    return turn;
  };
}
