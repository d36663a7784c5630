/** The keys of `idempotency.ts` on disk, a file each, so that they are known after a restart as well. */
import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { KickError, messageOf, systemCode } from '../../../errors.ts';
import { writeFileAtomic } from '../../../util/atomic-file.ts';
import { longText, matching, time } from '../../../util/bounds.ts';
import type { Log } from '../../../util/log.ts';
import { NEWER_HINT, readStored, StoredProblem, storedText } from '../../../util/stored-json.ts';
import { makeTrustedFolder } from '../../../util/trusted-folder.ts';

const KeptSchema = v.object({
  at: time,
  /** SHA-256 of the request. */
  request: matching(/^[0-9a-f]{64}$/, 'not a SHA-256 in hex'),
  /** The job that begins: whether it has is only known from the jobs. Absent: it is over, or was none. */
  begins: v.optional(longText),
  answer: v.unknown(),
});

/** The plan of a job of 100,000 hosts, which is in its answer. */
const KEPT = { schema: KeptSchema, version: 1, maxBytes: 32 << 20 };

export type KeptKey = v.InferOutput<typeof KeptSchema>;

export interface KeptKeys {
  /** Undefined if there is none. Throws `KickError` `state` for an answer that cannot be read: whether a job began is not known. */
  read(id: string): Promise<KeptKey | undefined>;
  /** Never throws: a full disk must not keep hosts from running. */
  write(id: string, kept: KeptKey): Promise<void>;
  remove(id: string): Promise<void>;
  /** Removes those from before a time (milliseconds since 1970), and the oldest over a number. */
  prune(bounds: { before: number; most: number }): Promise<void>;
}

export function openKeptKeys(dir: string, log: Log): KeptKeys {
  const pathOf = (id: string) => join(dir, createHash('sha256').update(id).digest('hex'));
  return {
    read: (id) =>
      readStored(pathOf(id), KEPT).catch((error: unknown) => {
        if (!(error instanceof StoredProblem)) throw error;
        // What cannot be opened was never written: its folder is something else, or another's.
        if (systemCode(error.cause) !== undefined) return undefined;
        const hint = error.isNewer ? NEWER_HINT : 'see kick jobs; then ask with another key';
        throw new KickError('state', error.message, { hint, cause: error });
      }),
    async write(id, kept) {
      try {
        await makeTrustedFolder(dir, { doing: `use the folder "${dir}"` });
        await writeFileAtomic(pathOf(id), storedText(kept, KEPT));
      } catch (error) {
        const reason = messageOf(error);
        log.warn({ reason }, 'an Idempotency-Key is forgotten when the server ends');
      }
    },
    remove: (id) => rm(pathOf(id), { force: true }).catch(() => undefined),
    async prune({ before, most }) {
      const names = await readdir(dir).catch(() => []);
      const files = await Promise.all(
        names.map(async (name) => {
          const path = join(dir, name);
          return {
            path,
            at: await stat(path).then(
              ({ mtimeMs }) => mtimeMs,
              () => 0,
            ),
          };
        }),
      );
      files.sort((a, b) => b.at - a.at);
      const old = files.filter(({ at }, index) => at < before || index >= most);
      for (const { path } of old) await rm(path, { force: true }).catch(() => undefined);
    },
  };
}
