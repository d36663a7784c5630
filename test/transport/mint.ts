/** Identities as they are after loading, or as loading would never let them pass. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { splitCrls } from '../../src/pki/crl.ts';
import type { Identity } from '../../src/pki/identity.ts';
import { makeCertificate } from '../../src/pki/make-certificate.ts';
import {
  generateKey,
  type IssueOptions,
  type MintedCa,
  type MintOptions,
  mintCa,
} from '../support/minted-ca.ts';

const DAY_MS = 86_400_000;

export interface TestCa {
  readonly certificates: readonly X509Certificate[];
  /** As of now. */
  crls(): string[];
  agent(certname?: string, options?: IssueOptions): Identity;
  controller(certname?: string, options?: IssueOptions): Identity;
  revoke(identity: Identity): void;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g;

/** A CA whose identities come unchecked and at once. */
export function testCa(options: MintOptions = {}): TestCa {
  const ca: MintedCa = mintCa(options);
  const certificates = [...ca.certificates.matchAll(PEM)].map(([pem]) => new X509Certificate(pem));
  const crls = () => splitCrls(ca.crls());
  const issue = (certname: string, how: IssueOptions): Identity => {
    const { key, certificate } = ca.issue(certname, how);
    const chain = [new X509Certificate(certificate)];
    return { certname, key: createPrivateKey(key), chain, ca: certificates, crls: crls(), warnings: [] };
  };
  return {
    certificates,
    crls,
    agent: (certname = 'agent.example.com', how = {}) => issue(certname, { role: 'agent', ...how }),
    controller: (certname = 'controller.example.com', how = {}) => issue(certname, how),
    revoke({ chain }) {
      ca.revoke({ key: '', certificate: '', serial: chain[0]?.serialNumber ?? '' });
    },
  };
}

/** An identity that names no CA as its issuer but itself. */
export function selfSigned(like: Identity): Identity {
  const key = generateKey('p256');
  const subject = [like.certname];
  const pem = makeCertificate({
    subject,
    key,
    issuer: { subject, key },
    serial: '0101',
    role: 'controller',
    alternativeNames: [like.certname],
    ppCliAuth: true,
    notBefore: Date.now() - DAY_MS,
    notAfter: Date.now() + DAY_MS,
  });
  return { ...like, key, chain: [new X509Certificate(pem)] };
}
