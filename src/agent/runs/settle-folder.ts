/** Copies the folder of a run that is over from the tmpfs into the state directory. */
import { constants } from 'node:fs';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FinishedEvent } from '../../protocol/event.ts';
import { syncFolder } from '../../util/atomic-file.ts';
import { lstatIfAny } from '../../util/files.ts';
import { appendEvents, EVENT_FILE, type KeptEvent } from './event-file.ts';
import { RUN_FILES } from './run-files.ts';

/** Files kept of a run that is over, and their maximum bytes; its output is in its events. */
const KEPT_FILES: readonly (readonly [name: string, maxBytes: number])[] = [
  ['record.json', 1 << 20],
  ['intention.json', 1 << 20],
  [EVENT_FILE, 64 << 20],
  [RUN_FILES.report, 256 << 20],
];

/** `from`: the folder of the run in progress; `settled`: the folder of those that are over. Throws the system's error. */
export async function settleFolder(
  { from, settled, run }: { from: string; settled: string; run: string },
  last: FinishedEvent & KeptEvent,
): Promise<void> {
  const temporary = join(settled, `.tmp-${run}`);
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  for (const [file, maxBytes] of KEPT_FILES) {
    // Nothing but the agent and its runs writes there, so it stays what it is.
    const found = await lstatIfAny(join(from, file));
    if (found?.isFile() === true && found.size <= maxBytes)
      await copyFile(join(from, file), join(temporary, file), constants.COPYFILE_EXCL);
  }
  await appendEvents(join(temporary, EVENT_FILE), [last]);
  await syncFolder(temporary);
  await rename(temporary, join(settled, run));
  await syncFolder(settled);
}
