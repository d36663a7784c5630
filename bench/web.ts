/** `kick serve`: how soon a job begins, its memory, and what a hundred people who watch cost. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sleep } from '../src/util/clock.ts';
import { DEFAULTS } from '../tools/fleet/plan.ts';
import { type Fleet, startFleet } from '../tools/fleet/start-fleet.ts';
import { listenOn } from '../tools/loopback.ts';
import { PROGRAM } from '../tools/program.ts';
import { addAccount, type ServeProcess, startServe } from '../tools/serve-process.ts';
import type { DispatchOptions } from './dispatch.ts';
import { median, type Row, roundsWithin } from './measure.ts';
import { cpuOfProcess, forgetPeak, memoryOf, peakOf } from './processes.ts';

const USER = { name: 'alice', password: 'a password of the bench' };
const OPERATOR = ['--role', 'operator'];
const WATCHERS = 100;
const CONCURRENCY = 500;
const CALM_MS = 3000;
/** Within which pairs of a job with and without watchers begin. */
const PAIRS_MS = 60_000;

const MB = (value: number) => `${value.toFixed(0)} MB`;
const run = promisify(execFile);

export async function* webRows({ folder, hosts, keep, rounds }: DispatchOptions & { rounds: number }) {
  yield* await firstRequestRows({ folder: join(folder, 'web'), rounds });
  yield* await watchedRows({ hosts, keep });
}

// ---------------------------------------------------------------- how soon a job begins

/** Until the controller dials the host: what follows is the same for both. */
async function firstRequestRows({ folder, rounds }: { folder: string; rounds: number }): Promise<Row[]> {
  const fleet = await startFleet({ ...DEFAULTS, hosts: 1 });
  const door = await openDoor(fleet);
  const args = argsBehind(fleet, { folder, port: door.port });
  addAccount(USER, { kickArgs: args, options: OPERATOR });
  const web = await startServe(args);
  const alice = await web.signIn(USER);
  const [own, other]: [number[], number[]] = [[], []];
  try {
    await sleep(CALM_MS);
    const idle = memoryOf(web.process.pid);
    for (let round = 0; round < rounds + 1; round++) {
      const posted = await timeTo(door, () => alice.ask('jobs', { choice: { all: true } }));
      const typed = await timeTo(door, () => kickOnce(args));
      if (round === 0) continue; // the first loads modules that only requests need
      own.push(posted);
      other.push(typed);
    }
    return [idleRow(idle), firstRequestRow(median(own), median(other))];
  } finally {
    await web.process.kill();
    door.server.close();
    await fleet.stop();
  }
}

function idleRow({ rss, pss }: { rss: number; pss: number }): Row {
  return {
    what: 'kick serve, idle',
    value: MB(rss),
    beside: `RSS; PSS ${MB(pss)}`,
    promised: '<= 110 MB',
    figures: { rss, pss },
  };
}

function firstRequestRow(own: number, command: number): Row {
  return {
    what: 'POST /jobs, to the first connection to a host',
    value: `${Math.round(own)} ms`,
    beside: `${Math.round(own - command)} ms over kick run from a shell (${Math.round(command)} ms)`,
    promised: '<= 30 ms over',
    figures: { own, command },
  };
}

interface Door {
  server: Server;
  port: number;
  /** Resolves to the time of the next connection (performance.now). */
  next(): Promise<number>;
}

/** A way to the only host that notices who comes. */
async function openDoor(fleet: Fleet): Promise<Door> {
  const { host, port } = fleet.addressOf(fleet.names[0] ?? '');
  const server = createServer((near) => {
    const far = connect(port, host);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => socket.destroy());
  });
  return {
    server,
    port: await listenOn(server),
    next: () => once(server, 'connection').then(() => performance.now()),
  };
}

/** The arguments of a site whose host is behind the door. */
function argsBehind(fleet: Fleet, { folder, port }: { folder: string; port: number }): string[] {
  mkdirSync(folder, { recursive: true });
  const targets = [{ name: fleet.names[0], uri: `127.0.0.1:${port}` }];
  writeFileSync(join(folder, 'inventory.yaml'), JSON.stringify({ targets }));
  writeFileSync(join(folder, 'controller.yaml'), 'puppetdb: false\n');
  const args = fleet.kickArgs();
  args[args.indexOf('--config-dir') + 1] = folder;
  return args;
}

