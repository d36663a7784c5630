/** A CA below a root, its CRLs and some certificates: byte for byte the same each time. */
import { type KeyObject, sign, X509Certificate } from 'node:crypto';
import { TAG } from '../../../src/pki/der.ts';
import { makeCertificate, makeCrl } from '../../../src/pki/make-certificate.ts';
import { fixedEd25519, fixedP256, fixedRsa } from './fixed-keys.ts';
import { element } from './mutate-der.ts';
import { AGENT, AT, CONTROLLER } from './samples.ts';

const BIT_STRING = 0x03;
const YEAR_MS = 365 * 86_400_000;

export interface FixedCa {
  /** PEM: the CA, and the root above it. */
  certificates: string;
  crls: string;
  /** DER. */
  agent: X509Certificate;
  controller: X509Certificate;
  /** Of the controller, Ed25519: what it signs is the same each time as well. */
  key: KeyObject;
  /** As the CA would: a certificate (DER) of whatever it is to sign. */
  sign(tbs: Uint8Array): Buffer;
}

let made: FixedCa | undefined;

export function fixedCa(): FixedCa {
  made ??= make();
  return made;
}

function make(): FixedCa {
  const root = { subject: ['Test CA root'], key: fixedRsa('root') };
  const ca = { subject: ['Test CA'], key: fixedRsa('ca') };
  const dates = { notBefore: AT - YEAR_MS, notAfter: AT + 20 * YEAR_MS };
  const authority = (one: typeof ca) =>
    makeCertificate({
      ...{ ...one, ...dates, issuer: root, serial: one === root ? '01' : '02', role: 'ca' },
      ...{ alternativeNames: [], ppCliAuth: false },
    });
  const issue = (name: string, key: KeyObject, role: 'agent' | 'controller') =>
    makeCertificate({
      ...{ subject: [name], key, ...dates, issuer: ca, serial: role === 'agent' ? '0a' : '0b', role },
      ...{ alternativeNames: [name], ppCliAuth: role === 'controller' },
    });
  const crl = (issuer: typeof ca) =>
    makeCrl({
      ...{ issuer, number: 2, thisUpdate: AT - 1000, nextUpdate: AT + YEAR_MS },
      revoked: [{ serial: '0c', at: AT - 1000 }],
    });
  const key = fixedEd25519('controller');
  return {
    certificates: authority(ca) + authority(root),
    crls: crl(ca) + crl(root),
    agent: new X509Certificate(issue(AGENT, fixedP256('agent'), 'agent')),
    controller: new X509Certificate(issue(CONTROLLER, key, 'controller')),
    key,
    sign(tbs) {
      const algorithm = element(TAG.sequence, Buffer.from('06092a864886f70d01010b0500', 'hex'));
      const signature = Buffer.concat([Buffer.alloc(1), sign('sha256', tbs, ca.key)]);
      return element(TAG.sequence, Buffer.concat([tbs, algorithm, element(BIT_STRING, signature)]));
    },
  };
}
