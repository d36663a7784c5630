/** Reads a body of events line by line within limits: the sender is not trusted. */
import type { IncomingMessage } from 'node:http';
import { decodeEvent } from '../../../protocol/event.ts';
import { formatDuration } from '../../../util/duration.ts';
import { JsonError } from '../../../util/json.ts';
import { type IncomingEvent, SendError, type SendFailure, type StreamBudget } from '../../transport.ts';

export interface EventReaderLimits {
  /** Milliseconds to wait for the next whole line. */
  silenceMs: number;
  eventBytes: number;
}

const NEWLINE = 0x0a;

/** Yields events no faster than they are taken; throws `SendError`; returns only at the proper end of the answer. */
export async function* readEvents(
  response: IncomingMessage,
  { silenceMs, eventBytes, budget }: EventReaderLimits & { budget: StreamBudget },
): AsyncGenerator<IncomingEvent, void, undefined> {
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let parts: Buffer[] = []; // of the line that is not whole yet
  let held = 0;
  let timer: NodeJS.Timeout | undefined;
  try {
    for (;;) {
      // Measured between whole lines, so that single bytes do not count; paused while the caller is busy.
      timer ??= setTimeout(() => response.destroy(broken(silence(silenceMs))), silenceMs);
      const next = await chunks.next();
      if (next.done === true) break;
      let chunk = next.value;
      budget.bytes -= chunk.byteLength;
      if (budget.bytes < 0) throw tooMuch();
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE)) {
        if (held + end > eventBytes) throw garbage(`a line of more than ${eventBytes} bytes`);
        const event = await decode(Buffer.concat([...parts, chunk.subarray(0, end)]));
        chunk = chunk.subarray(end + 1);
        parts = [];
        held = 0;
        clearTimeout(timer);
        timer = undefined;
        if (event.type !== 'alive') budget.events -= 1;
        if (budget.events < 0) throw tooMuch();
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

async function decode(line: Uint8Array): Promise<IncomingEvent> {
  try {
    return decodeEvent(line);
  } catch (error) {
    const { decodeNewerEvent } = await import('../../../protocol/newer-event.ts');
    const event = error instanceof JsonError ? undefined : decodeNewerEvent(line);
    if (event !== undefined) return event;
    throw garbage('a line that is no event', error);
  }
}

function tooMuch(): SendError {
  return failure('too-much', 'kick agent has sent more than any run makes', undefined);
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
