/** A host of the site: a real agent with a disk, an address and a clock of its own, and runs that note what they do. */
import { spawnSync } from 'node:child_process';
import {
  type Dirent,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../src/errors.ts';
import { agentCommand } from '../agent-process.ts';
import { processesOf } from './processes.ts';
import type { PuppetHost, PuppetHostOptions } from './puppet-host.ts';
import { Supervised } from './supervised.ts';

const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
const DISK_MB = 24;
const START_MS = 60_000;

export const hasFakeTime = () => existsSync(FAKETIME);

export interface HostOptions {
  name: string;
  address: string;
  port: number;
  /** Everything of it lies here. */
  folder: string;
  pkiDir: string;
  /** Its runs are Puppet's: what has it made. Defaults to a command. */
  puppet?: (host: Omit<PuppetHostOptions, 'ca' | 'server'>) => PuppetHost;
  /** Servers of the broker through which it is reached as well, if at all. */
  servers?: readonly string[];
}

export interface Host extends Pick<HostOptions, 'name' | 'address' | 'port'> {
  readonly agent: Supervised;
  /** Undefined for one whose runs are a command's. */
  readonly puppet: PuppetHost | undefined;
  /** Of the agent: on a disk of its own. */
  readonly disk: string;
  readonly stateDir: string;
  readonly runDir: string;
  /** What its runs have noted: `begin ID NANOSECONDS`, `end ID`, `not alone …`, `not written …`. */
  journal(): string[];
  /** Wrappers, runs and what they have started; not the agent. */
  runs(): number[];
  /** Seconds by which its agent's clock is wrong; not its Puppet's, as Ruby's threads and forks hang under libfaketime. */
  setClock(offset: number): void;
}

/** Where a host's disk is mounted. */
export const diskOf = (folder: string) => join(folder, 'disk');

/** Mounts its disk. Throws if that is impossible here. */
export function makeHost({ name, address, port, folder, pkiDir, servers, ...options }: HostOptions): Host {
  const [etc, disk, journal] = [join(folder, 'etc'), diskOf(folder), join(folder, 'journal')];
  for (const one of [folder, etc, disk]) mkdirSync(one, { recursive: true });
  mount(['-t', 'tmpfs', '-o', `size=${DISK_MB}m,mode=0700`, 'tmpfs', disk]);
  const [stateDir, runDir, clock] = [join(disk, 'state'), join(disk, 'run'), join(folder, 'clock')];
  const puppet = options.puppet?.({ name, folder, disk, journal });
  const runner = puppet === undefined ? commandRunner(folder, journal) : {};
  const config = { ...runner, kill_grace: '1s', bind: address, port };
  const nats = servers === undefined ? {} : { nats: { servers } };
  writeFileSync(join(etc, 'agent.yaml'), JSON.stringify({ ...config, ...nats }));
  const setClock = (offset: number) => writeFileSync(clock, `${offset < 0 ? '' : '+'}${offset}s\n`);
  setClock(0);
  writeFileSync(journal, '');
  const words = agentCommand({ configDir: etc, stateDir, runDir, pkiDir, certname: name, port });
  const bind = words.indexOf('--bind');
  words[bind + 1] = address;
  if (puppet !== undefined) words.push('--puppet', puppet.command);
  const env = { PATH: process.env['PATH'], ...(hasFakeTime() && fakeTimeFrom(clock)) };
  const agent = new Supervised({ what: name, command: words, env, withinMs: START_MS });
  return {
    ...{ name, address, port, agent, puppet, disk, stateDir, runDir, setClock },
    journal: () =>
      readFileSync(journal, 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    runs: () => processesOf(folder).filter((pid) => pid !== agent.pid),
  };
}

const fakeTimeFrom = (clock: string) => ({
  ...{ LD_PRELOAD: FAKETIME, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1' },
  ...{ FAKETIME_DONT_FAKE_MONOTONIC: '1', NO_FAKE_STAT: '1' },
});

/** Configures an agent to run what notes itself. */
function commandRunner(folder: string, journal: string): object {
  const run = join(folder, 'noted');
  writeFileSync(run, notedRun(journal, join(folder, 'alone')), { mode: 0o755 });
  return { runner: 'command', command: [run] };
}

/** Everything that lies in a file; whose it is may be at work, and what vanishes meanwhile is not there. */
export function filesBelow(folder: string): string[] {
  return entriesIn(folder).flatMap((one) => {
    const path = join(folder, one.name);
    if (one.isDirectory()) return filesBelow(path);
    return one.isFile() ? [path] : [];
  });
}

function entriesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

export function mount(words: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${words.join(' ')}: ${stderr}`);
}

export function emptyFolder(folder: string): void {
  if (existsSync(folder))
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
}

/**
 * A run of up to 120 ms that notes its begin and end, and whether another one was alive: `alone` is a lock of its own, which
 * names its holder, as what a killed run was just starting has inherited it, and is no run.
 */
const notedRun = (journal: string, alone: string) => `#!/bin/sh
is_running() {
  [ -n "$1" ] && read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  set -- \${stat##*) }
  [ "$1" != Z ] && [ "$1" != X ]
}
now=$(date +%s%N)
id=$$.$now
exec 8>>'${alone}'
if ! flock -n 8; then
  read -r holder <'${alone}'
  if is_running "$holder"; then echo "not alone $id, but with $holder" >>'${journal}'; fi
  flock 8
fi
echo $$ >'${alone}'
echo "begin $id $now" >>'${journal}'
echo "run $id"
if [ $(($$ % 3)) = 0 ]; then setsid sleep 1 8>&- & fi
i=$(($$ % 7))
while [ $i -gt 0 ]; do
  echo "step $i"
  sleep 0.02 8>&-
  i=$((i - 1))
done
echo "end $id" >>'${journal}'
exit 2
`;
