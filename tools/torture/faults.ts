/** What is done to a site: each fault lasts for a moment, and is undone as a machine undoes it. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../src/cli/demo/run-shape.ts';
import { sleep } from '../../src/util/clock.ts';
import { damagePuppet, damageState } from './damage-host.ts';
import { damageServer } from './damage-server.ts';
import { emptyFolder, type Host, hasFakeTime, mount } from './host.ts';
import { send } from './processes.ts';
import { between, oneOf } from './random.ts';
import type { Site } from './site.ts';
import { someCommand, type Work } from './work.ts';

export interface Ground {
  site: Site;
  work: Work;
  random: Random;
  /** Hosts of which files were damaged: what they say of earlier requests may be that nothing is known. */
  damaged: Map<string, number>;
  /** Jobs of which the server's own record was damaged: it may say so in the place of an outcome. */
  damagedJobs: Set<string>;
  /** Hosts whose clock was set since the last calm. */
  lostTime: Set<string>;
  /** What is being done just now and cannot be done twice at once: to a broker, a site. */
  restarting: Set<object>;
  /** Gives the machine another boot id. */
  newBoot(): void;
}

export interface Fault {
  what: string;
  /** How often, beside the others. */
  weight: number;
  /** Why it cannot be had here. */
  missing?: (ground: Ground) => string | undefined;
  /** Returns false if there was nothing to do it to. */
  act(ground: Ground): Promise<boolean>;
}

const hostOf = ({ site, random }: Ground) => oneOf(random, site.hosts);
/** One whose agent may end: but for a reboot the last one's lives on, so that what it holds on to would be seen. */
const mortalOf = ({ site, random }: Ground) =>
  oneOf(random, site.hosts.length === 1 ? site.hosts : site.hosts.slice(0, -1));
const noBroker = ({ site }: Ground) =>
  site.broker === undefined ? 'nats-server is not installed' : undefined;
const noPuppet = ({ site }: Ground) => (site.puppetServer === undefined ? 'no host has a Puppet' : undefined);

/** Stops a process for a while, as an overloaded machine does. */
async function holdFor(pid: number | undefined, ms: number): Promise<boolean> {
  if (pid === undefined || !send(pid, 'SIGSTOP')) return false;
  await sleep(ms);
  send(pid, 'SIGCONT');
  return true;
}

const kill = (pid: number | undefined, signal: NodeJS.Signals = 'SIGKILL') =>
  pid !== undefined && send(pid, signal);

