/**
 * Our own CA, for sites without Puppet's: a folder laid out as Puppet's ssldir, with the CA's key and
 * its index in `ca/`. The index is the truth; a certificate is on disk before the index names it.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KickError } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import type { Clock } from '../util/clock.ts';
import { exists } from '../util/files.ts';
import { holdLock } from '../util/lock-file.ts';
import {
  type AuthorityPaths,
  authorityPaths,
  type Entry,
  type Index,
  type Role,
  readIndex,
  writeIndex,
} from './authority-index.ts';
import { type KeyType, newKey, newSerial, pemOf } from './new-key.ts';

const DAY_MS = 86_400_000;

/** Backdated, so that a clock that is a little behind rejects nobody (docs/puppet.md, "Signatures and TLS"). */
const BACKDATE_MS = DAY_MS;
/** Days; nobody distributes new CRLs by themselves, so they live long. */
const CA_DAYS = 3650;
const CRL_DAYS = 3650;
export const CERTIFICATE_DAYS = 1825;

const LOCK_WAIT_MS = 30_000;

export interface AuthorityOptions {
  clock: Clock;
}

export interface IssueRequest {
  name: string;
  role: Role;
  keyType: KeyType;
  /** Until the certificate expires. */
  days: number;
}

export interface Authority {
  /** Paths of what was made. Throws `KickError` `pki` when there is a CA already. */
  init(name: string): Promise<string[]>;
  /** Paths of key and certificate. Throws `KickError` `pki` when the name has a certificate that holds. */
  issue(request: IssueRequest): Promise<string[]>;
  /** Throws `KickError` `pki` when the name has no certificate that holds. */
  revoke(name: string): Promise<void>;
  list(): Promise<Entry[]>;
}

/** The CA in a folder. Changes are made one at a time, by whichever process. */
export function openAuthority(dir: string, { clock }: AuthorityOptions): Authority {
  const here: Place = { dir, paths: authorityPaths(dir), clock };
  return {
    init: (name) => exclusively(here, () => init(name, here)),
    issue: (request) => exclusively(here, () => issue(request, here)),
    revoke: (name) => exclusively(here, () => revoke(name, here)),
    list: async () => (await readIndex(dir)).certificates,
  };
}

interface Place {
  dir: string;
  paths: AuthorityPaths;
  clock: Clock;
}

async function exclusively<T>({ dir, clock }: Place, work: () => Promise<T>): Promise<T> {
  await mkdir(join(dir, 'ca'), { recursive: true, mode: 0o700 });
  const label = `CA in "${dir}"`;
  const lock = await holdLock(join(dir, 'ca', 'index'), { label, clock, waitMs: LOCK_WAIT_MS });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function init(name: string, { dir, paths, clock }: Place): Promise<string[]> {
  if (await exists(paths.index)) {
    throw new KickError('pki', `make a CA: there is one in "${dir}" already`, {
      hint: 'choose another folder with --pki-dir, or move this one away',
    });
  }
  const { makeCertificate } = await import('./make-certificate.ts');
  const key = newKey('p256');
  const subject = [name];
  const now = clock.now();
  const certificate = makeCertificate({
    subject,
    key,
    issuer: { subject, key },
    serial: newSerial(),
    role: 'ca',
    notBefore: now - BACKDATE_MS,
    notAfter: now + CA_DAYS * DAY_MS,
    alternativeNames: [],
    ppCliAuth: false,
  });
  await mkdir(join(dir, 'certs'), { recursive: true, mode: 0o755 });
  await mkdir(join(dir, 'private_keys'), { recursive: true, mode: 0o700 });
  const index: Index = { subject, crlNumber: 1, certificates: [] };
  await writeFileAtomic(paths.caKey, pemOf(key));
  await writeFileAtomic(paths.ca, certificate, { mode: 0o644 });
  await writeCrl(index, key, { paths, clock });
  await writeIndex(dir, index);
  return [paths.ca, paths.crl, paths.caKey];
}

async function issue(
  { name, role, keyType, days }: IssueRequest,
  { dir, paths, clock }: Place,
): Promise<string[]> {
  const index = await readIndex(dir);
  const now = clock.now();
  checkName(name, index, now);
  const { makeCertificate } = await import('./make-certificate.ts');
  const key = newKey(keyType);
  const serial = newSerial();
  const notAfter = now + days * DAY_MS;
  const certificate = makeCertificate({
    subject: [name],
    key,
    serial,
    role,
    notBefore: now - BACKDATE_MS,
    notAfter,
    issuer: { subject: index.subject, key: await caKey(paths) },
    alternativeNames: [name],
    ppCliAuth: role === 'controller',
  });
  await writeFileAtomic(paths.keyOf(name), pemOf(key));
  await writeFileAtomic(paths.certificateOf(name), certificate, { mode: 0o644 });
  await writeIndex(dir, {
    ...index,
    certificates: [...index.certificates, { name, role, serial: serial.toUpperCase(), notAfter }],
  });
  return [paths.keyOf(name), paths.certificateOf(name)];
}

function checkName(name: string, index: Index, now: number): void {
  if (!isCertname(name)) throw new KickError('pki', `issue a certificate: "${name}" is not a certname`);
  // certs/ca.pem is the CA's.
  if (name === 'ca') throw new KickError('pki', 'issue a certificate: "ca" is the name of the CA itself');
  if (index.certificates.some((entry) => isValid(entry, name, now))) {
    throw new KickError('pki', `issue a certificate: "${name}" has one`, {
      hint: `revoke it first: kick pki revoke ${name}`,
    });
  }
}

async function revoke(name: string, { dir, paths, clock }: Place): Promise<void> {
  const index = await readIndex(dir);
  const now = clock.now();
  if (!index.certificates.some((entry) => isValid(entry, name, now))) {
    throw new KickError('pki', `revoke a certificate: "${name}" has none that holds`, {
      hint: `see: kick pki list --pki-dir ${dir}`,
    });
  }
  const changed: Index = {
    ...index,
    crlNumber: index.crlNumber + 1,
    certificates: index.certificates.map((entry) =>
      isValid(entry, name, now) ? { ...entry, revokedAt: now } : entry,
    ),
  };
  // Written down first: a revocation that was asked for is never forgotten.
  await writeIndex(dir, changed);
  await writeCrl(changed, await caKey(paths), { paths, clock });
}

async function caKey(paths: AuthorityPaths): Promise<KeyObject> {
  return createPrivateKey(await readFile(paths.caKey));
}

async function writeCrl(
  index: Index,
  key: KeyObject,
  { paths, clock }: Pick<Place, 'paths' | 'clock'>,
): Promise<void> {
  const { makeCrl } = await import('./make-certificate.ts');
  const now = clock.now();
  const crl = makeCrl({
    issuer: { subject: index.subject, key },
    number: index.crlNumber,
    thisUpdate: now - BACKDATE_MS,
    nextUpdate: now + CRL_DAYS * DAY_MS,
    revoked: index.certificates.flatMap(({ serial, revokedAt }) =>
      revokedAt === undefined ? [] : [{ serial, at: revokedAt }],
    ),
  });
  await writeFileAtomic(paths.crl, crl, { mode: 0o644 });
}

/** Whether an entry is a certificate of that name that can be used now. */
function isValid({ name, revokedAt, notAfter }: Entry, wanted: string, now: number): boolean {
  return name === wanted && revokedAt === undefined && notAfter > now;
}
