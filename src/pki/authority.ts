/**
 * Our own CA, for sites without Puppet's: a folder laid out like Puppet's ssldir, with the CA's key and
 * index in `ca/`. The index is the truth; a certificate is on disk before the index lists it.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KickError } from '../errors.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import type { Clock } from '../util/clock.ts';
import { exists } from '../util/files.ts';
import {
  authorityPaths,
  type Entry,
  hangingOnPrevious,
  type Index,
  isValid,
  type Role,
  readIndex,
  supersededIn,
  writeIndex,
} from './authority-index.ts';
import { exclusively, type Place } from './authority-place.ts';
import { certify, checkHasNone, checkName, DAY_MS, withoutValid } from './certify.ts';
import { type KeyType, newKey, pemOf } from './new-key.ts';
import { settle, writeCrl } from './publish.ts';
import { type Rotation, retire, rotate, switchOver } from './rotate-authority.ts';
import { selfSigned } from './self-signed.ts';

export const CERTIFICATE_DAYS = 1825;

export interface AuthorityOptions {
  clock: Clock;
}

export interface IssueRequest {
  name: string;
  role: Role;
  keyType: KeyType;
  /** Days until the certificate expires. */
  days: number;
}

export interface Authority {
  /** Returns the paths of the new files. Throws `KickError` `pki` if there is a CA already. */
  init(name: string): Promise<string[]>;
  /** Returns the paths of key and certificate. Throws `KickError` `pki` if the name has a valid certificate. */
  issue(request: IssueRequest): Promise<string[]>;
  /** Throws `KickError` `pki` if the name has no valid certificate. */
  revoke(name: string): Promise<void>;
  list(): Promise<Listed[]>;
  /** Makes the next CA, beside this one. `name` defaults to the old name and a number. */
  rotate(name?: string): Promise<Rotation>;
  /** From now on the next CA signs. `isForced`: also soon after it was made. */
  switchOver(options: { isForced: boolean }): Promise<Rotation>;
  /** Removes the CA that does not sign. `isForced`: also while somebody has no certificate but of it. */
  retire(options: { isForced: boolean }): Promise<Rotation>;
}

export interface Listed extends Entry {
  state: 'valid' | 'revoked' | 'expired';
  /** Its name has no certificate but of the CA before the one that signs. */
  isHanging: boolean;
  /** Valid, and its name has a newer valid one. */
  isSuperseded: boolean;
}

/**
 * Opens the CA in a folder. Changes are made one at a time, even by several processes. Its methods throw `KickError`
 * `untrusted` if others can change the folder or the way to it.
 */
export function openAuthority(dir: string, { clock }: AuthorityOptions): Authority {
  const here: Place = { dir, paths: authorityPaths(dir), clock };
  return {
    init: (name) => exclusively(here, () => init(name, here)),
    issue: (request) => exclusively(here, () => issue(request, here)),
    revoke: (name) => exclusively(here, () => revoke(name, here)),
    list: async () => list(readIndex(dir), clock.now()),
    rotate: (name) => exclusively(here, () => rotate(name, here)),
    switchOver: ({ isForced }) => exclusively(here, () => switchOver(isForced, here)),
    retire: ({ isForced }) => exclusively(here, () => retire(isForced, here)),
  };
}

function list(index: Index, now: number): Listed[] {
  const hanging = new Set(hangingOnPrevious(index, now));
  const superseded = new Set(supersededIn(index, now));
  return index.certificates.map((entry) => ({
    ...entry,
    state: entry.revokedAt !== undefined ? 'revoked' : entry.notAfter > now ? 'valid' : 'expired',
    isHanging: hanging.has(entry),
    isSuperseded: superseded.has(entry),
  }));
}

async function init(name: string, place: Place): Promise<string[]> {
  const { dir, paths, clock } = place;
  if (await exists(paths.index)) {
    throw new KickError('pki', `make a CA: there is one in "${dir}" already`, {
      hint: 'choose another folder with --pki-dir, or move this one away',
    });
  }
  const key = newKey('p256');
  const subject = [name];
  const certificate = await selfSigned(subject, key, clock.now());
  await mkdir(join(dir, 'certs'), { recursive: true, mode: 0o755 });
  await mkdir(join(dir, 'private_keys'), { recursive: true, mode: 0o700 });
  const index: Index = { subject, crlNumber: 1, certificates: [] };
  await writeFileAtomic(paths.caKey(1), pemOf(key));
  await writeFileAtomic(paths.ca, certificate, { mode: 0o644 });
  await writeCrl(index, place);
  await writeIndex(dir, index);
  return [paths.ca, paths.crl, paths.caKey(1)];
}

async function issue({ name, role, keyType, days }: IssueRequest, place: Place): Promise<string[]> {
  const { dir, paths, clock } = place;
  const index = readIndex(dir);
  checkName(name);
  const hint = `revoke it first: kick pki revoke ${name} --pki-dir ${dir}`;
  checkHasNone(name, index, { now: clock.now(), hint });
  const key = newKey(keyType);
  const { pem, entry } = await certify({ name, role, key, lifeMs: days * DAY_MS }, index, place);
  await writeFileAtomic(paths.keyOf(name), pemOf(key));
  await writeFileAtomic(paths.certificateOf(name), pem, { mode: 0o644 });
  await writeIndex(dir, { ...index, certificates: [...index.certificates, entry] });
  return [paths.keyOf(name), paths.certificateOf(name)];
}

async function revoke(name: string, place: Place): Promise<void> {
  const { dir, clock } = place;
  const index = readIndex(dir);
  await settle(index, place);
  const now = clock.now();
  if (!index.certificates.some((entry) => isValid(entry, name, now))) {
    throw new KickError('pki', `revoke a certificate: "${name}" has no valid one`, {
      hint: `see: kick pki list --pki-dir ${dir}`,
    });
  }
  const changed = withoutValid(name, index, now);
  // Stored first: a requested revocation is never lost.
  await writeIndex(dir, changed);
  await writeCrl(changed, place);
}
