/**
 * Writes a job down while it runs. Its events are appended in order, whole lines a write, and reported only when they
 * are written: a kill -9 loses what nobody has seen, and damages nothing.
 */
import { openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { messageOf } from '../../errors.ts';
import { createAppendLog } from '../../util/append-log.ts';
import type { HostResult, JobEvent, JobLog } from './job.ts';
import type { JobEnd } from './job-index.ts';
import { dropTornLine } from './job-log.ts';
import { encodeStored } from './job-record.ts';
import type { Lease } from './lease.ts';
import { type Before, outcomeCounts } from './stored-job.ts';

export interface Recorder extends JobLog {
  /**
   * `then` is called when the event is written, or cannot be; in the order of the events. Whoever has lost the job
   * records nothing more, and `then` is not called.
   */
  on(event: JobEvent, then?: () => void): void;
  /** Notes that it is over, and closes. */
  close(end?: { exit: number }): Promise<void>;
}

export interface RecorderOptions {
  /** The file of its events. */
  path: string;
  lease: Lease;
  /** What an earlier controller had seen. */
  known?: Before | undefined;
  /** Called once when it can no longer be written; nothing is thrown. */
  onTrouble(why: string): void;
  /** The job is over. */
  onEnd(end: Omit<JobEnd, 'endedAt'>): void;
}

/** Bytes of one job from which on Puppet's log lines are no longer kept; what became of the hosts is. */
const MAX_LOG_BYTES = 512 << 20;

export async function openRecorder(options: RecorderOptions): Promise<Recorder> {
  const { path, lease, known, onTrouble, onEnd } = options;
  await dropTornLine(path);
  let added = (await stat(path)).size;
  let isBroken = false;
  const trouble = (error: unknown) => {
    if (!isBroken) onTrouble(messageOf(error));
    isBroken = true;
  };
  const log = createAppendLog(openSync(path, 'a', 0o600), trouble);
  const encode = encodeStored();
  const results = new Map<string, HostResult>(known?.results);

  function textOf(event: JobEvent): string {
    if (isBroken || isLeftOut(event)) return '';
    try {
      return encode(event).join('');
    } catch (error) {
      trouble(error);
      return '';
    }
  }

  /** What the file holds already, and what there is too much of. */
  function isLeftOut(event: JobEvent): boolean {
    if (event.type === 'host-done') return known?.results.get(event.result.certname) === event.result;
    return added > MAX_LOG_BYTES && event.type === 'host-event' && event.event.type === 'log';
  }

  return {
    on(event, then) {
      if (!lease.isHeld()) return;
      if (event.type === 'host-done') results.set(event.result.certname, event.result);
      const text = textOf(event);
      added += text.length;
      log.add(text, then);
    },
    written: log.written,
    room: log.room,
    async close(end) {
      await log.close();
      if (end === undefined || !lease.isHeld()) return;
      try {
        const { size } = await stat(path);
        onEnd({ exit: end.exit, counts: outcomeCounts(results.values()), bytes: size });
      } catch (error) {
        onTrouble(messageOf(error));
      }
    },
  };
}
