/** Writes a stream of events as the body of an answer: one per line, with signs of life in between. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { ALIVE_LINE, encodeEvent } from '../../../protocol/event.ts';
import type { EventStream } from '../../transport.ts';
import { EVENTS_TYPE } from '../media-types.ts';

export interface EventWriterLimits {
  aliveMs: number;
  stallMs: number;
}

/**
 * Sends events until the stream ends, no faster than they are read. If the other end goes away, the
 * stream's signal is aborted and this resolves. Rethrows the stream's errors after destroying the
 * connection.
 */
export async function writeEvents(
  response: ServerResponse,
  open: (signal: AbortSignal) => EventStream,
  { aliveMs, stallMs }: EventWriterLimits,
): Promise<void> {
  if (response.destroyed || response.socket === null || response.socket.destroyed) return;
  const controller = new AbortController();
  const { signal } = controller;
  response.once('close', () => controller.abort());
  response.writeHead(200, { 'content-type': EVENTS_TYPE, 'cache-control': 'no-store' });
  response.flushHeaders();
  const alive = setInterval(() => {
    if (!response.destroyed && !response.writableNeedDrain) response.write(ALIVE_LINE);
  }, aliveMs);
  try {
    for await (const event of open(signal)) {
      if (response.destroyed) return;
      if (!response.write(encodeEvent(event))) await drained(response, { signal, stallMs });
    }
    response.end();
  } catch (error) {
    if (signal.aborted) return;
    response.destroy();
    throw error;
  } finally {
    clearInterval(alive);
  }
}

/** Resolves when there is room again or the connection is gone; a reader that takes nothing for too long is cut off. */
async function drained(
  response: ServerResponse,
  { signal, stallMs }: { signal: AbortSignal; stallMs: number },
): Promise<void> {
  const timer = setTimeout(() => response.destroy(), stallMs);
  try {
    await once(response, 'drain', { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
}
