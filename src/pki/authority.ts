/**
 * Our own CA, for sites without Puppet's: a folder laid out as Puppet's ssldir, with the CA's key and
 * its index in `ca/`. The index is the truth, and written first: there is no certificate that it does not
 * know and could not revoke, and no revocation that is forgotten.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { KickError, messageOf, systemCode } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import type { Clock } from '../util/clock.ts';
import { exists } from '../util/files.ts';
import { holdLock } from '../util/lock-file.ts';
import { safeText } from '../util/text.ts';
import { readCrl } from './crl.ts';

const DAY_MS = 86_400_000;

/** Backdated, so that a clock that is a little behind rejects nobody (facts/security.md). */
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
    try {
      await mkdir(join(dir, 'ca'), { recursive: true, mode: 0o700 });
      const label = `CA in "${dir}"`;
      const lock = await holdLock(join(dir, 'ca', 'index'), { label, clock, waitMs: LOCK_WAIT_MS });
      try {
        return await work();
      } finally {
        await lock.release();
      }
    } catch (error) {
      throw asKickError(`change the CA in "${dir}"`, error);
    }
  }

  async function readIndex(): Promise<Index> {
    let text: string;
    try {
      text = await readFile(paths.index, 'utf8');
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw asKickError(`open the CA in "${dir}"`, error);
      throw new KickError('pki', `open the CA: there is none in "${dir}"`, {
        hint: `make one: kick pki init --pki-dir ${dir}`,
      });
    }
    try {
      return v.parse(IndexSchema, JSON.parse(text));
    } catch (error) {
      throw new KickError('pki', `read "${paths.index}": it is not an index of ours`, { cause: error });
    }
  }

  /** Also another's CA, as in Puppet's ssldir: what is there is never written over. */
  async function refuseWhatIsThere(): Promise<void> {
    for (const path of [paths.index, paths.caKey, paths.ca, paths.crl]) {
      if (!(await exists(path))) continue;
      throw new KickError('pki', `make a CA: there is one in "${dir}" already ("${path}")`, {
        hint: 'choose another folder with --pki-dir, or move this one away',
      });
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

  /** Whether somebody was stopped between the index and the CRL: then revoking again mends it. */
  async function isCrlBehind(index: Index): Promise<boolean> {
    if (!(await exists(paths.crl))) return true;
    const { revoked } = readCrl(await readFile(paths.crl, 'latin1'));
    return index.certificates.some(
      ({ serial, revokedAt }) => revokedAt !== undefined && !revoked.has(serial),
    );
  }

  const holds = ({ name, revokedAt, notAfter }: Entry, wanted: string) =>
    name === wanted && revokedAt === undefined && notAfter > clock.now();

  return {
    init: async (name) => {
      if (name.length > 64 || name.trim() === '' || safeText(name) !== name) {
        throw new KickError('pki', `make a CA: "${name}" is no name for one (1 to 64 characters)`);
      }
      await refuseWhatIsThere();
      return exclusively(async () => {
        await refuseWhatIsThere();
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
      });
    },

    issue: async ({ name, role, keyType, days }) => {
      await readIndex();
      return exclusively(async () => {
        const index = await readIndex();
        if (!isCertname(name)) throw new KickError('pki', `issue a certificate: "${name}" is not a certname`);
        // certs/ca.pem is the CA's, and a holder of its name would seem to be it.
        if (name === 'ca' || index.subject.includes(name)) {
          throw new KickError('pki', `issue a certificate: "${name}" is the CA's own name`);
        }
        if (index.certificates.some((entry) => holds(entry, name))) {
          throw new KickError('pki', `issue a certificate: "${name}" has one`, {
            hint: `revoke it first: kick pki revoke ${name} --pki-dir ${dir}`,
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
        await writeIndex({
          ...index,
          certificates: [...index.certificates, { name, role, serial: serial.toUpperCase(), notAfter }],
        });
        await writeFileAtomic(paths.keyOf(name), pemOf(key));
        await writeFileAtomic(paths.certificateOf(name), certificate, { mode: 0o644 });
        return [paths.keyOf(name), paths.certificateOf(name)];
      });
    },

    revoke: async (name) => {
      await readIndex();
      return exclusively(async () => {
        const index = await readIndex();
        const isHeld = index.certificates.some((entry) => holds(entry, name));
        if (!isHeld && !(await isCrlBehind(index))) {
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
        await writeIndex(changed);
        await writeCrl(changed, await caKey());
      });
    },

    list: async () => (await readIndex()).certificates,
  };
}

/** What the system refuses is the operator's to mend, not an error of ours. */
function asKickError(what: string, error: unknown): unknown {
  const code = systemCode(error);
  if (error instanceof KickError || code === undefined) return error;
  return new KickError('pki', `${what}: ${messageOf(error)}`, {
    ...((code === 'EACCES' || code === 'EPERM') && {
      hint: 'run as root, or choose another folder with --pki-dir',
    }),
    cause: error,
  });
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
