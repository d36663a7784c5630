/**
 * Which commands (disable, enable, cancel) have been carried out, beyond the end of the process: for an agent whose requests
 * may be sent again by somebody who has only seen them (DESIGN 14). A mark is an empty file; there is nothing in it to damage.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, systemCode } from '../../errors.ts';
import { Refusal } from '../../protocol/refusal.ts';
import type { Request } from '../../protocol/request.ts';
import { syncFolder } from '../../util/atomic-file.ts';
import { lstatIfAny } from '../../util/files.ts';
import type { Quarantine } from '../../util/quarantine.ts';
import { kindOf } from '../../util/regular-file.ts';

export interface CommandMarks {
  /**
   * Marks a command before it is carried out. Throws `Refusal`: `gone` if it is marked, `expired` if its mark may have been
   * forgotten, `no-space` if it cannot be marked.
   */
  take(command: Pick<Request, 'iss' | 'jti' | 'iat'>): Promise<void>;
}

export interface CommandMarksOptions {
  quarantine: Quarantine;
  /** Maximum number of marks; defaults to 10,000. Only commands that pass admission make any. */
  max?: number;
}

/** When it was signed, so that names sort by it, and what it was. */
const MARK = /^\d{12}\.[0-9a-f]{64}$/;

/**
 * Forgets by number, and those that were signed first: whatever a full folder has forgotten was signed no later than the
 * oldest in it, and however the clock is set, that is refused.
 */
export function createCommandMarks(
  folder: string,
  { quarantine, max = 10_000 }: CommandMarksOptions,
): CommandMarks {
  return {
    async take({ iss, jti, iat }) {
      try {
        await prepare(folder, quarantine);
        const marks = await marksIn(folder);
        const key = createHash('sha256').update(`${iss} ${jti}`).digest('hex');
        if (marks.some((name) => name.endsWith(key))) throw carriedOut();
        const mark = `${String(iat).padStart(12, '0')}.${key}`;
        const oldest = marks.at(-max);
        if (oldest !== undefined && signedAt(mark) <= signedAt(oldest))
          throw new Refusal('expired', 'signed no later than commands that are forgotten');
        await make(join(folder, mark));
        await syncFolder(folder);
        for (const name of [...marks, mark].sort().slice(0, -max))
          await rm(join(folder, name), { recursive: true, force: true });
      } catch (error) {
        if (error instanceof Refusal) throw error;
        throw new Refusal('no-space', `cannot note the command: ${messageOf(error)}`);
      }
    },
  };
}

const carriedOut = () => new Refusal('gone', 'it was carried out before');

const signedAt = (mark: string) => mark.slice(0, 12);

async function prepare(folder: string, quarantine: Quarantine): Promise<void> {
  const found = await lstatIfAny(folder);
  if (found !== undefined && !found.isDirectory())
    await quarantine.setAside(folder, `it is ${kindOf(found)}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

/** Those that were signed first come first. */
async function marksIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => MARK.test(name)).sort();
}

async function make(path: string): Promise<void> {
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    throw systemCode(error) === 'EEXIST' ? carriedOut() : error;
  }
}
