/**
 * The application on the controller: all that a face (the command line, a web page, a REST API) can do, as methods that
 * take plain data and return plain data or an async iterable. The requester (`by`), a confirmation and an `AbortSignal`
 * are arguments. Nothing here prints, reads a terminal, handles a signal or ends the process.
 *
 * Each method loads its part on its first call: cron jobs and scripts pay for the start-up of every kick.
 */
import type { FactPath } from '../conditions/fact-condition.ts';
import type { ControllerConfig } from '../config/controller-config.ts';
import type { Identity } from '../pki/identity.ts';
import type { Clock } from '../util/clock.ts';
import type { ChooseOptions, Hosts } from './choose-hosts.ts';
import type { Facets, WantedFact } from './count-facets.ts';
import type { FactCounts } from './count-fact.ts';
import type { JobEnd, RunOptions } from './execute-job.ts';
import type { FoundJob, JobFilter } from './find-jobs.ts';
import type { AskOptions, FleetOrder } from './fleet/ask-hosts.ts';
import type { CommandAnswer } from './fleet/command-agents.ts';
import type { HostCounts } from './fleet/host-state.ts';
import type { Patient } from './fleet/patient.ts';
import type { FleetSummary } from './fleet/summary.ts';
import type { HostJobs } from './host-jobs.ts';
import type { HostLog } from './host-log.ts';
import type { JobEvent } from './jobs/job.ts';
import type { JobStore } from './jobs/job-store.ts';
import type { StoredJob } from './jobs/stored-job.ts';
import type { KnownHosts } from './known-hosts.ts';
import type { JobWish, Plan, Rerun, RerunWish } from './plan-job.ts';
import type { OpenCrowd, OpenSender, Site } from './site.ts';
import type { StopOptions, Stopped } from './stop-job.ts';
import type { AgentAnswer } from './targeting/host-sources.ts';
import type { Inventory } from './targeting/inventory.ts';
import type { Selection } from './targeting/selection.ts';
import type { Warn } from './targeting/warn.ts';

export interface ControllerOptions extends Pick<Site, 'folders' | 'path' | 'version' | 'clock'> {
  /** Who we are; called whenever a method needs it. */
  identity(): Promise<Identity>;
  openSender: OpenSender;
  /** Called before the state directory is touched: the face may have to become somebody else. */
  enterState?(): Promise<void>;
  /** Defaults to none: nobody can be discovered. */
  openCrowd?: OpenCrowd | undefined;
  /** Defaults to controller.yaml, read when first needed. */
  config?: ControllerConfig | undefined;
  /** Defaults to the one in `folders.stateDir`. */
  store?: JobStore | undefined;
}

/** Jobs are named by id, by the last digits of an id, or by `last`. Every method may throw `KickError`. */
export interface Controller {
  readonly clock: Clock;
  config(): Promise<ControllerConfig>;
  identity(): Promise<Identity>;
  inventory(): Promise<Inventory>;
  /** The hosts, and those that could not be judged. */
  choose(selection: Selection, options?: ChooseOptions): Promise<Hosts>;
  /** Every host that any source knows of. */
  known(options: { warn: Warn }): Promise<KnownHosts>;
  /** Returns what `run` would do; sends nothing. */
  plan(hosts: Hosts, wish: JobWish): Promise<Plan>;
  /** Runs a plan to its end. */
  run(plan: Plan, options?: RunOptions): Promise<JobEnd>;
  /** Resumes a job that nobody is running. `onStart` is called once we hold the job, before anything is sent. */
  resume(job: string, options?: ResumeOptions): Promise<JobEnd>;
  /** Prepares to run a job again. */
  rerun(job: string, wish: RerunWish): Promise<Rerun>;
  stop(job: string, options: StopOptions): Promise<Stopped>;
  /** Yields a job's events from the first one, until the job is over or `signal` aborts. */
  follow(job: string, options?: { signal?: AbortSignal | undefined }): AsyncIterable<JobEvent>;
  jobs(filter?: JobFilter): Promise<FoundJob[]>;
  job(job: string): Promise<StoredJob>;
  hostLog(job: string, host: string): Promise<HostLog>;
  /** The latest jobs of a host, and what became of it in each. */
  jobsOfHost(certname: string, options: { count: number }): Promise<HostJobs>;
  /** Counts hosts by these facts, by environment, class and latest report. */
  facets(hosts: Hosts, facts: readonly WantedFact[]): Promise<Facets>;
  /** Counts hosts by the values of one fact. */
  fact(hosts: Hosts, path: FactPath): Promise<FactCounts>;
  /** The state of hosts; `kick ping` uses it as well. */
  status(hosts: Pick<Hosts, 'targets'>, options?: AskOptions<AgentAnswer>): Promise<AgentAnswer[]>;
  count(hosts: Pick<Hosts, 'targets'>, options?: AskOptions<AgentAnswer>): Promise<Counted>;
  summary(hosts: Pick<Hosts, 'targets'>, options?: AskOptions<AgentAnswer>): Promise<Summarised>;
  /** Disables, enables or cancels. */
  command(hosts: Pick<Hosts, 'targets'>, order: FleetOrder): Promise<CommandAnswer[]>;
  /** What will go wrong on hosts; anything wrong with this controller comes first. */
  doctor(hosts: Pick<Hosts, 'targets'>, options?: AskOptions<Patient>): Promise<Patient[]>;
}

