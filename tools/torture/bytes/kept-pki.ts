/** The files of our own CA, and those of a node: who was refused stays refused, whatever is damaged. */
import { createPublicKey, type KeyObject, sign, verify, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { serveTls } from '../../../src/cli/serve/serve-tls.ts';
import { readServer, writeServer } from '../../../src/enrolment/node-place.ts';
import { openAuthority } from '../../../src/pki/authority.ts';
import { crlsOf } from '../../../src/pki/chain-crls.ts';
import { splitCrls } from '../../../src/pki/crl.ts';
import { serialNumber } from '../../../src/pki/der.ts';
import { openEnrolments, type Redemption } from '../../../src/pki/enrolments.ts';
import { isWhole, readCertificates } from '../../../src/pki/identity-files.ts';
import { loadIdentity } from '../../../src/pki/load-identity.ts';
import { newKey } from '../../../src/pki/new-key.ts';
import { ChainError, chainVerifier } from '../../../src/pki/peer-chain.ts';
import { systemClock as clock } from '../../../src/util/clock.ts';
import { mintCa } from '../../mint/mint-ca.ts';
import { type Kept, orRefused } from './kept.ts';

const DAY_MS = 86_400_000;
const certificateFor = (name: string) => ({ name, role: 'agent', keyType: 'p256', days: 99 }) as const;
const tokenFor = (name: string) =>
  ({ name, role: 'agent', days: 99, forMs: DAY_MS, replace: false }) as const;

const nodeKey = () => createPublicKey(newKey('p256'));

interface Model {
  listed: unknown;
  /** Serial numbers. */
  gone: bigint;
  valid: bigint;
  ca: X509Certificate[];
  used: Redemption;
  open: Redemption;
}

async function makeCa(folder: string, isRotated: boolean): Promise<Model> {
  const authority = openAuthority(folder, { clock });
  const enrolments = openEnrolments(folder, { clock });
  await authority.init('kick CA');
  for (const name of ['gone', 'valid']) await authority.issue(certificateFor(name));
  await authority.revoke('gone');
  const redemption = async (name: string, key: KeyObject) => {
    const { id, secret } = await enrolments.create(tokenFor(name));
    return { id, secret, name, key };
  };
  const used = await redemption('used', nodeKey());
  await enrolments.redeem(used);
  const open = await redemption('open', nodeKey());
  if (isRotated) await authority.rotate();
  const listed = await authority.list();
  const serialOf = (wanted: string) => serialNumber(listed.find(({ name }) => name === wanted)?.serial ?? '');
  const path = join(folder, 'certs', 'ca.pem');
  const ca = readCertificates(readFileSync(path, 'latin1'), path, 'CA');
  return { listed, gone: serialOf('gone'), valid: serialOf('valid'), ca, used, open };
}

/** Serial numbers in what is handed out, as far as the CA has signed it. */
function revokedIn(folder: string, ca: readonly X509Certificate[]): Set<bigint> | undefined {
  const path = join(folder, 'crl.pem');
  if (!existsSync(path)) return undefined;
  try {
    const [first, ...more] = crlsOf(splitCrls(readFileSync(path, 'latin1')), ca);
    return first && new Set([first, ...more].flatMap(({ revoked }) => [...revoked]));
  } catch {
    return undefined; // no node believes it
  }
}

async function askCa(folder: string, { listed, gone, valid, ca, used, open }: Model) {
  const authority = openAuthority(folder, { clock });
  const enrolments = openEnrolments(folder, { clock });
  const told = await orRefused(() => authority.list());
  if (told !== undefined && !isDeepStrictEqual(told, listed)) return `listed: ${JSON.stringify(told)}`;
  if (await orRefused(() => enrolments.redeem({ ...used, key: nodeKey() })))
    return 'a used token is good for another key';
  if (await orRefused(() => authority.issue(certificateFor('valid')))) return 'a name has two certificates';
  const issued = await orRefused(() => enrolments.redeem(open));
  if (issued !== undefined && !ca.some((one) => new X509Certificate(issued.pem).verify(one.publicKey)))
    return 'what a token was good for is not of the CA';
  const isRevoked = await orRefused(async () => {
    await authority.revoke('valid');
    return true;
  });
  const revoked = revokedIn(folder, ca);
  if (revoked !== undefined && !revoked.has(gone)) return 'what was revoked is valid again';
  if (isRevoked && revoked?.has(valid) !== true) return 'what is revoked now is not in the CRL';
  return undefined;
}

const caKept = (isRotated: boolean): Kept => ({
  async make(folder) {
    const model = await makeCa(folder, isRotated);
    return (copy) => askCa(copy, model);
  },
});

const NODE = 'web1.example.com';
const SERVER = { host: 'puppet.example.com', port: 8141 };

/** What a node believes by its files: its own certificate, its CA, and that somebody else's was revoked. */
const node: Kept = {
  async make(folder) {
    const ca = mintCa();
    const revoked = ca.issue('gone.example.com', { role: 'controller' });
    ca.revoke(revoked);
    ca.write(folder, ca.issue(NODE, { role: 'agent' }));
    await writeServer({ dir: folder }, SERVER);
    const pathsIn = (dir: string) => ({
      key: join(dir, 'private_keys', `${NODE}.pem`),
      certificate: join(dir, 'certs', `${NODE}.pem`),
      ca: join(dir, 'certs', 'ca.pem'),
      crl: join(dir, 'crl.pem'),
    });
    const truth = await loadIdentity(pathsIn(folder), { now: Date.now() });
    const gone = new X509Certificate(revoked.certificate).raw;
    return async (copy) => {
      const server = await orRefused(() => readServer({ dir: copy }));
      if (server !== undefined && !isDeepStrictEqual({ ...server }, SERVER)) return JSON.stringify(server);
      const found = await orRefused(() => loadIdentity(pathsIn(copy), { now: Date.now() }));
      if (found === undefined) return undefined;
      const isSame = (a: readonly X509Certificate[], b: readonly X509Certificate[]) =>
        a.length === b.length && a.every((one, index) => b[index]?.raw.equals(one.raw));
      if (!isSame(found.chain, truth.chain)) return 'another certificate';
      if (!isSame(found.ca, truth.ca)) return 'another CA';
      if (!isWhole(found.key) || !found.key.equals(truth.key)) return 'another key';
      try {
        chainVerifier(found).verify([gone], { now: Date.now(), use: 'clientAuth' });
        return 'who was revoked is let in';
      } catch (error) {
        if (error instanceof ChainError) return undefined;
        throw error;
      }
    };
  },
};

/** What browsers are shown: whatever is damaged of it, the key has signed for the certificate. */
const page: Kept = {
  async make(folder) {
    const dir = join(folder, '..', 'pki');
    const ca = mintCa();
    const issued = ca.issue(NODE);
    ca.write(dir, issued);
    writeFileSync(join(folder, 'page.pem'), issued.certificate, { mode: 0o600 });
    writeFileSync(join(folder, 'page.key'), issued.key, { mode: 0o600 });
    const identity = await ca.identity(NODE);
    return async (copy) => {
      const [certificate, key] = [join(copy, 'page.pem'), join(copy, 'page.key')];
      const tls = await orRefused(() => serveTls({ port: 0, metrics: false, certificate, key }, identity));
      if (tls === undefined) return undefined;
      try {
        createSecureContext(tls.own);
      } catch {
        return undefined; // as the server itself finds
      }
      const probe = Buffer.from('probe');
      const isFit = verify(
        'sha256',
        probe,
        new X509Certificate(tls.own.cert).publicKey,
        sign('sha256', probe, tls.own.key),
      );
      return isFit ? undefined : 'a key that cannot sign for the certificate is used';
    };
  },
};

export const KEPT_PKI: Readonly<Record<string, Kept>> = {
  CA: caKept(false),
  'CA, rotated': caKept(true),
  node,
  page,
};
