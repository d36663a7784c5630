/**
 * The one minter of certificates for tests, benchmarks and tools: a real CA, as odd as its user wants it. Nothing that
 * it makes is ever committed. What an operator gets from `kick pki` is src/pki/authority.ts, which makes nothing odd.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ownPaths } from '../../src/config/identity.ts';
import { splitCrls } from '../../src/pki/crl.ts';
import type { Identity, IdentityPaths } from '../../src/pki/identity.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import type { Purpose } from '../../src/pki/make-certificate.ts';
import { throwawayFolder } from '../throwaway-folder.ts';
import {
  type Authority,
  authorityFrom,
  authorityPem,
  certify,
  crlOf,
  DAY_MS,
  type KeyAndCertificate,
  newAuthority,
  serialOf,
} from './authority.ts';
import { generateKey, type KeyType, pemOf } from './keys.ts';

export interface IssueOptions {
  /** Defaults to `controller`. */
  role?: 'agent' | 'controller';
  /** Defaults to those of the role. */
  purposes?: readonly Purpose[];
  /** Defaults to `p256`. */
  keyType?: KeyType;
  /** Puppet's mark of an administrator. Defaults to whether it is a controller. */
  ppCliAuth?: boolean;
  /** Milliseconds since 1970; defaults to yesterday. */
  notBefore?: number;
  /** Defaults to ten years from now. */
  notAfter?: number;
  /** Defaults to the certname alone. */
  commonNames?: readonly string[];
  /** Defaults to the certname alone. */
  alternativeNames?: readonly string[];
}

export interface Issued extends KeyAndCertificate {
  certname: string;
  /** Hex. */
  serial: string;
}

export interface CaOptions {
  /** Defaults to `Test CA`. */
  name?: string;
  /** Days from now until the CRLs end; negative: they have. Defaults to 365. */
  crlDays?: number;
  /** With a root above it, as Puppet's CA has: two certificates, two CRLs. */
  intermediate?: boolean;
  /** A folder that keeps the root and all that is issued, for other processes and for the next time. */
  keep?: string;
}

export interface MintedCa {
  /** PEM bundles. */
  readonly certificates: string;
  crls(): string;
  issue(certname: string, options?: IssueOptions): Issued;
  revoke(one: Issued | Identity): void;
  /** Lays them out as Puppet's ssldir. */
  write(dir: string, issued: Issued): IdentityPaths;
  /** As the program loads it, with every check. */
  identity(certname: string, options?: IssueOptions): Promise<Identity>;
  /** As loading would perhaps never let it pass: at once and unchecked. */
  agent(certname?: string, options?: IssueOptions): Identity;
  controller(certname?: string, options?: IssueOptions): Identity;
}

export function mintCa(options: CaOptions = {}): MintedCa {
  const { name = 'Test CA', crlDays = 365, intermediate = false, keep } = options;
  const root = rootOf(`${name} root`, keep);
  const issuing = intermediate ? newAuthority(name, root) : root;
  const authorities = [...new Set([issuing, root])];
  const certificates = authorities.map(({ certificate }) => certificate).join('');
  const crls = () => authorities.map((one) => crlOf(one, crlDays)).join('');
  // Made once for ten thousand identities.
  let trust: Pick<Identity, 'ca' | 'crls'> | undefined;
  const trusted = () => {
    trust ??= { ca: authorities.map((one) => new X509Certificate(one.certificate)), crls: splitCrls(crls()) };
    return trust;
  };

  const issue: MintedCa['issue'] = (certname, how = {}) => {
    const make = () => issueFrom(issuing, certname, how);
    const made =
      keep === undefined ? make() : kept(join(keep, `${certname}.${how.keyType ?? 'p256'}.pem`), make);
    return { ...made, certname, serial: serialOf(made.certificate) };
  };
  const unchecked = (certname: string, how: IssueOptions): Identity => {
    const { key, certificate } = issue(certname, how);
    const chain = [new X509Certificate(certificate)];
    return { certname, key: createPrivateKey(key), chain, ...trusted(), warnings: [] };
  };
  const write: MintedCa['write'] = (dir, issued) =>
    writeSslDir(dir, issued, { ca: certificates, crl: crls() });

  return {
    certificates,
    crls,
    issue,
    revoke(one) {
      const serial = 'serial' in one ? one.serial : one.chain[0]?.serialNumber;
      if (serial === undefined) throw new Error('an identity without a certificate');
      issuing.revoked.push({ serial, at: Date.now() - DAY_MS });
      trust = undefined;
    },
    write,
    async identity(certname, how) {
      const folder = throwawayFolder();
      try {
        return await loadIdentity(write(folder.path, issue(certname, how)), { now: Date.now() });
      } finally {
        folder.remove();
      }
    },
    agent: (certname = 'agent.example.com', how = {}) => unchecked(certname, { role: 'agent', ...how }),
    controller: (certname = 'controller.example.com', how = {}) => unchecked(certname, how),
  };
}

/** An identity that names no CA as its issuer but itself. */
export function selfSigned(like: Identity): Identity {
  const key = generateKey('p256');
  const subject = [like.certname];
  const pem = certify({
    subject,
    key,
    issuer: { subject, key },
    role: 'controller',
    alternativeNames: subject,
    ppCliAuth: true,
  });
  return { ...like, key, chain: [new X509Certificate(pem)] };
}

function issueFrom(issuer: Authority, certname: string, how: IssueOptions): KeyAndCertificate {
  const { role = 'controller', keyType = 'p256', purposes, notBefore, notAfter } = how;
  const key = generateKey(keyType);
  const certificate = certify({
    key,
    issuer,
    role,
    purposes,
    notBefore,
    notAfter,
    subject: how.commonNames ?? [certname],
    alternativeNames: how.alternativeNames ?? [certname],
    ppCliAuth: how.ppCliAuth ?? role === 'controller',
  });
  return { key: pemOf(key), certificate };
}

function writeSslDir(dir: string, issued: Issued, { ca, crl }: { ca: string; crl: string }): IdentityPaths {
  const paths = ownPaths(dir, issued.certname);
  const contents = [
    [paths.key, issued.key],
    [paths.certificate, issued.certificate],
    [paths.ca, ca],
    [paths.crl, crl],
  ] as const;
  for (const [path, text] of contents) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o600 });
  }
  return paths;
}

// ---------------------------------------------------------------- kept in a folder

function rootOf(name: string, keep: string | undefined): Authority {
  if (keep === undefined) return newAuthority(name);
  mkdirSync(keep, { recursive: true, mode: 0o700 });
  return authorityFrom(
    name,
    kept(join(keep, 'root.pem'), () => authorityPem(newAuthority(name))),
  );
}

/** What a file keeps; where there is none, what is made and kept from now on. */
function kept(path: string, make: () => KeyAndCertificate): KeyAndCertificate {
  if (existsSync(path)) {
    const [key = '', certificate = ''] = readFileSync(path, 'latin1').split(/(?=-----BEGIN CERT)/);
    return { key, certificate };
  }
  const made = make();
  writeFileSync(path, made.key + made.certificate, { mode: 0o600 });
  return made;
}
