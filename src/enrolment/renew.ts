/** A node's later certificates, with the key that it has, and the CRLs meanwhile: each replaces one file. */
import { createHash, type X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Enrolments } from '../pki/enrolments.ts';
import type { Identity, IdentityPaths } from '../pki/identity.ts';
import { readCertificates, readPem } from '../pki/identity-files.ts';
import { loadIdentity } from '../pki/load-identity.ts';
import { tlsMaterial } from '../pki/tls-material.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import type { Clock } from '../util/clock.ts';
import { refuseUntrusted } from '../util/trusted-path.ts';
import { ask } from './call.ts';
import { checkedCas, checkedCertificate, checkedCrls } from './check-answer.ts';
import { type NodePlace, readServer } from './node-place.ts';
import { MAX_CRL_BYTES, ROUTES } from './wire.ts';

export interface RenewOptions {
  clock: Pick<Clock, 'now'>;
  signal?: AbortSignal | undefined;
}

/**
 * When a certificate is to be renewed, milliseconds since 1970: in the last third of its life, and, so that not all nodes
 * ask at once, up to a sixth of it later, always the same for a certificate.
 */
export function renewalTime({ validFrom, validTo, serialNumber }: X509Certificate): number {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  const share = createHash('sha256').update(serialNumber).digest().readUInt32BE() / 2 ** 32;
  return from + (to - from) * (2 / 3 + share / 6);
}

/** The CRLs of our CAs of now, PEM, and those that we have. Throws `KickError` if they are not to be believed. */
export async function fetchCrl(
  place: NodePlace,
  { clock, signal }: RenewOptions,
): Promise<{ crl: string; before: string | undefined }> {
  const { paths } = place;
  const server = await readServer(place);
  const ca = readCertificates(readPem(paths.ca, 'CA certificates'), paths.ca, 'CA certificates');
  // Our CRL may be too old to check the server by; the CA has signed the new one, whoever hands it over.
  const trust = { ca: ca.map(String) };
  const { body } = await ask(server, {
    ...{ method: 'GET', path: ROUTES.crl, trust, maxBytes: MAX_CRL_BYTES, signal },
  });
  const before = await readFile(paths.crl, 'latin1').catch(() => undefined);
  return { crl: checkedCrls(body, { ca, now: clock.now(), before }), before };
}

/** Returns whether the CRL is another one than before. Throws `KickError`; then nothing was written. */
export async function refreshCrl(place: NodePlace, options: RenewOptions): Promise<boolean> {
  const { crl, before } = await fetchCrl(place, options);
  if (crl === before) return false;
  await replace(place.paths.crl, crl);
  return true;
}

/**
 * Whom our CA trusts now: its successor, while it is rotated, and in the end no more itself. They are believed because the
 * server has shown a certificate of a CA that we have, for its name, neither revoked nor denied. Returns whether they are others
 * than before. Throws `KickError`; then nothing was written.
 */
export async function refreshCa(place: NodePlace, { clock, signal }: RenewOptions): Promise<boolean> {
  const { paths } = place;
  const now = clock.now();
  const identity = await loadIdentity(paths, { now });
  const server = await readServer(place);
  const trust = { ...tlsMaterial(identity), denied: identity.denied };
  const get = (path: string, maxBytes?: number) =>
    ask(server, { method: 'GET', path, trust, signal, ...(maxBytes !== undefined && { maxBytes }) });
  const [leaf] = identity.chain;
  if (leaf === undefined) return false;
  const cas = checkedCas((await get(ROUTES.ca)).body, { keep: leaf, now });
  const bundle = cas.map(String).join('');
  if (bundle === identity.ca.map(String).join('')) return false;
  const before = await readFile(paths.crl, 'latin1');
  const crl = checkedCrls((await get(ROUTES.crl, MAX_CRL_BYTES)).body, { ca: cas, now, before });
  // Whoever follows the files refuses a CA without a CRL: those of the new ones come first, those of the old ones go last.
  const isLeft = (one: X509Certificate) => cas.some(({ raw }) => raw.equals(one.raw));
  const old = identity.ca.every(isLeft) ? '' : before;
  await replace(paths.crl, crl + old);
  await replace(paths.ca, bundle);
  if (old !== '') await replace(paths.crl, crl);
  return true;
}

/** The next certificate, PEM, in the place of this one; the key stays. Throws `KickError`; then nothing was written. */
export async function renew(place: NodePlace, { clock, signal }: RenewOptions): Promise<string> {
  const identity = await loadIdentity(place.paths, { now: clock.now() });
  const server = await readServer(place);
  const { denied, certname: name, ca, crls, key } = identity;
  const trust = { ...tlsMaterial(identity), denied };
  const { body } = await ask(server, { method: 'POST', path: ROUTES.renewal, trust, signal });
  const certificate = checkedCertificate(body, { ca, crls, name, key, now: clock.now() });
  await replace(place.paths.certificate, certificate);
  return certificate;
}

/** Whether it is time to, or another CA signs now: the first of ours. */
export function isDue(identity: Pick<Identity, 'chain' | 'ca'>, now: number): boolean {
  const [leaf] = identity.chain;
  return leaf !== undefined && (now >= renewalTime(leaf) || isOfOldCa(identity));
}

export function isOfOldCa({ chain: [leaf], ca: [signing] }: Pick<Identity, 'chain' | 'ca'>): boolean {
  return leaf !== undefined && signing !== undefined && !leaf.checkIssued(signing);
}

/**
 * The same where the CA itself is: renews the certificate of this host if it is due; returns whether it was. While the CA is
 * rotated it is the last to: nodes that know the old CA only learn the new one from it. Throws `EnrolmentRefusal` for one that
 * the index does not know.
 */
export async function renewOwn(
  { certificate }: Pick<IdentityPaths, 'certificate'>,
  identity: Pick<Identity, 'chain' | 'ca' | 'certname'>,
  { enrolments, clock }: { enrolments: Pick<Enrolments, 'renew' | 'hanging'>; clock: Pick<Clock, 'now'> },
): Promise<boolean> {
  const [leaf] = identity.chain;
  if (leaf === undefined || !isDue(identity, clock.now())) return false;
  const isLast = async () => (await enrolments.hanging()).every((name) => name === identity.certname);
  if (clock.now() < renewalTime(leaf) && !(await isLast())) return false;
  await replace(certificate, (await enrolments.renew(leaf.raw)).pem);
  return true;
}

async function replace(path: string, pem: string): Promise<void> {
  refuseUntrusted(path, { doing: `replace "${path}"` });
  await writeFileAtomic(path, pem, { mode: 0o644 });
}
