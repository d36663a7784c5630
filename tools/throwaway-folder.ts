/** Folders that are there for a while, and how they go. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemCode } from '../src/errors.ts';

const MAX_TRIES = 200;
const PAUSE_MS = 20;

export interface ThrowawayFolder {
  readonly path: string;
  remove(): void;
}

/** A folder that its maker removes. `parent` defaults to the system's folder for temporary files. */
export function throwawayFolder({ prefix = 'kick-test-', parent = tmpdir() } = {}): ThrowawayFolder {
  const path = realpathSync(mkdtempSync(join(parent, prefix)));
  return { path, remove: () => removeFolder(path) };
}

/**
 * Removes a folder in which what has just been killed may still be making files. (Node tries the folder itself again,
 * `maxRetries`, but does not look for what has come into it meanwhile.)
 */
export function removeFolder(path: string): void {
  for (let tries = 1; ; tries++) {
    try {
      rmSync(path, { recursive: true, force: true });
      return;
    } catch (error) {
      if (systemCode(error) !== 'ENOTEMPTY' || tries === MAX_TRIES) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}
