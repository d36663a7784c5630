/** A body of events, read line by line within limits: whoever sends it is not believed. */
import type { IncomingMessage } from 'node:http';
import { decodeEvent } from '../../../protocol/event.ts';
import { formatDuration } from '../../../util/duration.ts';
import { type IncomingEvent, SendError, type SendFailure } from '../../transport.ts';

export interface EventReaderLimits {
  /** Milliseconds to wait for the next whole line. */
  silenceMs: number;
  eventBytes: number;
  streamBytes: number;
}

const NEWLINE = 0x0a;

/** Yields events, no faster than they are taken; throws `SendError`; returns at the answer's true end only. */
export async function* readEvents(
  response: IncomingMessage,
  { silenceMs, eventBytes, streamBytes }: EventReaderLimits,
): AsyncGenerator<IncomingEvent, void, undefined> {
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let parts: Buffer[] = []; // of the line that is not whole yet
  let held = 0;
  let total = 0;
  let timer: NodeJS.Timeout | undefined;
  try {
    for (;;) {
      // From whole line to whole line, so that a drip is silence too; not while the caller is busy.
      timer ??= setTimeout(() => response.destroy(broken(silence(silenceMs))), silenceMs);
      const next = await chunks.next();
      if (next.done === true) break;
      let chunk = next.value;
      total += chunk.byteLength;
      if (total > streamBytes) throw garbage(`more than ${streamBytes} bytes of events`);
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE)) {
        if (held + end > eventBytes) throw garbage(`a line of more than ${eventBytes} bytes`);
        const event = decode(Buffer.concat([...parts, chunk.subarray(0, end)]));
        chunk = chunk.subarray(end + 1);
        parts = [];
        held = 0;
        clearTimeout(timer);
        timer = undefined;
        yield event;
      }
      if (chunk.byteLength > 0) parts.push(chunk);
      held += chunk.byteLength;
      if (held > eventBytes) throw garbage(`a line of more than ${eventBytes} bytes`);
    }
    if (held > 0 || !response.complete) throw broken('the answer ended too early');
  } catch (error) {
    throw error instanceof SendError ? error : broken('the connection broke', error);
  } finally {
    clearTimeout(timer);
    response.destroy();
  }
}

const silence = (ms: number) => `nothing heard for ${formatDuration(ms)}`;

function decode(line: Uint8Array): IncomingEvent {
  try {
    return decodeEvent(line);
  } catch (error) {
    throw garbage('a line that is no event', error);
  }
}

function garbage(what: string, cause?: unknown): SendError {
  return failure('garbage', `not what kick agent says: ${what}`, cause);
}

function broken(message: string, cause?: unknown): SendError {
  return failure('broken', message, cause);
}

function failure(code: SendFailure, message: string, cause: unknown): SendError {
  return new SendError(code, message, { arrived: true, cause });
}
