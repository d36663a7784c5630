import type { Event } from '../../protocol/event.ts';
import type { KeptEvent } from '../runs/event-file.ts';

/** A run's event for a request's stream: how far the run's files were read matters only to the agent. */
export function withoutOffsets(event: KeptEvent): Event & { at: number } {
  const { read: _read, seq: _seq, ...rest } = event;
  return rest;
}
