/** What is known here of what will go wrong. Gathering it changes nothing and takes a few seconds at the most. */
import { statfs } from 'node:fs/promises';
import { KickError, messageOf } from '../../errors.ts';
import { expiryOf } from '../../pki/expiry.ts';
import type { Identity } from '../../pki/identity.ts';
import type { DoctorFacts } from '../../protocol/doctor.ts';
import { findPuppet } from '../../puppet/binary.ts';
import { serviceEnvironment, settingWords } from '../../puppet/service-environment.ts';
import { type PuppetSettings, puppetSettings } from '../../puppet/settings.ts';
import { clip } from '../../util/text.ts';
import { catalogRunHolder, readLockFile } from '../puppet/lock-files.ts';
import { askServers, serversOf } from './puppet-server.ts';
import { otherSchedulers, SCHEDULER_PLACES, type SchedulerPlaces } from './schedulers.ts';

export interface PuppetHere {
  explicit?: string | undefined;
  /** The variable PATH. */
  path: string;
  /** Whether its runs ask a Puppet Server: those of `puppet apply` do not. */
  asksServer: boolean;
  /** Those of puppet.service, whose extra options move Puppet's files. */
  environmentFiles?: readonly string[];
}

export interface FactsOptions {
  stateDir: string;
  runDir: string;
  /** Absent: this host runs no Puppet (the runner `command`). */
  puppet?: PuppetHere | undefined;
  /** What this host identifies itself by; absent where it has no certificate yet. */
  identity?: Identity | undefined;
  schedulers?: SchedulerPlaces;
  /** Milliseconds since 1970. */
  now: number;
}

/** linux/magic.h, TMPFS_MAGIC. */
const TMPFS = 0x01021994;

export async function doctorFacts(options: FactsOptions): Promise<DoctorFacts> {
  const { stateDir, runDir, puppet, identity, schedulers = SCHEDULER_PLACES } = options;
  const expiry = identity === undefined ? undefined : expiryOf(identity);
  const [state, run, ofPuppet] = await Promise.all([
    folderFact('state', stateDir),
    folderFact('run', runDir),
    puppet === undefined ? {} : puppetFacts(puppet, options),
  ]);
  return {
    ...(expiry !== undefined && { certificateEnds: expiry.certificate }),
    ...(expiry?.crl !== undefined && { crlEnds: expiry.crl }),
    folders: [...state, ...run],
    ...ofPuppet,
    schedulers: otherSchedulers(schedulers),
  };
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
  { explicit, path, asksServer, environmentFiles = [] }: PuppetHere,
  { stateDir, identity, now }: FactsOptions,
): Promise<Partial<DoctorFacts>> {
  let settings: PuppetSettings;
  try {
    const words = asksServer ? settingWords(serviceEnvironment(environmentFiles).extraOptions) : [];
    settings = await puppetSettings({ puppet: findPuppet({ explicit, path }), stateDir, words });
  } catch (error) {
    if (!(error instanceof KickError)) throw error;
    return { puppetError: clip(messageOf(error), 1024) };
  }
  const [servers, staleLock] = await Promise.all([
    asksServer ? askServers(serversOf(settings), identity) : undefined,
    staleLockAt(settings.agent_catalog_run_lockfile, now),
  ]);
  const { complaint } = settings;
  return {
    ...(complaint !== undefined && { puppetComplaint: clip(complaint, 1024) }),
    ...(servers !== undefined && { servers }),
    ...(staleLock !== undefined && { staleLock }),
  };
}

/** One that cannot be read is told with the status: no run can begin. */
async function staleLockAt(path: string, now: number): Promise<string | undefined> {
  try {
    const lock = await readLockFile(path);
    if (lock === undefined || (await catalogRunHolder(path, now)) !== undefined) return undefined;
    const text = clip(lock.bytes.toString('latin1').trim(), 40);
    return clip(`${path} names ${text === '' ? 'nobody' : `pid ${text}, which runs no Puppet`}`, 300);
  } catch {
    return undefined;
  }
}
