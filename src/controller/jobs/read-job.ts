/** A stored job, for those who show it or act on it. */
import { KickError } from '../../errors.ts';
import type { JobStore } from './job-store.ts';
import type { StoredJob } from './stored-job.ts';

/** Reads a job by the last digits of its id. Throws `KickError` `usage` if there is none, `state` if it cannot be read. */
export async function storedJob(store: JobStore, text: string): Promise<StoredJob> {
  const id = await store.find(text);
  const stored = await store.read(id);
  if (stored !== undefined) return stored;
  throw new KickError('state', `read the job ${id}: its job.json is gone`, {
    hint: `what is left of it: ${store.folderOf(id)}`,
  });
}

/** The results so far, in the order of the targets. */
export function resultsOf({ job, results }: StoredJob) {
  return job.targets.flatMap(({ certname }) => results.get(certname) ?? []);
}
