/** What is known here of what will go wrong. Gathering it changes nothing and takes a few seconds at the most. */
import { readFile, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { KickError, messageOf } from '../../errors.ts';
import type { DoctorFacts } from '../../protocol/doctor.ts';
import { findPuppet } from '../../puppet/binary.ts';
import { type PuppetSettings, puppetSettings } from '../../puppet/settings.ts';
import { clip } from '../../util/text.ts';
import { catalogRunHolder } from '../puppet/lock-files.ts';
import { otherSchedulers, SCHEDULER_PLACES, type SchedulerPlaces } from './schedulers.ts';

export interface FactsOptions {
  stateDir: string;
  runDir: string;
  /** Absent: this host runs no Puppet (the runner `command`). */
  puppet?: { explicit?: string | undefined; path: string } | undefined;
  schedulers?: SchedulerPlaces;
  /** Milliseconds since 1970. */
  now: number;
}

/** Milliseconds that Puppet Server is given to take a connection. */
const CONNECT_MS = 5000;

/** linux/magic.h, TMPFS_MAGIC. */
const TMPFS = 0x01021994;

export async function doctorFacts(options: FactsOptions): Promise<DoctorFacts> {
  const { stateDir, runDir, puppet, schedulers = SCHEDULER_PLACES, now } = options;
  const [state, run, ofPuppet] = await Promise.all([
    folderFact('state', stateDir),
    folderFact('run', runDir),
    puppet === undefined ? {} : puppetFacts(puppet, stateDir, now),
  ]);
  return { folders: [...state, ...run], ...ofPuppet, schedulers: otherSchedulers(schedulers) };
}

async function folderFact(what: 'state' | 'run', path: string): Promise<DoctorFacts['folders']> {
  try {
    const { bavail, bsize, type } = await statfs(path);
    return [{ what, path, freeBytes: bavail * bsize, ...(what === 'run' && { isTmpfs: type === TMPFS }) }];
  } catch {
    return []; // it will be made
  }
}

async function puppetFacts(
  { explicit, path }: NonNullable<FactsOptions['puppet']>,
  stateDir: string,
  now: number,
): Promise<Partial<DoctorFacts>> {
  let settings: PuppetSettings;
  try {
    settings = await puppetSettings({ puppet: findPuppet({ explicit, path }), stateDir });
  } catch (error) {
    if (!(error instanceof KickError)) throw error;
    return { puppetError: clip(messageOf(error), 1024) };
  }
  const { server: name, serverport: port, agent_catalog_run_lockfile: lock } = settings;
  const [error, staleLock] = await Promise.all([cannotReach(name, port), staleLockAt(lock, now)]);
  return {
    server: { name, port, ...(error !== undefined && { error }) },
    ...(staleLock !== undefined && { staleLock }),
  };
}

/** Why nobody listens there; undefined when somebody does. */
export function cannotReach(host: string, port: number, timeoutMs = CONNECT_MS): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (why?: string) => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(timeoutMs, () => end(`no answer in ${timeoutMs / 1000} s`));
    socket.once('connect', () => end());
    socket.once('error', (error) => end(clip(messageOf(error), 300)));
  });
}

async function staleLockAt(path: string, now: number): Promise<string | undefined> {
  try {
    const pid = (await readFile(path, 'latin1')).trim();
    if ((await catalogRunHolder(path, now)) !== undefined) return undefined;
    return clip(`${path} names ${pid === '' ? 'nobody' : `pid ${pid}, which runs no Puppet`}`, 300);
  } catch {
    return undefined;
  }
}