/** Milliseconds from the beginning of `begin` to the next connection, once both are over. */
async function timeTo(door: Door, begin: () => Promise<unknown>): Promise<number> {
  const arrived = door.next();
  const from = performance.now();
  await begin();
  const ms = (await arrived) - from;
  await sleep(1500); // the run and what follows
  return ms;
}

async function kickOnce(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, 'run', '--all', '--quiet', ...args], { stdio: 'ignore' });
  await once(child, 'close');
}

// ---------------------------------------------------------------- who watches

interface Watched {
  ms: number;
  peakMb: number;
  cpuMs: number;
}

/** Alternating, so that other load on the machine affects both. */
async function watchedRows({ hosts, keep }: { hosts: number; keep: string }): Promise<Row[]> {
  const fleet = await startFleet({ ...DEFAULTS, hosts, keep });
  addAccount(USER, { kickArgs: fleet.kickArgs(), options: OPERATOR });
  const [alone, watched]: [Watched[], Watched[]] = [[], []];
  try {
    for (const _ of roundsWithin(PAIRS_MS, { least: 1, most: 3 })) {
      // Each in a server of its own: the news of a job are kept for a while.
      alone.push(await inNewServer(fleet, 0));
      watched.push(await inNewServer(fleet, WATCHERS));
    }
  } finally {
    await fleet.stop();
  }
  const [own, seen] = [alone, watched].map(medians) as [Watched, Watched];
  return [
    {
      what: `${WATCHERS} open event streams on a job of ${hosts} hosts`,
      value: `${(seen.ms / own.ms).toFixed(2)} x`,
      beside: `the time without them (${(own.ms / 1000).toFixed(1)} s); the server's CPU ${(seen.cpuMs / own.cpuMs).toFixed(2)} x, ${alone.length} pairs`,
      promised: '<= 1.1 x',
      figures: { watchedMs: seen.ms, aloneMs: own.ms, watchedCpuMs: seen.cpuMs, aloneCpuMs: own.cpuMs },
    },
    {
      what: "  the server's peak RSS",
      value: MB(seen.peakMb),
      beside: `${MB(seen.peakMb - own.peakMb)} over the same job with nobody watching`,
      promised: '<= 150 MB over',
      figures: { watchedMb: seen.peakMb, aloneMb: own.peakMb },
    },
  ];
}

const medians = (all: readonly Watched[]): Watched => ({
  ms: median(all.map(({ ms }) => ms)),
  peakMb: median(all.map(({ peakMb }) => peakMb)),
  cpuMs: median(all.map(({ cpuMs }) => cpuMs)),
});

async function inNewServer(fleet: Fleet, watchers: number): Promise<Watched> {
  const web = await startServe(fleet.kickArgs());
  try {
    return await watchedJob(web, watchers);
  } finally {
    await web.process.kill();
  }
}

interface JobView {
  state: string;
  startedAt: string;
  endedAt?: string;
}

async function watchedJob(web: ServeProcess, watchers: number): Promise<Watched> {
  const { pid, port } = web.process;
  const alice = await web.signIn(USER);
  forgetPeak(pid);
  const before = cpuOfProcess(pid);
  const { job } = await alice.ask('jobs', { choice: { all: true }, concurrency: CONCURRENCY });
  const script = join(import.meta.dirname, 'watchers.mjs');
  const words = [script, String(port), web.caPath, alice.cookie, job, String(watchers)];
  // What the watchers themselves take is not the server's: they get what is left.
  const watching = watchers === 0 ? undefined : run('nice', ['-n', '19', process.execPath, ...words]);
  // The list reads less than the job would.
  const look = async (): Promise<JobView> => (await alice.ask('jobs?limit=1')).jobs[0];
  let view = await look();
  while (view.state === 'running') {
    await sleep(500);
    view = await look();
  }
  const seen = await watching;
  if (seen !== undefined && JSON.parse(seen.stdout).over !== watchers) throw new Error(seen.stdout);
  return {
    ms: Date.parse(view.endedAt ?? '') - Date.parse(view.startedAt),
    peakMb: peakOf(pid),
    cpuMs: cpuOfProcess(pid) - before,
  };
}
