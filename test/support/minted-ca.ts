/** A real CA in memory, as odd as a test wants it. Nothing that it makes is ever committed. */
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Identity, IdentityPaths } from '../../src/pki/identity.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import {
  type CertificateRole,
  makeCertificate,
  makeCrl,
  type Purpose,
} from '../../src/pki/make-certificate.ts';
import { throwawayFolder } from './temp.ts';

const DAY_MS = 86_400_000;

export type KeyType = 'p256' | 'rsa' | 'rsa1024' | 'ed25519';

export interface IssueOptions {
  /** `controller` unless told. */
  role?: 'agent' | 'controller';
  /** Instead of those of the role. */
  purposes?: readonly Purpose[];
  keyType?: KeyType;
  /** Unless told: a controller has it. */
  ppCliAuth?: boolean;
  /** Milliseconds since 1970. */
  notBefore?: number;
  notAfter?: number;
  /** Instead of the certname alone. */
  commonNames?: readonly string[];
  /** Instead of the certname alone. */
  alternativeNames?: readonly string[];
}

export interface Issued {
  /** PEM. */
  key: string;
  certificate: string;
  serial: string;
}

export interface MintOptions {
  name?: string;
  /** Days from now until the CRLs end; negative: they have. */
  crlDays?: number;
  /** With a root above it, as Puppet's CA has: two certificates, two CRLs. */
  intermediate?: boolean;
}

export interface MintedCa {
  /** PEM bundles. */
  certificates: string;
  crls(): string;
  issue(certname: string, options?: IssueOptions): Issued;
  revoke(issued: Issued): void;
  /** Lays them out as Puppet's ssldir. */
  write(dir: string, certname: string, issued: Issued): Promise<IdentityPaths>;
  identity(certname: string, options?: IssueOptions): Promise<Identity>;
}

interface Authority {
  subject: string[];
  key: KeyObject;
  revoked: { serial: string; at: number }[];
}

export function generateKey(type: KeyType): KeyObject {
  switch (type) {
    case 'p256':
      return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    default:
      return generateKeyPairSync('rsa', { modulusLength: type === 'rsa' ? 2048 : 1024 }).privateKey;
  }
}

let minted = 0;

export function mintCa({
  name = 'Test CA',
  crlDays = 365,
  intermediate = false,
}: MintOptions = {}): MintedCa {
  const root: Authority = { subject: [`${name} root`], key: generateKey('p256'), revoked: [] };
  const issuing: Authority = intermediate ? { subject: [name], key: generateKey('p256'), revoked: [] } : root;
  const authorities = [...new Set([issuing, root])];
  const now = Date.now();
  const dates = { notBefore: now - DAY_MS, notAfter: now + 3650 * DAY_MS };
  const serialOf = (seed: string) => `01${createHash('sha256').update(seed).digest('hex').slice(0, 16)}`;

  function certify(
    subject: readonly string[],
    key: KeyObject,
    issuer: Authority,
    role: CertificateRole,
    more = {},
  ) {
    const serial = serialOf(`${name} ${minted++}`);
    const plain = { alternativeNames: [], ppCliAuth: false, ...dates };
    return {
      serial,
      certificate: makeCertificate({ subject, key, issuer, serial, role, ...plain, ...more }),
    };
  }

  const certificates = authorities
    .map(({ subject, key }) => certify(subject, key, root, 'ca').certificate)
    .join('');

  const ca: MintedCa = {
    certificates,
    crls: () =>
      authorities
        .map(({ subject, key, revoked }) =>
          makeCrl({
            issuer: { subject, key },
            number: revoked.length + 1,
            thisUpdate: now - 2 * DAY_MS,
            nextUpdate: now + crlDays * DAY_MS,
            revoked,
          }),
        )
        .join(''),
    issue(certname, options = {}) {
      const { role = 'controller', purposes, keyType = 'p256', notBefore, notAfter } = options;
      const key = generateKey(keyType);
      const made = certify(options.commonNames ?? [certname], key, issuing, role, {
        alternativeNames: options.alternativeNames ?? [certname],
        ppCliAuth: options.ppCliAuth ?? role === 'controller',
        ...(purposes !== undefined && { purposes }),
        ...(notBefore !== undefined && { notBefore }),
        ...(notAfter !== undefined && { notAfter }),
      });
      return { ...made, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
    },
    revoke({ serial }) {
      issuing.revoked.push({ serial, at: now - DAY_MS });
    },
    async write(dir, certname, { key, certificate }) {
      const paths = {
        key: join(dir, 'private_keys', `${certname}.pem`),
        certificate: join(dir, 'certs', `${certname}.pem`),
        ca: join(dir, 'certs', 'ca.pem'),
        crl: join(dir, 'crl.pem'),
      };
      const contents = [
        [paths.key, key],
        [paths.certificate, certificate],
        [paths.ca, ca.certificates],
        [paths.crl, ca.crls()],
      ] as const;
      for (const [path, text] of contents) {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, text, { mode: 0o600 });
      }
      return paths;
    },
    async identity(certname, options) {
      const folder = throwawayFolder();
      try {
        const paths = await ca.write(folder.path, certname, ca.issue(certname, options));
        return await loadIdentity(paths, { now: Date.now() });
      } finally {
        folder.remove();
      }
    },
  };
  return ca;
}
