/** Certificates for very many hosts: one CA, a P-256 key each, made in milliseconds and kept if a folder is named. */
import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from '../../src/pki/identity.ts';
import { makeCertificate, makeCrl } from '../../src/pki/make-certificate.ts';

const DAY_MS = 86_400_000;
const SUBJECT = ['Fleet CA'];

export const KEY_TYPES = ['p256', 'rsa-2048', 'rsa-4096'] as const;
export type FleetKeyType = (typeof KEY_TYPES)[number];

export interface FleetCa {
  key: KeyObject;
  /** PEM. */
  certificate: string;
  crl: string;
}

/** PEM. */
export interface Minted {
  key: string;
  certificate: string;
}

/** The CA of a folder; made where there is none. */
export function openFleetCa(folder: string): FleetCa {
  const at = (name: string) => join(folder, name);
  if (!existsSync(at('ca.crl'))) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const key = makeKey('p256');
    const issuer = { subject: SUBJECT, key };
    writeFileSync(at('ca.key'), pemOf(key), { mode: 0o600 });
    writeFileSync(at('ca.pem'), certify('ca', SUBJECT[0] ?? '', key, key));
    const [thisUpdate, nextUpdate] = [Date.now() - 2 * DAY_MS, Date.now() + 365 * DAY_MS];
    writeFileSync(at('ca.crl'), makeCrl({ issuer, number: 1, thisUpdate, nextUpdate, revoked: [] }));
  }
  const read = (name: string) => readFileSync(at(name), 'latin1');
  return { key: createPrivateKey(read('ca.key')), certificate: read('ca.pem'), crl: read('ca.crl') };
}

/** A certificate under a name: the one that `folder` keeps, else a new one that it keeps from now on. */
export function mint(ca: FleetCa, { certname, role, keyType = 'p256', folder }: MintOptions): Minted {
  const path = join(folder, `${certname}.pem`);
  if (existsSync(path)) {
    const [key = '', certificate = ''] = readFileSync(path, 'latin1').split(/(?=-----BEGIN CERT)/);
    return { key, certificate };
  }
  const key = makeKey(keyType);
  const minted = { key: pemOf(key), certificate: certify(role, certname, key, ca.key) };
  writeFileSync(path, minted.key + minted.certificate, { mode: 0o600 });
  return minted;
}

export interface MintOptions {
  certname: string;
  role: 'agent' | 'controller';
  keyType?: FleetKeyType;
  folder: string;
}

/** As `loadIdentity` would give it, without looking at every date and CRL ten thousand times. */
export function identityOf(certname: string, { key, certificate }: Minted, trust: Trust): Identity {
  const chain = [new X509Certificate(certificate)];
  return { certname, key: createPrivateKey(key), chain, ...trust, warnings: [] };
}

export type Trust = Pick<Identity, 'ca' | 'crls'>;

export function trustOf({ certificate, crl }: FleetCa): Trust {
  return { ca: [new X509Certificate(certificate)], crls: [crl] };
}

function makeKey(type: FleetKeyType): KeyObject {
  if (type === 'p256') return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  return generateKeyPairSync('rsa', { modulusLength: type === 'rsa-4096' ? 4096 : 2048 }).privateKey;
}

const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();

function certify(
  role: 'ca' | MintOptions['role'],
  name: string,
  key: KeyObject,
  issuerKey: KeyObject,
): string {
  return makeCertificate({
    subject: [name],
    key,
    issuer: { subject: SUBJECT, key: issuerKey },
    serial: `01${randomBytes(8).toString('hex')}`,
    role,
    alternativeNames: role === 'ca' ? [] : [name],
    ppCliAuth: role === 'controller',
    notBefore: Date.now() - DAY_MS,
    notAfter: Date.now() + 365 * DAY_MS,
  });
}
