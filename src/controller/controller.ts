/**
 * The application on the controller: all that a face (the command line, a web page, a REST API) can do, as methods that
 * take plain data and return plain data or an async iterable. Who asks (`by`), a confirmation and an `AbortSignal` are
 * arguments. Nothing here prints, asks a terminal, handles a signal or ends the process.
 *
 * Each method loads its part when it is first called, since cron and scripts wait for the start of each kick.
 */
import type { ControllerConfig } from '../config/controller-config.ts';
import { readControllerConfig } from '../config/controller-files.ts';
import type { Identity } from '../pki/identity.ts';
import type { Clock } from '../util/clock.ts';
import type { ChooseOptions, Hosts } from './choose-hosts.ts';
import type { JobEnd, RunOptions } from './execute-job.ts';
import type { FoundJob, JobFilter } from './find-jobs.ts';
import type { AskOptions, FleetOrder } from './fleet/ask-hosts.ts';
import type { CommandAnswer } from './fleet/command-agents.ts';
import type { HostCounts } from './fleet/host-state.ts';
import type { Patient } from './fleet/patient.ts';
import type { FleetSummary } from './fleet/summary.ts';
import type { HostLog } from './host-log.ts';
import type { JobEvent } from './jobs/job.ts';
import type { JobStore } from './jobs/job-store.ts';
import type { StoredJob } from './jobs/stored-job.ts';
import type { JobWish, Plan, Rerun, RerunWish } from './plan-job.ts';
import type { OpenSender, Site } from './site.ts';
import type { StopOptions, Stopped } from './stop-job.ts';
import type { AgentAnswer } from './targeting/host-sources.ts';
import type { Inventory } from './targeting/inventory.ts';
import type { Selection } from './targeting/selection.ts';

export interface ControllerOptions extends Pick<Site, 'folders' | 'path' | 'version' | 'clock'> {
  /** Who we are; asked again for each thing that needs it. */
  identity(): Promise<Identity>;
  openSender: OpenSender;
  /** Defaults to controller.yaml, which is read when it is first needed. */
  config?: ControllerConfig | undefined;
  /** Defaults to the one in `folders.stateDir`. */
  store?: JobStore | undefined;
}

/** Jobs are named by their ids, the last digits of these, or `last`. Everything may throw `KickError`. */
export interface Controller {
  readonly clock: Clock;
  config(): Promise<ControllerConfig>;
  identity(): Promise<Identity>;
  inventory(): Promise<Inventory>;
  /** The hosts, and those that could not be judged. */
  choose(selection: Selection, options?: ChooseOptions): Promise<Hosts>;
  /** What `run` would do; sends nothing. */
  plan(hosts: Hosts, wish: JobWish): Promise<Plan>;
  /** Runs it to its end. */
  run(plan: Plan, options?: RunOptions): Promise<JobEnd>;
  /** Goes on with a job that nobody runs. `onStart` is called once it is ours, before anything is sent. */
  resume(job: string, options?: ResumeOptions): Promise<JobEnd>;
  /** A job once more, to be planned and run. */
  rerun(job: string, wish: RerunWish): Promise<Rerun>;
  stop(job: string, options: StopOptions): Promise<Stopped>;
  /** Its events from the first one on, until it is over or `signal` aborts. */
  follow(job: string, options?: { signal?: AbortSignal | undefined }): AsyncIterable<JobEvent>;
  jobs(filter?: JobFilter): Promise<FoundJob[]>;
  job(job: string): Promise<StoredJob>;
  hostLog(job: string, host: string): Promise<HostLog>;
  /** What hosts are and do; also what `kick ping` asks. */
  status(hosts: Pick<Hosts, 'targets'>, options?: AskOptions<AgentAnswer>): Promise<AgentAnswer[]>;
  count(hosts: Pick<Hosts, 'targets'>, options?: AskOptions<AgentAnswer>): Promise<Counted>;
  summary(hosts: Pick<Hosts, 'targets'>, options?: AskOptions<AgentAnswer>): Promise<Summarised>;
  /** Disables, enables, cancels. */
  command(hosts: Pick<Hosts, 'targets'>, order: FleetOrder): Promise<CommandAnswer[]>;
  /** What will go wrong on hosts, and first, where anything will, on this controller. */
  doctor(hosts: Pick<Hosts, 'targets'>, options?: AskOptions<Patient>): Promise<Patient[]>;
}

export type ResumeOptions = Omit<RunOptions, 'lock'> & { onStart?(job: StoredJob): void | Promise<void> };

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
    inventory: async () => (await import('./choose-hosts.ts')).openInventory(site),
    choose: async (selection, choice = {}) =>
      (await import('./choose-hosts.ts')).chooseHosts(site, selection, choice),
    plan: async (hosts, wish) => (await import('./plan-job.ts')).planJob(site, hosts, wish),
    run: async (plan, taking = {}) => (await import('./execute-job.ts')).runPlan(site, plan, taking),
    resume: async (job, taking = {}) => (await import('./resume-job.ts')).resumeJob(site, job, taking),
    ...jobMethods(site),
    ...fleetMethods(site),
  };
}

function siteOf({ folders, path, version, clock, identity, openSender, ...given }: ControllerOptions): Site {
  let config = given.config === undefined ? undefined : Promise.resolve(given.config);
  let store = given.store === undefined ? undefined : Promise.resolve(given.store);
  const openStore = async () => (await import('./jobs/job-store.ts')).openJobStore(folders.stateDir, clock);
  return {
    folders,
    path,
    version,
    clock,
    identity,
    openSender,
    config: () => (config ??= readControllerConfig(folders.configDir)),
    store: () => (store ??= openStore()),
  };
}

type JobMethods = Pick<Controller, 'rerun' | 'stop' | 'follow' | 'jobs' | 'job' | 'hostLog'>;

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
