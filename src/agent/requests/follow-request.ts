/** A request's live stream of events: its own, then those of the run that serves it. */
import type { FinishedEvent, StoredEvent } from '../../protocol/event.ts';
import type { Clock } from '../../util/clock.ts';
import type { RunStore } from '../runs/run-store.ts';
import { damagedEnd } from './damaged-requests.ts';
import type { Notifier } from './notifier.ts';
import type { Assignment } from './request-record.ts';
import type { RequestStore } from './request-store.ts';
import { withoutOffsets } from './without-offsets.ts';

export interface FollowDeps {
  requests: Pick<RequestStore, 'assignment' | 'ownEvents' | 'isKept' | 'damagedEnd'>;
  runs: Pick<RunStore, 'events' | 'isSettled'>;
  notifier: Notifier;
  clock: Pick<Clock, 'now'>;
}

/** Bytes of events that are decoded at once: a reader that reads nothing holds on to them. */
const STEP = 32 << 10;

/** A reader's position. */
interface Place {
  /** The number of the last event sent. */
  last: number;
  ownOffset: number;
  ownLast: number;
  run: string;
  runOffset: number;
  runCount: number;
}

/** See `RequestLog.stream`. */
export async function* followRequest(
  { name, after, signal }: { name: string; after: number; signal: AbortSignal },
  deps: FollowDeps,
): AsyncGenerator<StoredEvent> {
  const place: Place = { last: after, ownOffset: 0, ownLast: 0, run: '', runOffset: 0, runCount: 0 };
  while (!signal.aborted) {
    const damaged = await deps.requests.damagedEnd(name);
    if (damaged !== undefined) return yield endNow(damaged, place, deps);
    const assigned = runOf(await deps.requests.assignment(name));
    // Listens before it reads, so that nothing is missed in between.
    const more = deps.notifier.listen(assigned === undefined ? [name] : [name, assigned], signal);
    try {
      const found = (await ownChunk(name, place, deps)) ?? (await runChunk({ name, assigned }, place, deps));
      // Somebody has emptied the state directory; a reader that reconnects is answered `unknown-job`.
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

const endNow = (end: FinishedEvent, { last }: Place, { clock }: FollowDeps): StoredEvent => ({
  ...end,
  seq: last + 1,
  at: clock.now(),
});

const runOf = (assignment: Assignment | 'damaged' | undefined) =>
  typeof assignment === 'object' ? assignment.run : assignment;

async function ownChunk(
  name: string,
  place: Place,
  { requests }: FollowDeps,
): Promise<StoredEvent[] | undefined> {
  const own = await requests.ownEvents(name, place.ownOffset, STEP, place.ownLast);
  place.ownOffset = own.offset;
  place.ownLast = own.events.at(-1)?.seq ?? place.ownLast;
  return own.events.length > 0 ? own.events : undefined;
}

/** Empty if the assignment has changed since the reader began to listen: it must start over. */
async function runChunk(
  { name, assigned }: { name: string; assigned: string | undefined },
  place: Place,
  deps: FollowDeps,
): Promise<StoredEvent[] | undefined> {
  const assignment = await deps.requests.assignment(name);
  if (runOf(assignment) !== assigned) return [];
  if (assignment === undefined) return undefined;
  // Its last event may have been written since they were read.
  if (assignment === 'damaged')
    return (await ownChunk(name, place, deps)) ?? [lostEnd('run.json', place, deps)];
  const { run } = assignment;
  if (place.run !== run) Object.assign(place, { run, runOffset: 0, runCount: 0 });
  // First: a run that is over has its last event in its file.
  const isOver = await deps.runs.isSettled(run);
  const found = await deps.runs.events(run, place.runOffset, STEP);
  place.runOffset = found.offset;
  const events = found.events.map((event) => {
    place.runCount += 1;
    return { ...withoutOffsets(event), seq: assignment.base + place.runCount };
  });
  if (events.length > 0) return events;
  return isOver ? [lostEnd('the end of its run', place, deps)] : undefined;
}

/** For a request whose files have been damaged since the agent started: the next agent settles it (settle.ts). */
function lostEnd(what: string, place: Place, deps: FollowDeps): StoredEvent {
  return endNow(damagedEnd(`${what} cannot be read`, deps.clock.now()), place, deps);
}
