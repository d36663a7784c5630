/** What else begins Puppet runs on this host. Two schedules beside each other are rarely meant. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { clip } from '../../util/text.ts';

export interface SchedulerPlaces {
  /** Files, and folders of files, in cron's format. */
  cron: readonly string[];
  /** Folders in which systemd keeps links to what is enabled. */
  wants: readonly string[];
  /** Where processes are. */
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

/** A line that runs Puppet, and is not a comment. */
const RUNS_PUPPET = /^[^#\n]*\bpuppet\s+(agent|apply)\b/m;
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
    const { size } = statSync(path);
    return size <= MAX_BYTES && RUNS_PUPPET.test(readFileSync(path, 'latin1'));
  } catch {
    return false;
  }
}

/** What an enabled service has started is that one scheduler; while it works, a daemon is two processes. */
function daemonNote(pids: readonly number[], units: readonly string[]): string[] {
  if (pids.length === 0 || units.some((name) => name.endsWith('.service'))) return [];
  return [`puppet agent as a daemon (pid ${pids.slice(0, 5).join(', ')})`];
}

/** A `puppet agent` that is none of `--onetime` or `--test` is a daemon; one that runs once belongs to somebody. */
function daemons(proc: string): number[] {
  return namesIn(proc)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(
      (pid) =>
        /^(puppet|ruby)/.test(read(join(proc, String(pid), 'comm'))) &&
        isDaemon(read(join(proc, String(pid), 'cmdline')).split('\0')),
    );
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function isDaemon(words: readonly string[]): boolean {
  const text = words.join(' ');
  // A daemon renames itself: `puppet agent: applying configuration`.
  if (!/\bpuppet\b.*\bagent\b/.test(text)) return false;
  return !words.some((word) =>
    ['--onetime', '-t', '--test', '--job-id', '--disable', '--enable'].includes(word),
  );
}
