/**
 * Our own CA, for sites without Puppet's: a folder laid out like Puppet's ssldir, with the CA's key and
 * index in `ca/`. The index is the truth; a certificate is on disk before the index lists it.
 */
import type { KeyObject } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KickError, onFiles } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import type { Clock } from '../util/clock.ts';
import { exists } from '../util/files.ts';
import { holdLock } from '../util/lock-file.ts';
import { readTrusted } from '../util/trusted-file.ts';
import { makeTrustedFolder } from '../util/trusted-folder.ts';
import { refuseUntrusted } from '../util/trusted-path.ts';
import {
  type AuthorityPaths,
  authorityPaths,
  type Entry,
  type Index,
  type Role,
  readIndex,
  writeIndex,
} from './authority-index.ts';
import { privateKey } from './identity-files.ts';
import { type KeyType, newKey, newSerial, pemOf } from './new-key.ts';

const DAY_MS = 86_400_000;

/** Backdated, so that a clock that is slightly behind accepts it (docs/puppet.md, "Signatures and TLS"). */
const BACKDATE_MS = DAY_MS;
/** Days; CRLs are distributed by hand, so they last long. */
const CA_DAYS = 3650;
const CRL_DAYS = 3650;
export const CERTIFICATE_DAYS = 1825;

const LOCK_WAIT_MS = 30_000;

const MAX_KEY_BYTES = 1 << 16;

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
  list(): Promise<Entry[]>;
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
    list: async () => readIndex(dir).certificates,
  };
}

interface Place {
  dir: string;
  paths: AuthorityPaths;
  clock: Clock;
}

async function exclusively<T>({ dir, clock }: Place, work: () => Promise<T>): Promise<T> {
  const label = `CA in "${dir}"`;
  const trust = { doing: `use the ${label}` };
  for (const name of ['certs', 'private_keys']) refuseUntrusted(join(dir, name), trust);
  await makeTrustedFolder(join(dir, 'ca'), trust);
  const lock = await holdLock(join(dir, 'ca', 'index'), { label, clock, waitMs: LOCK_WAIT_MS });
  try {
    return await onFiles({ code: 'pki', doing: `use the ${label}` }, work);
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
  const index = readIndex(dir);
  const now = clock.now();
  checkName(name, index, { dir, now });
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
    issuer: { subject: index.subject, key: caKey(paths) },
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

function checkName(name: string, index: Index, { dir, now }: { dir: string; now: number }): void {
  if (!isCertname(name)) {
    const isUpper = isCertname(name.toLowerCase());
    throw new KickError('pki', `issue a certificate: "${name}" is not a certname`, {
      ...(isUpper && { hint: `certnames are in lower case: ${name.toLowerCase()}` }),
    });
  }
  // certs/ca.pem is the CA's.
  if (name === 'ca') throw new KickError('pki', 'issue a certificate: "ca" is the name of the CA itself');
  if (index.certificates.some((entry) => isValid(entry, name, now))) {
    throw new KickError('pki', `issue a certificate: "${name}" has one`, {
      hint: `revoke it first: kick pki revoke ${name} --pki-dir ${dir}`,
    });
  }
}

async function revoke(name: string, { dir, paths, clock }: Place): Promise<void> {
  const index = readIndex(dir);
  const now = clock.now();
  if (!index.certificates.some((entry) => isValid(entry, name, now))) {
    throw new KickError('pki', `revoke a certificate: "${name}" has no valid one`, {
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
  // Stored first: a requested revocation is never lost.
  await writeIndex(dir, changed);
  await writeCrl(changed, caKey(paths), { paths, clock });
}

function caKey({ caKey: path }: AuthorityPaths): KeyObject {
  const pem = readTrusted(path, { doing: `use the CA's key "${path}"`, maxBytes: MAX_KEY_BYTES });
  return privateKey(pem.toString('latin1'), path);
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

/** Whether an entry is a valid certificate of that name. */
function isValid({ name, revokedAt, notAfter }: Entry, wanted: string, now: number): boolean {
  return name === wanted && revokedAt === undefined && notAfter > now;
}
