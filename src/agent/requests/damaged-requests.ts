/**
 * Requests whose record is damaged (DESIGN 8, "What is kept"). Their key is known, so they never run again, and whoever asks
 * is told that they failed. A file `NAME.damaged` marks them; its existence counts, not its content.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { messageOf } from '../../errors.ts';
import type { FinishedEvent } from '../../protocol/event.ts';
import { syncFolder } from '../../util/atomic-file.ts';
import { text, time } from '../../util/bounds.ts';
import { lstatIfAny } from '../../util/files.ts';
import type { Log } from '../../util/log.ts';
import type { Quarantine } from '../../util/quarantine.ts';
import { readStored, type StoredFormat, storedText } from '../../util/stored-json.ts';
import { clip } from '../../util/text.ts';
import { kernelTime } from './request-record.ts';

export const DAMAGED = '.damaged';

/** Characters. */
const MAX_WHY = 1000;

const MarkSchema = v.object({ why: text(2 * MAX_WHY), at: time });
const MARK = { schema: MarkSchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;

type Mark = v.InferOutput<typeof MarkSchema>;

export interface DamagedRequests {
  /** How a request is reported to have ended; undefined if its record is not damaged. */
  endOf(name: string): Promise<FinishedEvent | undefined>;
  /** Marks a request and sets its folder aside. Never rejects. */
  add(name: string, why: string): Promise<void>;
  /** The same until the next start; its folder is left alone. */
  addForNow(name: string, why: string): void;
  /** Its mark is gone. */
  forget(name: string): void;
}

export interface DamagedOptions {
  /** The folder of requests. */
  folder: string;
  quarantine: Quarantine;
  log: Log;
  clock: { now(): number };
  /** What the rest of its files says of how it ended. */
  leftOf(name: string): Promise<string | undefined>;
}

export function openDamagedRequests(options: DamagedOptions): DamagedRequests {
  const { folder, quarantine, log, clock, leftOf } = options;
  const known = new Map<string, Mark>();

  async function stored(name: string): Promise<Mark | undefined> {
    const path = join(folder, name + DAMAGED);
    const found = await lstatIfAny(path);
    if (found === undefined) return undefined;
    const mark = await readStored(path, MARK).catch(() => undefined);
    return mark ?? { why: 'see the log of kick agent', at: Math.round(found.mtimeMs) };
  }

  return {
    async endOf(name) {
      const mark = known.get(name) ?? (await stored(name));
      return mark && damagedEnd(mark.why, mark.at);
    },
    async add(name, why) {
      if (known.has(name)) return;
      const mark = { why: clip(why, MAX_WHY), at: clock.now() };
      known.set(name, mark);
      const isFolder = (await lstatIfAny(join(folder, name)).catch(() => undefined))?.isDirectory() === true;
      const left = isFolder ? await leftOf(name).catch(() => undefined) : undefined;
      if (left !== undefined) mark.why += `; what is left of it says "${left}"`;
      try {
        // First: without it the key would be unknown, and the request could run again.
        await writeFile(join(folder, name + DAMAGED), storedText({ ...mark, ...kernelTime() }, MARK), {
          mode: 0o600,
          flag: 'wx',
        });
        await syncFolder(folder);
      } catch (error) {
        log.error({ name, error: messageOf(error) }, 'cannot mark a request as damaged');
        // Also one without content is a mark.
        if ((await lstatIfAny(join(folder, name + DAMAGED)).catch(() => undefined)) === undefined) return;
      }
      await quarantine.setAside(join(folder, name), why);
    },
    addForNow(name, why) {
      if (known.has(name)) return;
      known.set(name, { why, at: clock.now() });
      log.error({ path: join(folder, name), reason: why }, 'a request cannot be read, and is left alone');
    },
    forget: (name) => void known.delete(name),
  };
}

/** `why`: `request.json: not JSON`. */
export function damagedEnd(why: string, endedAt: number): FinishedEvent {
  return {
    type: 'finished',
    outcome: 'failed',
    message: clip(`the record is damaged: ${why}`, 2000),
    endedAt,
  };
}
