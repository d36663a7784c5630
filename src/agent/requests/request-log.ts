/**
 * A request's stream of events, numbered from 1 without gaps: its own, then those of the run that
 * serves it. Only the assignment joins them; nothing is kept twice while a run lasts.
 *
 * A run's events lie on a tmpfs, and a reboot takes them away, so numbers that a reader has seen may come again.
 * The end does not depend on them: every reader gets it, numbered above whatever that reader has.
 */
import type { Event, StoredEvent } from '../../protocol/event.ts';
import type { Clock } from '../../util/clock.ts';
import { allEvents } from '../runs/event-file.ts';
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
   * Takes the request off its run: the run's events so far become the request's own, then `last` if
   * given, all in one write.
   */
  release(name: string, last?: Event): Promise<void>;
  /** The request's outcome, if it has one. */
  finished(name: string): Promise<StoredEvent | undefined>;
  /**
   * The events after number `after`, as they come; ends after `finished`, which every reader gets, when `signal` aborts,
   * and when the request is no longer kept.
   */
  stream(name: string, after: number, signal: AbortSignal): AsyncGenerator<StoredEvent>;
}

export function createRequestLog({ requests, runs, notifier, clock }: RequestLogDeps): RequestLog {
  async function lastOwn(name: string): Promise<number> {
    const own = await allEvents((offset) => requests.ownEvents(name, offset));
    return own.at(-1)?.seq ?? 0;
  }

  const exclusively = createTurns();

  async function append(name: string, events: readonly (Event & { at?: number })[]): Promise<void> {
    const own = await allEvents((offset) => requests.ownEvents(name, offset));
    const last = own.at(-1);
    if (last?.type === 'finished') return; // exactly one outcome a request
    const base = last?.seq ?? 0;
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
      const own = await allEvents((offset) => requests.ownEvents(name, offset));
      const last = own.at(-1);
      if (last?.type === 'finished') return last;
      const assignment = await requests.assignment(name);
      if (typeof assignment !== 'object' || !(await runs.isSettled(assignment.run))) return undefined;
      const events = await allEvents((offset) => runs.events(assignment.run, offset));
      const end = events.at(-1);
      return end?.type === 'finished'
        ? { ...withoutOffsets(end), seq: assignment.base + events.length }
        : undefined;
    },
    stream: (name, after, signal) => followRequest({ name, after, signal }, { requests, runs, notifier }),
  };

  async function release(name: string, last?: Event): Promise<void> {
    const assignment = await requests.assignment(name);
    const ofRun =
      typeof assignment === 'object' ? await allEvents((offset) => runs.events(assignment.run, offset)) : [];
    const copied = ofRun.filter(({ type }) => type !== 'finished').map(withoutOffsets);
    const all = [...copied, ...(last === undefined ? [] : [last])];
    if (all.length > 0) await append(name, all);
    await requests.unassign(name);
    notifier.notify(name);
  }
}

/** One writer at a time for each request, so that numbers have no gaps. */
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
