/** Stores the ends of requests that no run has served, before they are reported (DESIGN 6). */
import { messageOf, systemCode } from '../../errors.ts';
import type { FinishedEvent } from '../../protocol/event.ts';
import type { Log } from '../../util/log.ts';
import type { RequestLog } from '../requests/request-log.ts';
import type { RequestRecord } from '../requests/request-record.ts';

/** Milliseconds until a write is retried. */
const RETRY_MS = 5000;

export interface EndWriterDeps {
  requestLog: Pick<RequestLog, 'append'>;
  log: Log;
  onOutcome(record: RequestRecord, finished: FinishedEvent): void;
  /** Milliseconds until a write is retried; defaults to 5 s. */
  retryMs?: number;
}

export interface EndWriter {
  /** Never rejects: a failed write (a full disk) is retried until it works, and holds up no other request. */
  write(record: RequestRecord, finished: FinishedEvent): Promise<void>;
  /** Whether an end could not be stored yet. */
  isBehind(): boolean;
  /** Stops retrying: the next agent decides again what was not written. */
  close(): Promise<void>;
}

export function createEndWriter({
  requestLog,
  log,
  onOutcome,
  retryMs = RETRY_MS,
}: EndWriterDeps): EndWriter {
  const unwritten = new Map<RequestRecord, FinishedEvent>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let working: Promise<void> = Promise.resolve();

  async function attempt(record: RequestRecord, finished: FinishedEvent): Promise<void> {
    const { job } = record.request;
    try {
      await requestLog.append(record.name, [finished]);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') {
        unwritten.delete(record);
        log.error(
          { job, error: messageOf(error) },
          'the folder of a request has vanished: its end cannot be reported',
        );
        return;
      }
      if (!unwritten.has(record))
        log.error({ job, error: messageOf(error) }, 'cannot store the end of a request, trying again');
      unwritten.set(record, finished);
      retryLater();
      return;
    }
    unwritten.delete(record);
    onOutcome(record, finished);
  }

  function retryLater(): void {
    if (isClosed) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      working = (async () => {
        for (const [record, finished] of [...unwritten]) await attempt(record, finished);
      })();
    }, retryMs);
  }

  return {
    write: attempt,
    isBehind: () => unwritten.size > 0,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await working;
    },
  };
}
