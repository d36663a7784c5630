/** Facts from which `kick doctor` judges a host. Gathering them changes nothing and takes a few seconds at most. */
import { stat, statfs } from 'node:fs/promises';
import { isUntrusted, KickError, messageOf } from '../../errors.ts';
import { authoritiesIn } from '../../pki/authorities.ts';
import { expiryOf } from '../../pki/expiry.ts';
import type { Identity, Trust } from '../../pki/identity.ts';
import { type DoctorFacts, MAX_AUTHORITIES } from '../../protocol/doctor.ts';
import { findPuppet } from '../../puppet/binary.ts';
import { serviceEnvironment, settingWords } from '../../puppet/service-environment.ts';
import { type PuppetSettings, puppetSettings } from '../../puppet/settings.ts';
import { shellWord } from '../../util/distrust.ts';
import { quarantined, quarantineOf } from '../../util/quarantine.ts';
import { clip } from '../../util/text.ts';
import { catalogRunHolder, readLockFile } from '../puppet/lock-files.ts';
import type { Runner } from '../runners/runner.ts';
import { askServers, serversOf } from './puppet-server.ts';
import { otherSchedulers, SCHEDULER_PLACES, type SchedulerPlaces } from './schedulers.ts';

export interface PuppetHere {
  explicit?: string | undefined;
  /** The variable PATH. */
  path: string;
  /** Whether its runs use a Puppet Server, as those of `puppet apply` do not. */
  asksServer: boolean;
  /** Environment files of puppet.service, whose extra options may move Puppet's files. */
  environmentFiles?: readonly string[];
}

export interface FactsOptions {
  stateDir: string;
  runDir: string;
  /** Absent: this host runs no Puppet (the runner `command`). */
  puppet?: PuppetHere | undefined;
  /** Absent if this host has no certificate yet; without a key, Puppet Servers are only connected to. */
  identity?: Identity | Trust | undefined;
  schedulers?: SchedulerPlaces;
  /** Absent: it cannot be made. */
  runner?: Pick<Runner, 'untrusted'> | undefined;
  /** Why the files of the certificate, as they are, cannot be used. */
  identityError?: string | undefined;
  /** Why what our own CA has issued cannot be renewed; absent if it can, or is not. */
  renewalError?: string | undefined;
  /** Milliseconds since 1970. */
  now: number;
}

/** linux/magic.h, TMPFS_MAGIC. */
const TMPFS = 0x01021994;

export async function doctorFacts(options: FactsOptions): Promise<DoctorFacts> {
  const { stateDir, runDir, puppet, identity, runner, schedulers = SCHEDULER_PLACES } = options;
  const { renewalError, identityError } = options;
  const whole = wholeOf(identity);
  const expiry = identity === undefined ? undefined : expiryOf(identity);
  const [state, run, damaged, ofPuppet, untrusted, exposed] = await Promise.all([
    folderFact('state', stateDir),
    folderFact('run', runDir),
    damagedIn([...new Set([stateDir, runDir])]),
    puppet === undefined ? {} : puppetFacts(puppet, options),
    runner === undefined ? [] : untrustedFacts(runner),
    whole?.keyPath === undefined ? [] : exposedKey(whole.keyPath),
  ]);
  return {
    ...(expiry !== undefined && { certificateEnds: expiry.certificate }),
    ...(expiry?.crl !== undefined && { crlEnds: expiry.crl }),
    ...(identity !== undefined && { authorities: authoritiesIn(identity).slice(0, MAX_AUTHORITIES) }),
    ...(identityError !== undefined && { identityError: clip(identityError, 1024) }),
    ...(renewalError !== undefined && { renewalError: clip(renewalError, 1024) }),
    folders: [...state, ...run],
    ...(damaged.length > 0 && { damaged }),
    ...ofPuppet,
    ...(untrusted.length + exposed.length > 0 && { untrusted: [...untrusted, ...exposed] }),
    schedulers: otherSchedulers(schedulers),
  };
}

const wholeOf = (identity: Identity | Trust | undefined) =>
  identity !== undefined && 'key' in identity ? identity : undefined;

async function folderFact(what: 'state' | 'run', path: string): Promise<DoctorFacts['folders']> {
  try {
    const { bavail, bsize, type } = await statfs(path);
    return [{ what, path, freeBytes: bavail * bsize, ...(what === 'run' && { isTmpfs: type === TMPFS }) }];
  } catch {
    return []; // it is made later
  }
}

/** Who can read the key can be this host to everybody. Puppet's group may read Puppet's keys. */
async function exposedKey(path: string): Promise<NonNullable<DoctorFacts['untrusted']>> {
  const mode = await stat(path).then(
    (found) => found.mode,
    () => 0,
  );
  if ((mode & 0o004) === 0) return [];
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  const what = `the private key "${path}" (mode ${octal}) can be read by every user`;
  return [{ what: clip(what, 2048), next: clip(`chmod o-r ${shellWord(path)}`, 2048), isLeftOut: true }];
}

async function untrustedFacts(runner: Pick<Runner, 'untrusted'>) {
  const found = await runner.untrusted();
  return found.map(({ error: { message, hint = '' }, isLeftOut }) => ({
    what: clip(message, 2048),
    next: clip(hint, 2048),
    ...(isLeftOut && { isLeftOut }),
  }));
}

async function damagedIn(roots: readonly string[]): Promise<NonNullable<DoctorFacts['damaged']>> {
  const all = await Promise.all(
    roots.map(async (root) => {
      const names = await quarantined(root);
      const [latest] = names;
      return latest === undefined
        ? []
        : [{ path: quarantineOf(root), count: names.length, latest: clip(latest, 300) }];
    }),
  );
  return all.flat();
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
    if (isUntrusted(error)) return {}; // one of the runner's
    return { puppetError: clip(messageOf(error), 1024) };
  }
  const [servers, staleLock] = await Promise.all([
    asksServer ? askServers(serversOf(settings), wholeOf(identity)) : undefined,
    staleLockAt(settings.agent_catalog_run_lockfile, now),
  ]);
  const { complaint } = settings;
  return {
    ...(complaint !== undefined && { puppetComplaint: clip(complaint, 1024) }),
    ...(servers !== undefined && { servers }),
    ...(staleLock !== undefined && { staleLock }),
  };
}

/** A lock that cannot be read is part of the status instead: it keeps runs from starting. */
async function staleLockAt(path: string, now: number): Promise<string | undefined> {
  try {
    const lock = await readLockFile(path);
    if (lock === undefined || (await catalogRunHolder(path, now)) !== undefined) return undefined;
    const text = clip(lock.bytes.toString('latin1').trim(), 40);
    return clip(`${path} names ${text === '' ? 'no process' : `pid ${text}, which runs no Puppet`}`, 300);
  } catch {
    return undefined;
  }
}
