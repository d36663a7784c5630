/** Faults at random, and every so often a calm in which everything is checked. */

import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Random, randomFrom } from '../../src/cli/demo/run-shape.ts';
import { sleep } from '../../src/util/clock.ts';
import { BrokenPromise, checkJobs, checkPuppets } from './check.ts';
import { FAULTS, type Ground } from './faults.ts';
import { mount } from './host.ts';
import { checkRest, watchGrowth } from './leaks.ts';
import { between } from './random.ts';
import { openSite, type Site } from './site.ts';
import { startWork, type Work } from './work.ts';

export interface TortureOptions {
  seed: number;
  /** Ends after so many faults. */
  faults: number;
  hosts: number;
  /** How many of them have a real Puppet; a run of it takes 3 s of a processor. */
  puppets: number;
  /** Names of FAULTS; all that can be had here by default. */
  kinds?: readonly string[];
  onCalm?: (survived: Survived) => void;
}

export interface Survived {
  /** By kind. */
  faults: Record<string, number>;
  outcomes: Record<string, number>;
  jobs: number;
  runs: number;
  /** Of all agents and of the server. */
  starts: number;
  /** MB of the largest agent, at each calm. */
  rssMb: number[];
}

/** Between two calms, for each host. */
const FAULTS_A_CALM = 20;
/** Milliseconds between two faults. */
const EVERY = [5, 150] as const;

/** In namespaces of our own, below `folder`. Throws `BrokenPromise`. */
export async function runTorture(folder: string, options: TortureOptions): Promise<Survived> {
  takeOverBoot(folder);
  const random = randomFrom(options.seed);
  const site = await openSite(folder, { ...options, random: randomFrom(options.seed + 2) });
  const work = startWork(site, randomFrom(options.seed + 1));
  const ground: Ground = {
    site,
    work,
    random,
    damaged: new Map(),
    damagedJobs: new Set(),
    lostTime: new Set(),
    restarting: new Set(),
    newBoot: () => writeBoot(folder),
  };
  const survived: Survived = { faults: {}, outcomes: {}, jobs: 0, runs: 0, starts: 0, rssMb: [] };
  const state: CalmState = {
    survived,
    checked: new Set(),
    growth: { agent: watchGrowth('agent'), server: watchGrowth('server') },
  };
  try {
    for (let done = 0; done < options.faults; ) {
      const some = Math.min(FAULTS_A_CALM * options.hosts, options.faults - done);
      const counts = await faultsFor(ground, some, options.kinds ?? Object.keys(FAULTS));
      await calm(ground, state);
      for (const [kind, count] of Object.entries(counts)) {
        survived.faults[kind] = (survived.faults[kind] ?? 0) + count;
        done += count;
      }
      options.onCalm?.(survived);
    }
    return survived;
  } finally {
    void work.end();
    void site.end();
  }
}

/** So many faults that something was done to, as many at once as there are hosts. */
async function faultsFor(
  ground: Ground,
  wanted: number,
  kinds: readonly string[],
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const possible = kinds.filter((kind) => FAULTS[kind]?.missing?.(ground) === undefined);
  let left = wanted;
  const lane = async () => {
    while (left > 0) {
      await sleep(between(ground.random, ...EVERY));
      const kind = weighted(ground.random, possible);
      if (left <= 0 || !(await FAULTS[kind]?.act(ground))) continue;
      left -= 1;
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
  };
  await Promise.all(ground.site.hosts.map(lane));
  return counts;
}

function weighted(random: Random, kinds: readonly string[]): string {
  const weightOf = (kind: string) => FAULTS[kind]?.weight ?? 0;
  let left = random() * kinds.reduce((sum, kind) => sum + weightOf(kind), 0);
  const isIt = (kind: string) => {
    left -= weightOf(kind);
    return left < 0;
  };
  return kinds.find(isIt) ?? '';
}

interface CalmState {
  survived: Survived;
  /** Jobs. */
  checked: Set<string>;
  growth: Record<'agent' | 'server', ReturnType<typeof watchGrowth>>;
}

/** Nothing is wrong any more: everything must be told truly, and the next run must begin on every host. */
async function calm(ground: Ground, { survived, checked, growth }: CalmState): Promise<void> {
  const { site, work } = ground;
  await work.pause();
  await Promise.all([site.server.up(), ...site.hosts.map(({ agent }) => agent.up())]);
  await noteOthers(site, work);
  const jobs = [...work.askedAt.keys()].filter((job) => !checked.has(job));
  const outcomes = await checkJobs(ground, jobs);
  site.puppetServer?.steady(true);
  await checkPuppets(ground, await checkNext(site));
  const rss = await checkLeaks(site, growth);
  for (const job of jobs) checked.add(job);
  for (const [outcome, count] of Object.entries(outcomes))
    survived.outcomes[outcome] = (survived.outcomes[outcome] ?? 0) + count;
  survived.jobs += jobs.length;
  survived.runs = site.hosts.reduce(
    (sum, host) => sum + host.journal().filter((line) => line.startsWith('begin')).length,
    0,
  );
  survived.starts = [site.server, ...site.hosts.map(({ agent }) => agent)].reduce(
    (sum, { starts }) => sum + starts,
    0,
  );
  survived.rssMb.push(Math.round(Math.max(...rss)));
  ground.damaged.clear();
  ground.damagedJobs.clear();
  ground.lostTime.clear();
  site.puppetServer?.steady(false);
  work.goOn();
}

/** Returns the MB of each agent. A process is compared with itself: the last agent lives from one reboot to the next. */
async function checkLeaks(site: Site, growth: CalmState['growth']): Promise<number[]> {
  const { pid } = await site.server.up();
  growth.server(`kick serve, pid ${pid}`, checkRest('kick serve', { pid }));
  return Promise.all(
    site.hosts.map(async ({ name, agent, disk }) => {
      const { pid } = await agent.up();
      const rssMb = checkRest(name, { pid, folder: disk });
      growth.agent(`${name}, pid ${pid}`, rssMb);
      return rssMb;
    }),
  );
}

/** Jobs of the schedule, and of commands that were killed before they could say which. */
async function noteOthers(site: Site, work: Work): Promise<void> {
  const { jobs } = await site.ask('jobs?limit=1000');
  for (const { id, startedAt } of jobs) {
    if (!work.askedAt.has(id)) work.askedAt.set(id, Date.parse(startedAt));
  }
}

/** A job for all hosts, which is returned: no lock, no record and no process that is left stands in its way. */
async function checkNext(site: Site): Promise<string> {
  const hosts = site.hosts.map(({ name }) => name);
  const { job } = await site.ask('jobs', { choice: { hosts } }, { 'Idempotency-Key': randomUUID() });
  while ((await site.ask(`jobs/${job}`)).state === 'running') await sleep(50);
  const { hosts: rows } = await site.ask(`jobs/${job}/hosts?limit=9999`);
  const others = rows.filter((row: { outcome?: string }) => row.outcome !== 'changed');
  if (others.length > 0) throw new BrokenPromise(`the next run, job ${job}: ${JSON.stringify(others)}`);
  return job;
}

/** The machine has been started anew, by its own word: a file of ours lies where the kernel's would be. */
function writeBoot(folder: string): void {
  writeFileSync(join(folder, 'boot-id'), `${randomUUID()}\n`);
}

function takeOverBoot(folder: string): void {
  writeBoot(folder);
  mount(['--bind', join(folder, 'boot-id'), '/proc/sys/kernel/random/boot_id']);
}