export const FAULTS: Readonly<Record<string, Fault>> = {
  'kill-agent': {
    what: 'kill -9 of an agent',
    weight: 8,
    act: async (ground) => kill(mortalOf(ground).agent.pid),
  },
  'end-agent': {
    what: 'SIGTERM to an agent, as a restart sends it',
    weight: 4,
    act: async (ground) => kill(mortalOf(ground).agent.pid, 'SIGTERM'),
  },
  'kill-run': {
    what: 'kill -9 of some processes of a run, its wrapper among them',
    weight: 12,
    async act(ground) {
      const found = hostOf(ground)
        .runs()
        .filter(() => ground.random() < 0.5);
      return found.filter((pid) => kill(pid)).length > 0;
    },
  },
  'end-run': {
    what: 'TERM, INT or HUP to a process of a run',
    weight: 4,
    async act(ground) {
      const found = hostOf(ground).runs();
      const signal = oneOf(ground.random, ['SIGTERM', 'SIGINT', 'SIGHUP'] as const);
      return found.length > 0 && kill(oneOf(ground.random, found), signal);
    },
  },
  'stop-agent': {
    what: 'an agent stands still for a while',
    weight: 8,
    act: async (ground) => holdFor(hostOf(ground).agent.pid, between(ground.random, 10, 1200)),
  },
  'stop-run': {
    what: 'a process of a run stands still',
    weight: 10,
    async act(ground) {
      const found = hostOf(ground).runs();
      return found.length > 0 && holdFor(oneOf(ground.random, found), between(ground.random, 10, 600));
    },
  },
  'kill-server': {
    what: 'kill -9 of kick serve',
    weight: 3,
    act: async ({ site }) => kill(site.server.pid),
  },
  'stop-server': {
    what: 'kick serve stands still',
    weight: 5,
    act: async ({ site, random }) => holdFor(site.server.pid, between(random, 10, 1200)),
  },
  'kill-command': {
    what: 'kill -9 of a kick on the command line',
    weight: 8,
    act: async ({ work, random }) => kill(someCommand(work, random)?.process.pid),
  },
  'kill-broker': {
    what: 'kill -9 of the broker, which is started again',
    weight: 2,
    missing: noBroker,
    async act({ site: { broker }, restarting }) {
      if (broker === undefined || restarting.has(broker)) return false;
      restarting.add(broker);
      await broker.kill('SIGKILL');
      // Its port may be that of somebody's connection just now.
      await untilDone(() => broker.start());
      restarting.delete(broker);
      return true;
    },
  },
  'stop-broker': {
    what: 'the broker stands still',
    weight: 4,
    missing: noBroker,
    act: async ({ site, random }) => holdFor(site.broker?.pid(), between(random, 10, 1200)),
  },
  'full-disk': {
    what: "an agent's disk is full",
    weight: 5,
    async act(ground) {
      const { disk } = hostOf(ground);
      const ballast = join(disk, 'ballast');
      spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=64k'], { stdio: 'ignore' });
      await sleep(between(ground.random, 50, 1500));
      await untilDone(() => rmSync(ballast, { force: true }));
      return true;
    },
  },
  'read-only': {
    what: "an agent's disk is read-only, as the kernel makes it after an error",
    weight: 4,
    async act(ground) {
      const { disk } = hostOf(ground);
      mount(['--bind', disk, disk]);
      try {
        mount(['-o', 'remount,bind,ro', disk]);
        await sleep(between(ground.random, 50, 1500));
        return true;
      } catch {
        return false; // a file has been opened for writing meanwhile
      } finally {
        while (spawnSync('umount', ['--lazy', disk]).status !== 0) await sleep(20);
      }
    },
  },
  clock: {
    what: "an agent's clock jumps by up to a day",
    weight: 6,
    missing: () => (hasFakeTime() ? undefined : 'libfaketime is not installed (apt-get install faketime)'),
    async act(ground) {
      const host = hostOf(ground);
      ground.lostTime.add(host.name);
      host.setClock(between(ground.random, -86_400, 86_400));
      await sleep(between(ground.random, 100, 2000));
      host.setClock(0);
      return true;
    },
  },
  network: {
    what: 'a host cannot be reached, and what was on the way is lost',
    weight: 6,
    async act(ground) {
      const rule = ['to', hostOf(ground).address, 'blackhole', 'pref', '50'];
      if (spawnSync('ip', ['rule', 'add', ...rule]).status !== 0) return false;
      await sleep(between(ground.random, 50, 2000));
      spawnSync('ip', ['rule', 'del', ...rule]);
      return true;
    },
  },
  damage: {
    what: "a file of an agent's state is damaged while it is down",
    weight: 4,
    act: async (ground) => damageState(ground, mortalOf(ground)),
  },
  'damage-puppet': {
    what: "a file of Puppet's own is damaged at any moment: its lock, its report, its summary or another",
    weight: 6,
    missing: noPuppet,
    act: damagePuppet,
  },
  'damage-server': {
    what: "a file of kick serve's state is damaged, while it runs or is down",
    weight: 5,
    act: damageServer,
  },
  reboot: {
    what: 'everything dies at once, /run is empty, and the boot id is another',
    weight: 0.2,
    async act(ground) {
      const { site, restarting } = ground;
      if (restarting.has(site)) return false;
      restarting.add(site);
      const { hosts, server } = site;
      // What is only starting could not be killed.
      await Promise.all([server.up(), ...hosts.map(({ agent }) => agent.up())]);
      const down = (left: readonly Host[]): Promise<void> => {
        const [next, ...others] = left;
        if (next === undefined) return server.whileDown(async () => ground.newBoot());
        return next.agent.whileDown(async () => {
          await endRuns(next);
          await down(others);
        });
      };
      await down(hosts);
      restarting.delete(site);
      return true;
    },
  },
};

/** Again and again: on a disk that is read-only just now nothing can be removed. */
async function untilDone(work: () => void | Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch {
      await sleep(20);
    }
  }
}

async function endRuns({ runs, runDir }: Host): Promise<void> {
  for (let left = runs(); left.length > 0; left = runs()) {
    for (const pid of left) kill(pid);
    await sleep(5);
  }
  await untilDone(() => emptyFolder(runDir));
}
