/** A request's stream of events as they come: its own, then those of the run that serves it. */
import type { StoredEvent } from '../../protocol/event.ts';
import type { RunStore } from '../runs/run-store.ts';
import type { Notifier } from './notifier.ts';
import type { Assignment } from './request-record.ts';
import type { RequestStore } from './request-store.ts';
import { withoutOffsets } from './without-offsets.ts';

export interface FollowDeps {
  requests: Pick<RequestStore, 'assignment' | 'ownEvents' | 'isKept'>;
  runs: Pick<RunStore, 'events'>;
  notifier: Notifier;
}

/** How far a reader has come. */
interface Place {
  /** The number of the last event that was sent. */
  last: number;
  ownOffset: number;
  run: string;
  runOffset: number;
  runCount: number;
}

/** See `RequestLog.stream`. */
export async function* followRequest(
  { name, after, signal }: { name: string; after: number; signal: AbortSignal },
  deps: FollowDeps,
): AsyncGenerator<StoredEvent> {
  const place: Place = { last: after, ownOffset: 0, run: '', runOffset: 0, runCount: 0 };
  while (!signal.aborted) {
    const assigned = await assignmentOf(name, deps);
    // It listens before it looks, so that nothing falls between.
    const more = deps.notifier.listen(assigned === undefined ? [name] : [name, assigned.run], signal);
    try {
      const found = (await ownChunk(name, place, deps)) ?? (await runChunk({ name, assigned }, place, deps));
      // Somebody has emptied the state directory: a reader that asks again learns that nothing is known.
      if (found === undefined && !(await deps.requests.isKept(name))) return;
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
async function assignmentOf(name: string, { requests }: FollowDeps): Promise<Assignment | undefined> {
  const assignment = await requests.assignment(name);
  return assignment === 'unusable' ? undefined : assignment;
}

async function ownChunk(
  name: string,
  place: Place,
  { requests }: FollowDeps,
): Promise<StoredEvent[] | undefined> {
  const own = await requests.ownEvents(name, place.ownOffset);
  place.ownOffset = own.offset;
  return own.events.length > 0 ? own.events : undefined;
}

/** Empty when the assignment has changed since the reader began to listen: it must look again. */
async function runChunk(
  { name, assigned }: { name: string; assigned: Assignment | undefined },
  place: Place,
  deps: FollowDeps,
): Promise<StoredEvent[] | undefined> {
  const assignment = await assignmentOf(name, deps);
  if (assignment?.run !== assigned?.run) return [];
  if (assignment === undefined) return undefined;
  if (place.run !== assignment.run) Object.assign(place, { run: assignment.run, runOffset: 0, runCount: 0 });
  const found = await deps.runs.events(assignment.run, place.runOffset);
  place.runOffset = found.offset;
  const events = found.events.map((event) => {
    place.runCount += 1;
    return { ...withoutOffsets(event), seq: assignment.base + place.runCount };
  });
  return events.length > 0 ? events : undefined;
}