export type ResumeOptions = RunOptions & { onStart?(job: StoredJob): void | Promise<void> };

export interface Counted extends HostCounts {
  answers: AgentAnswer[];
}

export interface Summarised {
  summary: FleetSummary;
  answers: AgentAnswer[];
}

export function openController(options: ControllerOptions): Controller {
  const site = siteOf(options);
  return {
    clock: site.clock,
    config: site.config,
    identity: site.identity,
    inventory: async () => (await import('./open-inventory.ts')).openInventory(site),
    choose: async (selection, choice = {}) =>
      (await import('./choose-hosts.ts')).chooseHosts(site, selection, choice),
    known: async ({ warn }) => (await import('./known-hosts.ts')).knownHosts(site, warn),
    plan: async (hosts, wish) => (await import('./plan-job.ts')).planJob(site, hosts, wish),
    run: async (plan, taking = {}) => (await import('./execute-job.ts')).runPlan(site, plan, taking),
    resume: async (job, taking = {}) => (await import('./resume-job.ts')).resumeJob(site, job, taking),
    facets: async (hosts, facts) => (await import('./count-facets.ts')).countFacets(site, hosts, facts),
    fact: async (hosts, path) => (await import('./count-fact.ts')).countFact(site, hosts, path),
    ...jobMethods(site),
    ...fleetMethods(site),
  };
}

function siteOf({ enterState = async () => {}, ...options }: ControllerOptions): Site {
  const { folders, clock } = options;
  let config = options.config === undefined ? undefined : Promise.resolve(options.config);
  let store = options.store === undefined ? undefined : Promise.resolve(options.store);
  const openStore = async () => {
    await enterState();
    return (await import('./jobs/job-store.ts')).openJobStore(folders.stateDir, clock);
  };
  return {
    ...options,
    enterState,
    config: () => (config ??= configIn(folders.configDir)),
    store: () => (store ??= openStore()),
  };
}

async function configIn(dir: string): Promise<ControllerConfig> {
  return (await import('../config/controller-files.ts')).readControllerConfig(dir);
}

type JobMethods = Pick<Controller, 'rerun' | 'stop' | 'follow' | 'jobs' | 'job' | 'hostLog' | 'jobsOfHost'>;

function jobMethods(site: Site): JobMethods {
  const job = async (text: string) =>
    (await import('./jobs/read-job.ts')).storedJob(await site.store(), text);
  return {
    job,
    rerun: async (text, wish) => (await import('./plan-job.ts')).rerunOf(site, await job(text), wish),
    stop: async (text, options) => (await import('./stop-job.ts')).stopJob(site, text, options),
    async *follow(text, options) {
      const { followJob } = await import('./follow-job.ts');
      yield* followJob(await site.store(), text, options);
    },
    jobs: async (filter = {}) =>
      (await import('./find-jobs.ts')).findJobs(await site.store(), filter, site.clock.now()),
    hostLog: async (text, host) =>
      (await import('./host-log.ts')).readHostLog(await site.store(), text, host),
    jobsOfHost: async (certname, { count }) => {
      const { jobsOfHost } = await import('./host-jobs.ts');
      return jobsOfHost(await site.store(), certname, { count, clock: site.clock });
    },
  };
}

type FleetMethods = Pick<Controller, 'status' | 'count' | 'summary' | 'command' | 'doctor'>;

function fleetMethods(site: Site): FleetMethods {
  const status: Controller['status'] = async ({ targets }, options = {}) =>
    (await import('./fleet/ask-hosts.ts')).askHosts(site, targets, options);
  return {
    status,
    async count(hosts, options) {
      const { countHosts } = await import('./fleet/host-state.ts');
      const answers = await status(hosts, options);
      return { ...countHosts(answers), answers };
    },
    async summary(hosts, options) {
      const { summarise } = await import('./fleet/summary.ts');
      const answers = await status(hosts, options);
      return { summary: summarise(answers), answers };
    },
    command: async ({ targets }, order) =>
      (await import('./fleet/ask-hosts.ts')).commandHosts(site, targets, order),
    doctor: async ({ targets }, options = {}) =>
      (await import('./fleet/patient.ts')).examineHosts(site, targets, options),
  };
}
