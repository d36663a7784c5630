/** Events of a whole file. */
import { TooLong } from './event-file.ts';

/** What a run prints is limited to far less (output.ts). */
const MAX_EVENTS = 500_000;

/** Collects all events from `read`, chunk after chunk. Throws like `read`, and `NotAFile` if there are far too many. */
export async function allEvents<E>(
  read: (offset: number) => Promise<{ events: E[]; offset: number }>,
): Promise<E[]> {
  const all: E[] = [];
  for (let offset = 0; ; ) {
    const chunk = await read(offset);
    if (chunk.events.length === 0) return all;
    for (const event of chunk.events) all.push(event);
    if (all.length > MAX_EVENTS) throw new TooLong();
    offset = chunk.offset;
  }
}
