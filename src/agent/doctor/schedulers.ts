/** What else starts Puppet runs on this host: two schedules at once are rarely intended. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { clip } from '../../util/text.ts';
import { isDaemon, textRunsPuppet } from './puppet-commands.ts';

export interface SchedulerPlaces {
  /** Files, and folders of files, in cron's format. */
  cron: readonly string[];
  /** Folders in which systemd links to enabled units. */
  wants: readonly string[];
  /** /proc. */
  proc: string;
}

export const SCHEDULER_PLACES: SchedulerPlaces = {
  cron: [
    '/etc/crontab',
    '/etc/cron.d',
    '/etc/cron.hourly',
    '/etc/cron.daily',
    '/var/spool/cron',
    '/var/spool/cron/crontabs',
  ],
  wants: ['/etc/systemd/system/multi-user.target.wants', '/etc/systemd/system/timers.target.wants'],
  proc: '/proc',
};

const MAX_FILES = 500;
const MAX_BYTES = 256 * 1024;
const MAX_FOUND = 20;

const UNIT = /^(puppet|puppet-run|openvox)(-agent)?\.(service|timer)$/;

export function otherSchedulers(places: SchedulerPlaces = SCHEDULER_PLACES): string[] {
  const cron = places.cron.flatMap(filesIn).slice(0, MAX_FILES).filter(runsPuppet);
  const units = places.wants.flatMap(namesIn).filter((name) => UNIT.test(name));
  return [
    ...cron.map((path) => clip(`cron: ${path}`, 300)),
    ...[...new Set(units)].map((name) => `${name} (enabled)`),
    ...daemonNote(daemons(places.proc), units),
  ].slice(0, MAX_FOUND);
}

function filesIn(path: string): string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path];
  return namesIn(path)
    .map((name) => join(path, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function runsPuppet(path: string): boolean {
  try {
    const found = statSync(path);
    return found.isFile() && found.size <= MAX_BYTES && textRunsPuppet(readFileSync(path, 'latin1'));
  } catch {
    return false;
  }
}

/** A daemon of an enabled service is not reported again. */
function daemonNote(pids: readonly number[], units: readonly string[]): string[] {
  if (pids.length === 0 || units.some((name) => name.endsWith('.service'))) return [];
  return [`puppet agent as a daemon (pid ${pids.slice(0, 5).join(', ')})`];
}

/** Finds daemons. The children of a working daemon have the same name and are not counted. */
function daemons(proc: string): number[] {
  const found = new Set(
    namesIn(proc)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter(
        (pid) =>
          /puppet|ruby/.test(read(join(proc, String(pid), 'comm'))) &&
          isDaemon(read(join(proc, String(pid), 'cmdline')).split(/[\0 ]+/)),
      ),
  );
  return [...found].filter((pid) => !ancestorsOf(pid, proc).some((one) => found.has(one)));
}

function ancestorsOf(pid: number, proc: string): number[] {
  const found: number[] = [];
  let at = parentOf(pid, proc);
  while (at > 0 && !found.includes(at)) {
    found.push(at);
    at = parentOf(at, proc);
  }
  return found;
}

/** 0 if there is none. */
function parentOf(pid: number, proc: string): number {
  const stat = read(join(proc, String(pid), 'stat'));
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
