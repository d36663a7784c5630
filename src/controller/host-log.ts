/** What became of one host of a job, with its log. */
import { KickError } from '../errors.ts';
import type { LogLine } from '../protocol/event.ts';
import { shortId } from '../util/uuid.ts';
import type { HostResult } from './jobs/job.ts';
import { hostEventIn } from './jobs/job-schema.ts';
import type { JobStore } from './jobs/job-store.ts';
import { storedJob } from './jobs/read-job.ts';
import type { StoredJob } from './jobs/stored-job.ts';

export interface HostLog {
  stored: StoredJob;
  certname: string;
  /** Absent: no outcome yet. */
  result?: HostResult | undefined;
  log: readonly LogLine[];
}

/** `host`: a certname of the job, with or without its domain. Throws `KickError` `usage` for any other. */
export async function readHostLog(store: JobStore, text: string, host: string): Promise<HostLog> {
  const stored = await storedJob(store, text);
  const certname = certnameIn(stored, host);
  const log = await readLog(store, stored.job.id, certname);
  return { stored, certname, result: stored.results.get(certname), log };
}

function certnameIn({ job }: StoredJob, host: string): string {
  const lower = host.toLowerCase();
  const names = job.targets.map(({ certname }) => certname);
  const found = names.filter((name) => name === lower || name.startsWith(`${lower}.`));
  const [only] = names.includes(lower) ? [lower] : found;
  if (only !== undefined && (found.length <= 1 || only === lower)) return only;
  throw new KickError('usage', `--host: "${host}" is not a host of job ${shortId(job.id)}`, {
    hint: `kick jobs show ${shortId(job.id)} lists them`,
  });
}

/** Each line once: a resumed stream may have repeated some. */
async function readLog(store: JobStore, id: string, certname: string): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  let lastSeq = 0;
  for (let from = 0; ; ) {
    const { events, next } = await store.eventsFrom(id, from);
    for (const event of events) {
      if (event.type !== 'host-event' || event.certname !== certname) continue;
      const said = hostEventIn(event);
      if (said === undefined) continue;
      // An agent that had lost its state numbers from 1 again.
      if (said.type === 'accepted') lastSeq = 0;
      if (said.seq <= lastSeq) continue;
      lastSeq = said.seq;
      if (said.type === 'log') lines.push(...said.lines);
    }
    if (next === from) return lines;
    from = next;
  }
}
