/**
 * Our own CA, for sites without Puppet's: a folder laid out as Puppet's ssldir, with the CA's key and
 * its index in `ca/`. The index is the truth; a certificate is on disk before the index names it.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { KickError, systemCode } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import type { Clock } from '../util/clock.ts';
import { exists } from '../util/files.ts';
import { holdLock } from '../util/lock-file.ts';

const DAY_MS = 86_400_000;

/** Backdated, so that a clock that is a little behind rejects nobody (docs/puppet.md, "Signatures and TLS"). */
const BACKDATE_MS = DAY_MS;
/** Days; nobody distributes new CRLs by themselves, so they live long. */
const CA_DAYS = 3650;
const CRL_DAYS = 3650;
export const CERTIFICATE_DAYS = 1825;

const RSA_BITS = 3072;
const LOCK_WAIT_MS = 30_000;

export type Role = 'agent' | 'controller';
export type KeyType = 'p256' | 'rsa';

const EntrySchema = v.object({
  name: v.string(),
  role: v.picklist(['agent', 'controller']),
  /** Upper case hex. */
  serial: v.string(),
  /** Milliseconds since 1970. */
  notAfter: v.number(),
  revokedAt: v.optional(v.number()),
});
const IndexSchema = v.object({
  subject: v.array(v.string()),
  crlNumber: v.number(),
  certificates: v.array(EntrySchema),
});

export type Entry = v.InferOutput<typeof EntrySchema>;
type Index = v.InferOutput<typeof IndexSchema>;

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
  const paths = {
    caKey: join(dir, 'ca', 'ca_key.pem'),
    index: join(dir, 'ca', 'index.json'),
    ca: join(dir, 'certs', 'ca.pem'),
    crl: join(dir, 'crl.pem'),
    keyOf: (name: string) => join(dir, 'private_keys', `${name}.pem`),
    certificateOf: (name: string) => join(dir, 'certs', `${name}.pem`),
  };

  async function exclusively<T>(work: () => Promise<T>): Promise<T> {
    await mkdir(join(dir, 'ca'), { recursive: true, mode: 0o700 });
    const label = `CA in "${dir}"`;
    const lock = await holdLock(join(dir, 'ca', 'index'), { label, clock, waitMs: LOCK_WAIT_MS });
    try {
      return await work();
    } finally {
      await lock.release();
    }
  }

  async function readIndex(): Promise<Index> {
    try {
      return v.parse(IndexSchema, JSON.parse(await readFile(paths.index, 'utf8')));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') {
        throw new KickError('pki', `open the CA: there is none in "${dir}"`, {
          hint: `make one: kick pki init --pki-dir ${dir}`,
        });
      }
      throw new KickError('pki', `read "${paths.index}": it is not an index of ours`, { cause: error });
    }
  }

  const writeIndex = (index: Index) => writeFileAtomic(paths.index, `${JSON.stringify(index, null, 2)}\n`);

  async function caKey(): Promise<KeyObject> {
    return createPrivateKey(await readFile(paths.caKey));
  }

  async function writeCrl(index: Index, key: KeyObject): Promise<void> {
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

  const holds = ({ name, revokedAt, notAfter }: Entry, wanted: string) =>
    name === wanted && revokedAt === undefined && notAfter > clock.now();

  return {
    init: (name) =>
      exclusively(async () => {
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
          ...{ subject, key, issuer: { subject, key }, serial: newSerial(), role: 'ca' },
          ...{ notBefore: now - BACKDATE_MS, notAfter: now + CA_DAYS * DAY_MS },
          ...{ alternativeNames: [], ppCliAuth: false },
        });
        await mkdir(join(dir, 'certs'), { recursive: true, mode: 0o755 });
        await mkdir(join(dir, 'private_keys'), { recursive: true, mode: 0o700 });
        const index: Index = { subject, crlNumber: 1, certificates: [] };
        await writeFileAtomic(paths.caKey, pemOf(key));
        await writeFileAtomic(paths.ca, certificate, { mode: 0o644 });
        await writeCrl(index, key);
        await writeIndex(index);
        return [paths.ca, paths.crl, paths.caKey];
      }),

    issue: ({ name, role, keyType, days }) =>
      exclusively(async () => {
        const index = await readIndex();
        if (!isCertname(name)) throw new KickError('pki', `issue a certificate: "${name}" is not a certname`);
        // certs/ca.pem is the CA's.
        if (name === 'ca')
          throw new KickError('pki', 'issue a certificate: "ca" is the name of the CA itself');
        if (index.certificates.some((entry) => holds(entry, name))) {
          throw new KickError('pki', `issue a certificate: "${name}" has one`, {
            hint: `revoke it first: kick pki revoke ${name}`,
          });
        }
        const { makeCertificate } = await import('./make-certificate.ts');
        const key = newKey(keyType);
        const serial = newSerial();
        const now = clock.now();
        const notAfter = now + days * DAY_MS;
        const certificate = makeCertificate({
          ...{ subject: [name], key, serial, role, notBefore: now - BACKDATE_MS, notAfter },
          issuer: { subject: index.subject, key: await caKey() },
          alternativeNames: [name],
          ppCliAuth: role === 'controller',
        });
        await writeFileAtomic(paths.keyOf(name), pemOf(key));
        await writeFileAtomic(paths.certificateOf(name), certificate, { mode: 0o644 });
        await writeIndex({
          ...index,
          certificates: [...index.certificates, { name, role, serial: serial.toUpperCase(), notAfter }],
        });
        return [paths.keyOf(name), paths.certificateOf(name)];
      }),

    revoke: (name) =>
      exclusively(async () => {
        const index = await readIndex();
        if (!index.certificates.some((entry) => holds(entry, name))) {
          throw new KickError('pki', `revoke a certificate: "${name}" has none that holds`, {
            hint: `see: kick pki list --pki-dir ${dir}`,
          });
        }
        const changed: Index = {
          ...index,
          crlNumber: index.crlNumber + 1,
          certificates: index.certificates.map((entry) =>
            holds(entry, name) ? { ...entry, revokedAt: clock.now() } : entry,
          ),
        };
        // Written down first: a revocation that was asked for is never forgotten.
        await writeIndex(changed);
        await writeCrl(changed, await caKey());
      }),

    list: async () => (await readIndex()).certificates,
  };
}

function newKey(type: KeyType): KeyObject {
  return type === 'p256'
    ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
    : generateKeyPairSync('rsa', { modulusLength: RSA_BITS }).privateKey;
}

/** RFC 5280 4.1.2.2: positive, at most 20 bytes; 16 random ones that nobody can foretell. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' });
