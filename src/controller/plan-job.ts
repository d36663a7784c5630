/** A job before it is run: a new one, or a rerun for the hosts that did not do as asked. */
import type { Outcome } from '../protocol/outcome.ts';
import type { By } from '../protocol/request.ts';
import type { Target } from '../transport/transport.ts';
import { uuidv7 } from '../util/uuid.ts';
import type { Hosts } from './choose-hosts.ts';
import type { GroupBound, Job, Rollout } from './jobs/job.ts';
import type { JobSettings, StoredJob } from './jobs/stored-job.ts';
import { isAsAsked } from './jobs/verdict.ts';
import type { Site } from './site.ts';

/** What hosts are to do, and how. */
export interface JobWish {
  action: Job['action'];
  by: By;
  queue?: Job['queue'] | undefined;
  rollout?: Rollout | undefined;
  /** How many hosts run at once; defaults to controller.yaml's. */
  concurrency?: number | undefined;
  /** The name of the job. */
  name?: string | undefined;
  settings: Omit<JobSettings, 'version' | 'partial'>;
}

/** Plain data: a dry run prints it, `run` runs it. */
export interface Plan {
  job: Job;
  settings: JobSettings;
}

export async function planJob(site: Site, hosts: Hosts, wish: JobWish): Promise<Plan> {
  const { targets, config, maintenance, discovery } = hosts;
  const { action, by, queue, concurrency, name, settings } = wish;
  const groups = await boundsOf(hosts);
  const rollout = { ...wish.rollout, ...(groups.length > 0 && { groups }) };
  const isWhole = hosts.unanswered.length === 0 || settings.accept.includes('unreachable');
  return {
    job: {
      id: uuidv7(site.clock.now()),
      controller: (await site.identity()).certname,
      action,
      targets,
      by,
      concurrency: concurrency ?? config.concurrency,
      ...(queue !== undefined && { queue }),
      ...(Object.keys(rollout).length > 0 && { rollout }),
      ...(name !== undefined && { name }),
      ...(maintenance.length > 0 && { maintenance }),
      ...(discovery !== undefined && { discovery }),
    },
    settings: { ...settings, version: site.version, ...(!isWhole && { partial: true }) },
  };
}

/** Most inventories have no such group. */
async function boundsOf({ inventory, targets, membersOf }: Hosts): Promise<GroupBound[]> {
  if (![...inventory.groups.values()].some(({ concurrency }) => concurrency !== undefined)) return [];
  const { groupBoundsOf } = await import('./targeting/group-bounds.ts');
  return groupBoundsOf(inventory, targets, membersOf);
}

export interface RerunWish {
  /** Its reason defaults to the job's. */
  by: By;
  /** Hosts with these outcomes; defaults to all that did not do as asked. */
  outcomes?: readonly Outcome[] | undefined;
  /** Defaults to the job's. */
  concurrency?: number | undefined;
  /** Who asks on the web. */
  account?: string | undefined;
}

export interface Rerun {
  /** The job that is run again. */
  of: StoredJob;
  /** The hosts to run again; if there are none, there is nothing to plan. */
  targets: readonly Target[];
  /** Hosts that were left to themselves (--detach), so that nobody has seen how they ended. */
  unknownEnds: number;
  plan(): Promise<Plan>;
}

export function rerunOf(
  site: Site,
  stored: StoredJob,
  { by, outcomes, concurrency, account }: RerunWish,
): Rerun {
  const targets = again(stored, outcomes);
  return {
    of: stored,
    targets,
    unknownEnds: [...stored.results.values()].filter(({ detached }) => detached === true).length,
    async plan() {
      const { rollout, maintenance: _maintenance, discovery: _discovery, ...old } = stored.job;
      const names = new Set(targets.map(({ certname }) => certname));
      const reason = by.reason ?? stored.job.by.reason;
      const { partial: _partial, account: _account, ...settings } = stored.settings;
      const job: Job = {
        ...old,
        id: uuidv7(site.clock.now()),
        controller: (await site.identity()).certname,
        targets,
        by: { ...by, ...(reason !== undefined && { reason }) },
        ...(concurrency !== undefined && { concurrency }),
        ...(rollout !== undefined && { rollout: boundTo(names, rollout) }),
      };
      return { job, settings: { ...settings, ...(account !== undefined && { account }) } };
    },
  };
}

/** A host without an outcome (its controller died) counts as not successful; one that was asked may have begun. */
function again({ job, results, asked }: StoredJob, outcomes: readonly Outcome[] | undefined): Target[] {
  return job.targets.filter(({ certname }) => {
    const result = results.get(certname);
    const unknown: Outcome = asked.has(certname) ? 'unfinished' : 'not-started';
    if (outcomes !== undefined) return outcomes.includes(result?.outcome ?? unknown);
    return result === undefined || !isAsAsked(result);
  });
}

function boundTo(names: ReadonlySet<string>, rollout: Rollout): Rollout {
  const { groups, ...rest } = rollout;
  if (groups === undefined) return rest;
  const left = groups.map((group) => ({
    ...group,
    certnames: group.certnames.filter((one) => names.has(one)),
  }));
  return { ...rest, groups: left.filter(({ certnames }) => certnames.length > 0) };
}
