/** Through a broker, beside direct push: what a host costs, what an idle agent costs, and how a fleet comes back. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../src/util/clock.ts';
import { agentCommand } from '../tools/agent-process.ts';
import { DEFAULTS } from '../tools/fleet/plan.ts';
import { type Fleet, startFleet } from '../tools/fleet/start-fleet.ts';
import { isInstalled } from '../tools/installed.ts';
import { mintCa } from '../tools/mint/mint-ca.ts';
import { type NatsServer, startNatsServer } from '../tools/nats-server.ts';
import { PROGRAM } from '../tools/program.ts';
import type { DispatchOptions } from './dispatch.ts';
import { median, mediansOf, type Row, roundsWithin, startAsUnit } from './measure.ts';
import { type Cost, costOfNode, memoryOf } from './processes.ts';
import { separatedRow } from './separated.ts';

const CONCURRENCY = 50;
const PAIRS_MS = 60_000;
/** Of runs that are all in progress at once. */
const LONG_MS = 20_000;
const MAX_PAIRED = 1000;
const IDLE_ROUNDS = 5;
const DISCOVERY_ROUNDS = 5;
const CALM_MS = 3000;
const NAME = 'agent.bench';

export async function* natsRows(place: DispatchOptions): AsyncGenerator<Row> {
  if (!isInstalled('nats-server')) {
    yield {
      what: 'through a broker',
      value: '-',
      beside: 'not measured: no nats-server here',
      promised: '-',
    };
    return;
  }
  const paired = Math.min(MAX_PAIRED, place.hosts);
  yield await withFleet({ ...place, hosts: paired, runMs: 1000 }, (fleet) => cpuRow(fleet, place.folder));
  for (const hosts of [paired, 3])
    yield await withFleet({ ...place, hosts, runMs: 1000 }, (fleet) => discoveryRow(fleet));
  yield await withFleet({ ...place, hosts: paired, runMs: LONG_MS }, (fleet) =>
    memoryRow(fleet, place.folder),
  );
  yield* idleRows(place.folder);
  yield await withFleet({ ...place, runMs: 1000 }, comeBackRow);
}

async function withFleet(
  { hosts, keep, runMs }: DispatchOptions & { runMs: number },
  measure: (fleet: Fleet) => Promise<Row>,
): Promise<Row> {
  const shape = { ...DEFAULTS.shape, times: { kind: 'fixed' as const, ms: runMs } };
  const fleet = await startFleet({ ...DEFAULTS, hosts, keep, shape, nats: true });
  try {
    return await measure(fleet);
  } finally {
    await fleet.stop();
  }
}

function kick(fleet: Fleet, via: 'direct' | 'nats', ...flags: string[]): string[] {
  return [PROGRAM, 'run', '--all', '--quiet', '--via', via, ...flags, ...fleet.kickArgs()];
}

interface Pairs {
  direct: Cost[];
  nats: Cost[];
}

/** Alternating, so that other load on the machine affects both. */
async function pairs(
  fleet: Fleet,
  { folder, flags, most }: { folder: string; flags: string[]; most: number },
): Promise<Pairs> {
  const costs: Pairs = { direct: [], nats: [] };
  for (const _ of roundsWithin(PAIRS_MS, { least: 1, most })) {
    for (const via of ['direct', 'nats'] as const) {
      costs[via].push(await costOfNode(kick(fleet, via, ...flags), { folder }));
    }
  }
  return costs;
}

const ratioOf = ({ direct, nats }: Pairs, figure: 'cpuMs' | 'rssMb') =>
  median(nats.map((cost, i) => cost[figure] / (direct[i]?.[figure] ?? Number.NaN)));

async function cpuRow(fleet: Fleet, folder: string): Promise<Row> {
  const hosts = fleet.names.length;
  const flags = ['--detach', '--concurrency', String(CONCURRENCY)];
  const costs = await pairs(fleet, { folder, flags, most: 7 });
  const ratio = ratioOf(costs, 'cpuMs');
  const [direct, nats] = [mediansOf(costs.direct).cpuMs / hosts, mediansOf(costs.nats).cpuMs / hosts];
  return {
    what: `controller CPU a host through a broker, ${hosts} hosts`,
    value: `${nats.toFixed(2)} ms`,
    beside: `${ratio.toFixed(2)} x direct push (${direct.toFixed(2)} ms), ${costs.nats.length} pairs`,
    promised: '<= 1.3 x',
    figures: { nats, direct, ratio },
  };
}

