/** A short list in one file (accounts, tokens, sessions), which the server and the command line both change. */
import { dirname } from 'node:path';
import * as v from 'valibot';
import { KickError } from '../../../errors.ts';
import { writeFileAtomic } from '../../../util/atomic-file.ts';
import type { Clock } from '../../../util/clock.ts';
import { holdLock } from '../../../util/lock-file.ts';
import { NEWER_HINT, readStored, StoredProblem, storedText } from '../../../util/stored-json.ts';
import { makeTrustedFolder } from '../../../util/trusted-folder.ts';
import { refuseUntrusted } from '../../../util/trusted-path.ts';

const MAX_BYTES = 8 << 20;

/** Milliseconds to wait for somebody else who changes the file. */
const WAIT_MS = 10_000;

export interface StoredList<T> {
  /** Throws `KickError` `state` if the file cannot be used. */
  read(): Promise<readonly T[]>;
  /** Replaces the list by what `change` returns; nobody else changes it meanwhile. Throws `KickError` `state` if it gets too long. */
  change(change: (items: readonly T[]) => readonly T[]): Promise<readonly T[]>;
}

/** Throws `KickError` `untrusted` if others can change the file or the way to it. */
export function openStoredList<S extends v.GenericSchema>(
  path: string,
  item: S,
  clock: Clock,
): StoredList<v.InferOutput<S>> {
  type Item = v.InferOutput<S>;
  const trust = { doing: `believe "${path}"` };
  refuseUntrusted(path, trust);
  const format = { schema: v.object({ items: v.array(item) }), version: 1, maxBytes: MAX_BYTES };

  async function read(): Promise<readonly Item[]> {
    try {
      return (await readStored(path, format))?.items ?? [];
    } catch (error) {
      if (!(error instanceof StoredProblem)) throw error;
      throw new KickError('state', error.message, {
        hint: error.isNewer ? NEWER_HINT : 'move the file away; whoever it let in is then unknown',
        cause: error,
      });
    }
  }

  return {
    read,
    async change(change) {
      await makeTrustedFolder(dirname(path), trust);
      const lock = await holdLock(path, { clock, label: `file "${path}"`, waitMs: WAIT_MS });
      try {
        const items = change(await read());
        const text = storedText({ items }, format);
        // It could not be read again.
        if (Buffer.byteLength(text) > MAX_BYTES)
          throw new KickError('state', `write "${path}": it would be longer than ${MAX_BYTES} bytes`);
        await writeFileAtomic(path, text, { mode: 0o600 });
        return items;
      } finally {
        await lock.release();
      }
    },
  };
}
