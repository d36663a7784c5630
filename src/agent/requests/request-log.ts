/**
 * A request's stream of events, numbered from 1 without gaps: its own, then those of the run that
 * serves it. Only the assignment joins them; nothing is kept twice while a run lasts.
 *
 * What a run tells lies on a tmpfs, and a reboot takes it away, so that numbers which a reader has seen may come again.
 * The end does not depend on them: it is told to everybody who asks, numbered above whatever the reader has.
 */
import type { Event, StoredEvent } from '../../protocol/event.ts';
import type { Clock } from '../../util/clock.ts';
import { allEvents, type KeptEvent } from '../runs/event-file.ts';
import type { RunStore } from '../runs/run-store.ts';
import type { Notifier } from './notifier.ts';
import type { AssignedRun, Assignment } from './request-record.ts';
import type { RequestStore } from './request-store.ts';

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
   * Takes the request off its run: what was told of the run so far becomes the request's own, then
   * `last` if given, all at one stroke.
   */
  release(name: string, last?: Event): Promise<void>;
  /** The request's outcome, if it has one. */
  finished(name: string): Promise<StoredEvent | undefined>;
  /**
   * The events after number `after`, as they come; ends after `finished`, which is always told, when `signal` aborts,
   * and when the request is no longer kept.
   */
  stream(name: string, after: number, signal: AbortSignal): AsyncGenerator<StoredEvent>;
}

export function createRequestLog({ requests, runs, notifier, clock }: RequestLogDeps): RequestLog {
  async function lastOwn(name: string): Promise<number> {
    const own = await allEvents((offset) => requests.ownEvents(name, offset));
    return own.at(-1)?.seq ?? 0;
  }

  /** One writer a request: numbers without gaps. */
  const writers = new Map<string, Promise<void>>();

  function exclusively(name: string, write: () => Promise<void>): Promise<void> {
    const turn = (writers.get(name) ?? Promise.resolve()).catch(() => {}).then(write);
    const settled = turn
      .catch(() => {})
      .then(() => {
        if (writers.get(name) === settled) writers.delete(name);
      });
    writers.set(name, settled);
    return turn;
  }

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
    stream,
  };

  async function release(name: string, last?: Event): Promise<void> {
    const assignment = await requests.assignment(name);
    const told =
      typeof assignment === 'object' ? await allEvents((offset) => runs.events(assignment.run, offset)) : [];
    const copied = told.filter(({ type }) => type !== 'finished').map(withoutOffsets);
    const all = [...copied, ...(last === undefined ? [] : [last])];
    if (all.length > 0) await append(name, all);
    await requests.unassign(name);
    notifier.notify(name);
  }

  async function* stream(name: string, after: number, signal: AbortSignal): AsyncGenerator<StoredEvent> {
    const place = { last: after, ownOffset: 0, run: '', runOffset: 0, runCount: 0 };
    while (!signal.aborted) {
      const assigned = await assignmentOf(name);
      // It listens before it looks, so that nothing falls between.
      const more = notifier.listen(assigned === undefined ? [name] : [name, assigned.run], signal);
      try {
        const found = (await ownChunk(name, place)) ?? (await runChunk(name, assigned, place));
        // Somebody has emptied the state directory: whoever asks again is told that nothing is known.
        if (found === undefined && !(await requests.isKept(name))) return;
        if (found === undefined) await more.woken;
        for (const event of found ?? []) {
          if (event.type === 'finished') return yield { ...event, seq: Math.max(event.seq, place.last + 1) };
          if (event.seq > place.last) yield event;
          place.last = Math.max(place.last, event.seq);
        }
      } finally {
        more.stop();
      }
    }
  }

  /** Undefined also where nobody can say which run it is: settle.ts ends such requests. */
  async function assignmentOf(name: string): Promise<Assignment | undefined> {
    const assignment = await requests.assignment(name);
    return assignment === 'unusable' ? undefined : assignment;
  }

  async function ownChunk(name: string, place: StreamPlace): Promise<StoredEvent[] | undefined> {
    const own = await requests.ownEvents(name, place.ownOffset);
    place.ownOffset = own.offset;
    return own.events.length > 0 ? own.events : undefined;
  }

  /** Empty when the assignment has changed since it began to listen: it must look again. */
  async function runChunk(
    name: string,
    assigned: Assignment | undefined,
    place: StreamPlace,
  ): Promise<StoredEvent[] | undefined> {
    const assignment = await assignmentOf(name);
    if (assignment?.run !== assigned?.run) return [];
    if (assignment === undefined) return undefined;
    if (place.run !== assignment.run)
      Object.assign(place, { run: assignment.run, runOffset: 0, runCount: 0 });
    const told = await runs.events(assignment.run, place.runOffset);
    place.runOffset = told.offset;
    const events = told.events.map((event) => {
      place.runCount += 1;
      return { ...withoutOffsets(event), seq: assignment.base + place.runCount };
    });
    return events.length > 0 ? events : undefined;
  }
}

/** How far a reader has come. */
interface StreamPlace {
  /** The number of the event that was told last. */
  last: number;
  ownOffset: number;
  run: string;
  runOffset: number;
  runCount: number;
}

/** Where the run's files were read to is nobody's business but the agent's. */
function withoutOffsets(event: KeptEvent): Event & { at: number } {
  const { read: _read, seq: _seq, ...rest } = event;
  return rest;
}