async function memoryRow(fleet: Fleet, folder: string): Promise<Row> {
  const hosts = fleet.names.length;
  const costs = await pairs(fleet, { folder, flags: ['--concurrency', String(hosts)], most: 3 });
  const ratio = ratioOf(costs, 'rssMb');
  const [direct, nats] = [mediansOf(costs.direct).rssMb, mediansOf(costs.nats).rssMb];
  return {
    what: `  peak RSS with ${hosts} streams open`,
    value: `${nats.toFixed(0)} MB`,
    beside: `${ratio.toFixed(2)} x direct push (${direct.toFixed(0)} MB), ${costs.nats.length} pairs`,
    promised: '<= 1.2 x',
    figures: { nats, direct, ratio },
  };
}

/** From the question to the end of the wait; the command as a whole takes Node's start and a connection to the broker more. */
async function discoveryRow(fleet: Fleet): Promise<Row> {
  const hosts = fleet.names.length;
  const args = ['discover', '--fact', 'fleet.number>=0', '--format', 'json', ...fleet.kickArgs()];
  const took: { discoveryMs: number; commandMs: number }[] = [];
  for (let round = 0; round < DISCOVERY_ROUNDS; round++) {
    const from = performance.now();
    const out = execFileSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
    const { count, tookMs } = JSON.parse(out) as { count: number; tookMs: number };
    if (count !== hosts) throw new Error(`${count} of ${hosts} hosts were discovered`);
    took.push({ discoveryMs: tookMs, commandMs: performance.now() - from });
  }
  const { discoveryMs, commandMs } = mediansOf(took);
  return {
    what: `  discovery of ${hosts} agents with a fact condition`,
    value: `${(discoveryMs / 1000).toFixed(2)} s`,
    beside: `the whole command ${(commandMs / 1000).toFixed(2)} s; all agents on this machine; ${took.length} rounds`,
    promised: hosts > 100 ? '<= 1.5 s' : '<= 0.5 s',
    figures: { discoveryMs, commandMs },
  };
}

/** An agent that has a connection and no port, beside one that has a port and no connection. */
async function* idleRows(folder: string): AsyncGenerator<Row> {
  const ca = mintCa();
  const pkiDir = join(folder, 'nats-pki');
  ca.write(pkiDir, ca.issue(NAME, { role: 'agent' }));
  const server = await startNatsServer({ folder: join(folder, 'nats'), ca, agents: [NAME], controllers: [] });
  const config = { runner: 'command', command: ['/bin/true'] };
  const configs = { direct: config, nats: { ...config, listen: false, nats: { servers: [server.address] } } };
  const idle: { direct: Idle[]; nats: Idle[] } = { direct: [], nats: [] };
  for (let round = 0; round < IDLE_ROUNDS; round++) {
    for (const via of ['direct', 'nats'] as const) {
      const configDir = join(folder, `idle-${via}`);
      mkdirSync(configDir, { recursive: true });
      writeFileSync(join(configDir, 'agent.yaml'), JSON.stringify(configs[via]));
      const agent = await startAsUnit(agentCommand({ configDir, pkiDir, certname: NAME }, [PROGRAM]));
      await sleep(CALM_MS);
      idle[via].push(memoryOf(agent.pid));
      await agent.kill();
    }
  }
  const [direct, nats] = [mediansOf(idle.direct), mediansOf(idle.nats)];
  yield {
    what: '  kick agent, idle, with a broker and no port',
    value: `${(nats.rss - direct.rss).toFixed(1)} MB`,
    beside: `more than with a port alone (RSS ${nats.rss.toFixed(1)}, ${direct.rss.toFixed(1)} MB; PSS ${nats.pss.toFixed(1)}, ${direct.pss.toFixed(1)})`,
    promised: '<= 4 MB',
    figures: { nats: nats.rss, direct: direct.rss },
  };
  const place = { configDir: join(folder, 'idle-nats'), pkiDir, certname: NAME };
  yield await separatedRow(place, '  the same in two processes: PSS of both');
  await server.kill('SIGKILL');
}

interface Idle {
  rss: number;
  pss: number;
}

/** The broker is killed and started again: how long until everybody is back. */
async function comeBackRow(fleet: Fleet): Promise<Row> {
  const hosts = fleet.names.length;
  const broker = fleet.broker as NatsServer;
  await broker.kill('SIGKILL');
  const from = performance.now();
  await broker.start();
  const own = socketsOf(broker.pid());
  while (socketsOf(broker.pid()) < own + hosts && performance.now() - from < 600_000) await sleep(250);
  const seconds = (performance.now() - from) / 1000;
  const back = socketsOf(broker.pid()) - own;
  const { rss } = memoryOf(broker.pid());
  return {
    what: `${hosts} agents come back after the broker was killed`,
    value: `${seconds.toFixed(0)} s`,
    beside: `${back} are back; nats-server ${rss.toFixed(0)} MB; all on this machine`,
    promised: '<= 120 s',
    figures: { seconds, back, rss },
  };
}

/** How many sockets a process has open. */
function socketsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
