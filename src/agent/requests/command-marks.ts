/**
 * Which commands (disable, enable, cancel) have been carried out, beyond the end of the process: for an agent whose requests
 * may be sent again by somebody who has only seen them (DESIGN 14). A mark is an empty file; there is nothing in it to damage.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, systemCode } from '../../errors.ts';
import { Refusal } from '../../protocol/refusal.ts';
import { MAX_LIFETIME_S, MAX_SKEW_S } from '../../protocol/request.ts';
import { syncFolder } from '../../util/atomic-file.ts';
import type { Clock } from '../../util/clock.ts';

/** Longer than any request is valid. */
const KEPT_MS = 2 * (MAX_LIFETIME_S + 2 * MAX_SKEW_S) * 1000;

export interface CommandMarks {
  /** Marks a command before it is carried out. Throws `Refusal`: `gone` if it is marked, `no-space` if it cannot be. */
  take(key: string): Promise<void>;
}

export function createCommandMarks(folder: string, clock: Pick<Clock, 'now'>): CommandMarks {
  return {
    async take(key) {
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await prune(folder, clock.now());
        const name = createHash('sha256').update(key).digest('hex');
        const mark = await open(join(folder, name), 'wx', 0o600);
        await mark.close();
        await syncFolder(folder);
      } catch (error) {
        if (systemCode(error) === 'EEXIST') throw new Refusal('gone', 'it was carried out before');
        throw new Refusal('no-space', `cannot note the command: ${messageOf(error)}`);
      }
    },
  };
}

async function prune(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && now - found.mtimeMs > KEPT_MS)
      await rm(path, { force: true, recursive: true });
  }
}
