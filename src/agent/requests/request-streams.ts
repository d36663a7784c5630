/** The streams of events that controllers read: by the name of a request, or by job. */
import type { StoredEvent } from '../../protocol/event.ts';
import { Refusal } from '../../protocol/refusal.ts';
import type { EventStream } from '../../transport/transport.ts';
import type { RequestLog } from './request-log.ts';
import { jobPrefix, requestName } from './request-record.ts';
import type { RequestStore } from './request-store.ts';

/** Opened by the writer of the answer; the signal aborts when the reader leaves. */
type OpenStream = (signal: AbortSignal) => EventStream;

export interface RequestStreams {
  /** The events of a request after number `after`; ends when its reader leaves or the agent stops. */
  of(name: string, after: number): OpenStream;
  /** The same for the last attempt of a controller's job. Throws `Refusal` `unknown-job` or `gone`. */
  ofJob(key: { job: string; iss: string }, after: number): Promise<OpenStream>;
}

export interface StreamDeps {
  requests: Pick<RequestStore, 'list' | 'read'>;
  requestLog: Pick<RequestLog, 'stream'>;
  /** Aborts when the agent stops. */
  stopping: AbortSignal;
}

export function createStreams({ requests, requestLog, stopping }: StreamDeps): RequestStreams {
  async function* until(name: string, after: number, signal: AbortSignal): AsyncGenerator<StoredEvent> {
    const either = new AbortController();
    for (const one of [signal, stopping]) {
      if (one.aborted) either.abort();
      one.addEventListener('abort', () => either.abort(), { once: true, signal: either.signal });
    }
    try {
      yield* requestLog.stream(name, after, either.signal);
    } finally {
      either.abort();
    }
  }

  async function lastAttempt(job: string, iss: string): Promise<string | undefined> {
    const attempts = (await requests.list())
      .filter((name) => name.startsWith(jobPrefix(job)))
      .map((name) => Number(name.split('.')[1]))
      .sort((a, b) => b - a);
    for (const attempt of attempts) {
      const name = requestName({ iss, job, attempt });
      const known = await requests.read(name);
      if (known === 'gone') throw new Refusal('gone', 'its folder is no longer kept');
      if (known !== undefined) return name;
    }
    return undefined;
  }

  const of = (name: string, after: number) => (signal: AbortSignal) => until(name, after, signal);
  return {
    of,
    async ofJob({ job, iss }, after) {
      const name = await lastAttempt(job, iss);
      if (name === undefined) throw new Refusal('unknown-job', `no job "${job}" of "${iss}"`);
      return of(name, after);
    },
  };
}
