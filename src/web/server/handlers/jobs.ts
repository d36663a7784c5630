/** What jobs were and are. */
import { groupChanges } from '../../../controller/fleet/change-groups.ts';
import type { HostResult } from '../../../controller/jobs/job.ts';
import type { StoredJob } from '../../../controller/jobs/stored-job.ts';
import { KickError } from '../../../errors.ts';
import { ApiProblem, type ProblemCode } from '../../api/problem.ts';
import type { Handlers, ServerContext } from '../context.ts';
import { afterCursor } from './cursor.ts';
import { hostOf, jobOf, lineOf } from './job-view.ts';

const PAGE = 100;
const MAX_PAGE = 1000;

type Names = 'listJobs' | 'getJob' | 'listJobHosts' | 'getJobHost' | 'listChanges';

export function jobHandlers({ controller, running }: ServerContext): Handlers<Names> {
  return {
    async listJobs({ query: { cursor, limit, ...filter } }) {
      const latest = (await controller.jobs(filter)).reverse();
      const page = afterCursor(latest, {
        cursor,
        size: sizeOf(limit),
        keyOf: ({ id }) => [id],
        isReversed: true,
      });
      return { jobs: page.items.map(lineOf), ...page.next };
    },
    async getJob({ params }) {
      const stored = await storedJob(controller, params.job);
      return jobOf(stored, running.question(stored.job.id));
    },
    async listJobHosts({ params, query: { cursor, limit, outcome, name = '', sort = 'certname' } }) {
      const { job, results } = await storedJob(controller, params.job);
      const part = name.toLowerCase();
      const rows = job.targets
        .map(({ certname }) => ({ certname, result: results.get(certname) }))
        .filter(({ certname }) => certname.includes(part))
        .filter(({ result }) => outcome === undefined || (result?.outcome ?? 'open') === outcome)
        .map((row) => ({ ...row, key: [SORTS[sort](row.result), row.certname] }))
        .sort((a, b) => (lessThan(a.key, b.key) ? -1 : 1));
      const page = afterCursor(rows, { cursor, size: sizeOf(limit), keyOf: ({ key }) => key });
      return {
        hosts: page.items.map(({ certname, result }) => hostOf(certname, result)),
        total: rows.length,
        ...page.next,
      };
    },
    async getJobHost({ params }) {
      await storedJob(controller, params.job);
      const { certname, result, log } = await orNotFound(() =>
        controller.hostLog(params.job, params.certname),
      );
      const { resources = [], moreResources = 0, finished } = result ?? {};
      return {
        ...hostOf(certname, result),
        resources: [...resources],
        moreResources,
        ...(finished !== undefined && { run: { ...finished } }),
        log: [...log],
      };
    },
    async listChanges({ params }) {
      const { results } = await storedJob(controller, params.job);
      return {
        groups: groupChanges([...results.values()]).map(({ resources, certnames, ...rest }) => ({
          ...rest,
          resources: [...resources],
          certnames: [...certnames],
        })),
      };
    },
  };
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

function lessThan([a = '', b = '']: readonly string[], [c = '', d = '']: readonly string[]): boolean {
  return a < c || (a === c && b < d);
}

function sizeOf(limit: string | undefined): number {
  return Math.min(Number(limit ?? PAGE), MAX_PAGE);
}

/** Throws `ApiProblem` `not-found`. */
export function storedJob(controller: ServerContext['controller'], text: string): Promise<StoredJob> {
  return orNotFound(() => controller.job(text));
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
