/**
 * Records a job while it runs. Events are appended in order, in whole lines, and reported only once they are written: a
 * kill -9 loses only what nobody has seen, and damages nothing.
 */
import { constants } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createAppendLog } from '../../util/append-log.ts';
import { spaceOf } from '../../util/disk-space.ts';
import { openOwnFileSync } from '../../util/regular-file.ts';
import type { HostResult, JobEvent, JobLog } from './job.ts';
import { encodeStored } from './job-record.ts';
import type { JobEnd } from './job-summary.ts';
import type { Lease } from './lease.ts';
import { type Before, outcomeCounts } from './stored-job.ts';

export interface Recorder extends JobLog {
  /**
   * Calls `then` once the event is written, or cannot be, in the order of the events. After the lease is lost, nothing
   * more is recorded and `then` is not called.
   */
  on(event: JobEvent, then?: () => void): void;
  /** Records the end, if there is one, and closes. Never rejects. */
  close(end?: { exit: number }): Promise<void>;
}

export interface RecorderOptions {
  /** The file of its events. */
  path: string;
  lease: Lease;
  /** What an earlier controller had seen. */
  known?: Before | undefined;
  /** Called once, with what was thrown, if events can no longer be written. */
  onTrouble(error: unknown): void;
  /** Called when the job is over. */
  onEnd(end: Omit<JobEnd, 'endedAt'>): void;
}

/** Bytes of events per job above which Puppet's log lines are no longer kept; the hosts' results still are. */
const MAX_LOG_BYTES = 512 << 20;

const { O_WRONLY, O_APPEND } = constants;

export async function openRecorder(options: RecorderOptions): Promise<Recorder> {
  const { path, lease, known, onTrouble, onEnd } = options;
  if (known !== undefined) await (await import('./job-log.ts')).dropTornLine(path);
  let added = (await stat(path)).size;
  let isBroken = false;
  const trouble = (error: unknown) => {
    if (!isBroken) onTrouble(error);
    isBroken = true;
  };
  const log = createAppendLog(openOwnFileSync(path, O_WRONLY | O_APPEND), trouble);
  const encode = encodeStored();
  const held = rememberHeld(lease);
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

  /** Whether the file has the event already, or is too long for it. */
  function isLeftOut(event: JobEvent): boolean {
    if (event.type === 'host-done') return known?.results.get(event.result.certname) === event.result;
    return added > MAX_LOG_BYTES && event.type === 'host-event' && event.event.type === 'log';
  }

  return {
    on(event, then) {
      if (!held.isHeld()) return;
      if (event.type === 'host-done') results.set(event.result.certname, event.result);
      const text = textOf(event);
      added += text.length;
      log.add(text, () => {
        held.forget();
        then?.();
      });
    },
    written: log.written,
    room: log.room,
    async close(end) {
      await log.close();
      if (end === undefined || !lease.isHeld()) return;
      try {
        const bytes = spaceOf(await stat(path));
        onEnd({ exit: end.exit, counts: outcomeCounts(results.values()), bytes });
      } catch (error) {
        trouble(error);
      }
    },
  };
}

/** Remembers that a lease is held, so that it is looked up once for all events that are written together. */
function rememberHeld(lease: Lease) {
  let isKnown = false;
  return {
    isHeld(): boolean {
      isKnown = !lease.lost.aborted && (isKnown || lease.isHeld());
      return isKnown;
    },
    forget(): void {
      isKnown = false;
    },
  };
}
