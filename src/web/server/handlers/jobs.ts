/** What jobs were and are. */
import type { FoundJob } from '../../../controller/find-jobs.ts';
import { groupChanges } from '../../../controller/fleet/change-groups.ts';
import type { HostResult } from '../../../controller/jobs/job.ts';
import type { StoredJob } from '../../../controller/jobs/stored-job.ts';
import { KickError } from '../../../errors.ts';
import { ApiProblem, type ProblemCode } from '../../api/problem.ts';
import type { Caller } from '../access/caller.ts';
import { seesSome, sightOf } from '../access/may.ts';
import type { Handlers, ServerContext } from '../context.ts';
import { afterCursor } from './cursor.ts';
import { hostOf, jobOf, lineOf, seenPart, withoutTotals } from './job-view.ts';

const PAGE = 100;
const MAX_PAGE = 1000;

type Names = 'listJobs' | 'getJob' | 'listJobHosts' | 'getJobHost' | 'listChanges';

export function jobHandlers(context: ServerContext): Handlers<Names> {
  const { controller, running, recentJob } = context;
  return {
    async listJobs({ query: { cursor, limit, ...filter } }, caller) {
      if (filter.outcome !== undefined && seesSome(caller))
        throw new ApiProblem('not-allowed', `hosts: ${caller.name} may not look at all of them`);
      const latest = (await controller.jobs(filter)).reverse();
      const order = { keyOf: ({ id }: FoundJob) => [id], isReversed: true };
      const page = afterCursor(latest, { cursor, size: sizeOf(limit), ...order });
      const lineFor = async (line: FoundJob) =>
        seesSome(caller) ? withoutTotals(lineOf(line)) : countedLine(line, running);
      return { jobs: await Promise.all(page.items.map(lineFor)), ...page.next };
    },
    async getJob({ params }, caller) {
      const stored = await foundJob(recentJob, params.job).catch((error: unknown) => {
        throw troubleOf(params.job, running) ?? error;
      });
      const seen = seesSome(caller) ? seenPart(stored, await sightOf(caller, controller)) : stored;
      return jobOf(seen, running.question(stored.job.id));
    },
    async listJobHosts({ params, query: { cursor, limit, outcome, name = '', sort = 'certname' } }, caller) {
      const { job, results } = await foundJob(recentJob, params.job);
      const sees = await sightOf(caller, controller);
      const part = name.toLowerCase();
      const rows = sortedRows(job.targets, results, sort)
        .filter(({ certname }) => certname.includes(part) && sees(certname))
        .filter(({ result }) => outcome === undefined || (result?.outcome ?? 'open') === outcome);
      const page = afterCursor(rows, { cursor, size: sizeOf(limit), keyOf: ({ key }) => key });
      return {
        hosts: page.items.map(({ certname, result }) => hostOf(certname, result)),
        total: rows.length,
        ...page.next,
      };
    },
    async getJobHost({ params }, caller) {
      await foundJob(recentJob, params.job);
      const { certname, result, log } = await orNotFound(() =>
        controller.hostLog(params.job, params.certname),
      );
      const sees = await sightOf(caller, controller);
      if (!sees(certname))
        throw new ApiProblem('not-allowed', `hosts: ${caller.name} may not look at ${certname}`);
      const { resources = [], moreResources = 0, finished } = result ?? {};
      return {
        ...hostOf(certname, result),
        resources: [...resources],
        moreResources,
        ...(finished !== undefined && { run: { ...finished } }),
        log: [...log],
      };
    },
    listChanges: ({ params }, caller) => changesOf(context, params.job, caller),
  };
}

/** By what changed, on the hosts that the caller may look at. */
async function changesOf({ controller, recentJob }: ServerContext, id: string, caller: Caller) {
  const { results } = await foundJob(recentJob, id);
  const sees = await sightOf(caller, controller);
  const seen = [...results.values()].filter(({ certname }) => sees(certname));
  return {
    groups: groupChanges(seen).map(({ resources, certnames, ...rest }) => ({
      ...rest,
      resources: [...resources],
      certnames: [...certnames],
    })),
  };
}

/** A job that runs and cannot be remembered. */
function troubleOf(job: string, running: ServerContext['running']): ApiProblem | undefined {
  const trouble = running.trouble(job);
  if (trouble === undefined) return undefined;
  return new ApiProblem('not-found', trouble, { hint: 'what has run is in the reports of its hosts' });
}

/** With how its hosts have ended so far, if it still runs. */
async function countedLine(line: FoundJob, running: ServerContext['running']) {
  const counts = line.counts ?? (await running.counts(line.id));
  return lineOf({ ...line, ...(counts !== undefined && { counts }) });
}

/** By what hosts are sorted, before their names: as text that sorts like it. */
const SORTS: Readonly<
  Record<'certname' | 'outcome' | 'duration', (result: HostResult | undefined) => string>
> = {
  certname: () => '',
  outcome: (result) => result?.outcome ?? '',
  duration(result) {
    const { startedAt, endedAt = 0 } = result ?? {};
    const ms = startedAt === undefined ? 0 : Math.max(0, endedAt - startedAt);
    // The longest first.
    return String(Number.MAX_SAFE_INTEGER - ms).padStart(16, '0');
  },
};

function sortedRows(
  targets: StoredJob['job']['targets'],
  results: StoredJob['results'],
  sort: keyof typeof SORTS,
) {
  return targets
    .map(({ certname }) => ({ certname, result: results.get(certname) }))
    .map((row) => ({ ...row, key: [SORTS[sort](row.result), row.certname] }))
    .sort((a, b) => (lessThan(a.key, b.key) ? -1 : 1));
}

function lessThan([a = '', b = '']: readonly string[], [c = '', d = '']: readonly string[]): boolean {
  return a < c || (a === c && b < d);
}

function sizeOf(limit: string | undefined): number {
  return Math.min(Number(limit ?? PAGE), MAX_PAGE);
}

/** Throws `ApiProblem` `not-found`. */
export function storedJob(controller: ServerContext['controller'], text: string): Promise<StoredJob> {
  return foundJob(controller.job, text);
}

/** The same with another way to read it. Throws `ApiProblem` `not-found`. */
export function foundJob(read: (text: string) => Promise<StoredJob>, text: string): Promise<StoredJob> {
  return orNotFound(() => read(text));
}

function orNotFound<T>(work: () => Promise<T>): Promise<T> {
  return usageAs('not-found', work);
}

/** A job that is over, or runs: what was asked does not fit. Throws `ApiProblem` `conflict`. */
export function orConflict<T>(work: () => Promise<T>): Promise<T> {
  return usageAs('conflict', work);
}

async function usageAs<T>(code: ProblemCode, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KickError) || error.code !== 'usage') throw error;
    throw new ApiProblem(code, error.message, { hint: error.hint });
  }
}
