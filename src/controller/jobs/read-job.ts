import { KickError } from '../../errors.ts';
import type { JobStore } from './job-store.ts';
import type { JobSettings, StoredJob } from './stored-job.ts';
import type { VerdictPolicy } from './verdict.ts';
import { outcomesOf } from './verdict.ts';

/** A job by the last digits of its id. Throws `KickError` `usage` for none, `state` for one that cannot be read. */
export async function storedJob(store: JobStore, text: string): Promise<StoredJob> {
  const id = await store.find(text);
  const stored = await store.read(id);
  if (stored !== undefined) return stored;
  throw new KickError('state', `read the job ${id}: its job.json is gone`, {
    hint: `what is left of it: ${store.folderOf(id)}`,
  });
}

export function policyOf({ accept, success, partial }: JobSettings): VerdictPolicy {
  return { accept: outcomesOf(accept, '--accept'), success, partial };
}

/** The results that there are, in the order of the targets. */
export function resultsOf({ job, results }: StoredJob) {
  return job.targets.flatMap(({ certname }) => results.get(certname) ?? []);
}
