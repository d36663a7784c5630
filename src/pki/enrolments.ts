/**
 * Certificates of our own CA for keys that were made elsewhere: the first by a token, later ones by the certificate that a
 * node has. One replacement of the index lists a certificate and uses its token up, so that no kill does one without the other.
 */
import { createHash, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../errors.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import type { Clock } from '../util/clock.ts';
import {
  authorityPaths,
  type Entry,
  generationOf,
  hangingOnPrevious,
  hasCurrent,
  type Index,
  isValid,
  type Role,
  readIndex,
  writeIndex,
} from './authority-index.ts';
import { exclusively, type Place } from './authority-place.ts';
import { BACKDATE_MS, certify, checkHasNone, checkName, DAY_MS, withoutValid } from './certify.ts';
import { commonNameOf, serialNumber } from './der.ts';
import { EnrolmentRefusal } from './enrolment-refusal.ts';
import { changeTokens, hashOf, readOpenTokens, type StoredToken, tokenFor } from './enrolment-tokens.ts';
import { settle } from './publish.ts';

export interface TokenWish {
  name: string;
  role: Role;
  /** Days until the certificate expires. */
  days: number;
  /** Milliseconds for which the token can be used. */
  forMs: number;
  /** Whether a valid certificate of the name is revoked when the token is used. */
  replace: boolean;
}

/** What a node shows. */
export interface Redemption {
  id: string;
  secret: string;
  name: string;
  key: KeyObject;
}

export interface Issued {
  /** The certificate, PEM. */
  pem: string;
  entry: Entry;
  /** It had been issued before. */
  isAgain: boolean;
}

export interface Enrolments {
  /** Takes back earlier tokens of the name. Throws `KickError` `pki` if it has a valid certificate, or for too many tokens. */
  create(wish: TokenWish): Promise<{ id: string; secret: string; endsAt: number }>;
  /** Those that can be used. */
  open(): Promise<StoredToken[]>;
  /** Returns false if the name has none. */
  cancel(name: string): Promise<boolean>;
  /** Whether there is such a token; changes nothing. */
  knows(id: string, secret: string): Promise<boolean>;
  /** Throws `EnrolmentRefusal`. */
  redeem(asked: Redemption): Promise<Issued>;
  /** A new certificate like this one (DER), whose holder was verified. Throws `EnrolmentRefusal`. */
  renew(certificate: Uint8Array): Promise<Issued>;
  /** Makes good for what a kill has left. */
  settle(): Promise<void>;
  /** Who has no certificate but of the CA before the one that signs. */
  hanging(): Promise<string[]>;
}

/** Throws `KickError` like `openAuthority`. */
export function openEnrolments(dir: string, { clock }: { clock: Clock }): Enrolments {
  const place: Place = { dir, paths: authorityPaths(dir), clock };
  let last: Promise<unknown> = Promise.resolve();
  /** The lock's waiters look only four times a second, so those of this process queue here. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(() => exclusively(place, work));
    last = next.catch(() => undefined);
    return next;
  };
  return {
    create: (wish) => alone(() => create(wish, place)),
    open: () => openTokens(place),
    cancel: (name) => alone(() => cancel(name, place)),
    knows: async (id, secret) => (await tokenFor(place, { id, secret })) !== undefined,
    redeem: (asked) => alone(() => redeem(asked, place)),
    renew: (certificate) => alone(() => renew(certificate, place)),
    settle: () => alone(() => settle(readIndex(dir), place)),
    hanging: async () => hangingOnPrevious(readIndex(dir), clock.now()).map(({ name }) => name),
  };
}

const ID_BYTES = 16;
const SECRET_BYTES = 32;

async function create({ name, role, days, forMs, replace }: TokenWish, place: Place) {
  const index = readIndex(place.dir);
  const now = place.clock.now();
  checkName(name);
  const hint = `kick pki token ${name} --replace revokes it when the new one is fetched`;
  if (!replace) checkHasNone(name, index, { now, hint });
  const id = randomBytes(ID_BYTES).toString('base64url');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const token = { id, hash: hashOf(secret), name, role, days, replace, endsAt: now + forMs };
  await changeTokens(place, (tokens) => [...tokens.filter((one) => one.name !== name), token]);
  return { id, secret, endsAt: token.endsAt };
}

async function openTokens(place: Place): Promise<StoredToken[]> {
  const used = new Set(readIndex(place.dir).certificates.map(({ token }) => token));
  return (await readOpenTokens(place)).filter(({ id }) => !used.has(id));
}

async function cancel(name: string, place: Place): Promise<boolean> {
  const used = new Set(readIndex(place.dir).certificates.map(({ token }) => token));
  let isGone = false;
  await changeTokens(place, (tokens) => {
    const left = tokens.filter((one) => one.name !== name);
    isGone = tokens.some((one) => one.name === name && !used.has(one.id));
    return left;
  });
  return isGone;
}

async function redeem({ id, secret, name, key }: Redemption, place: Place): Promise<Issued> {
  const token = await tokenFor(place, { id, secret });
  if (token === undefined) throw new EnrolmentRefusal('token');
  const index = readIndex(place.dir);
  await settle(index, place);
  const keyHash = hashOfKey(key);
  const before = index.certificates.find((one) => one.token === id);
  if (before !== undefined) {
    const again = before.key === keyHash ? await latestFor(before, index, place) : undefined;
    if (again === undefined) throw new EnrolmentRefusal('used');
    return again;
  }
  if (token.name !== name) throw new EnrolmentRefusal('name');
  const now = place.clock.now();
  if (hasCurrent(index, name, now) && !token.replace) throw new EnrolmentRefusal('has-certificate');
  const isTaken = index.certificates.some((entry) => isValid(entry, name, now));
  const rest = isTaken && token.replace ? withoutValid(name, index, now) : index;
  const { role, days } = token;
  const signed = await certify({ name, role, key, lifeMs: days * DAY_MS }, rest, place);
  const entry = { ...signed.entry, key: keyHash, token: id };
  return await list({ pem: signed.pem, entry }, rest, place);
}

async function renew(der: Uint8Array, place: Place): Promise<Issued> {
  const certificate = new X509Certificate(der);
  const index = readIndex(place.dir);
  const now = place.clock.now();
  const name = commonNameOf(der);
  const own = index.certificates.find(
    (one) => isValid(one, name, now) && serialNumber(one.serial) === serialNumber(certificate.serialNumber),
  );
  if (own === undefined) throw new EnrolmentRefusal('unknown');
  const key = certificate.publicKey;
  const keyHash = hashOfKey(key);
  const isCurrent = (entry: Entry) => generationOf(entry) === generationOf(index);
  // Whoever lost the answer asks with the old one again.
  const latest = await latestFor({ ...own, key: keyHash }, index, place);
  const isNext = latest !== undefined && latest.entry.serial !== own.serial && isCurrent(latest.entry);
  if (isNext && !isHalfOver(latest.pem, now)) return latest;
  if (isCurrent(own) && !isHalfOver(certificate, now)) throw new EnrolmentRefusal('too-early');
  const lifeMs = Date.parse(certificate.validTo) - Date.parse(certificate.validFrom) - BACKDATE_MS;
  const signed = await certify({ name, role: own.role, key, lifeMs }, index, place);
  return await list(
    { pem: signed.pem, entry: { ...signed.entry, key: keyHash } },
    withoutOld(name, index, now),
    place,
  );
}

/** A certificate is on disk before the index lists it. */
async function list(
  { pem, entry }: Pick<Issued, 'pem' | 'entry'>,
  index: Index,
  place: Place,
): Promise<Issued> {
  const path = place.paths.issuedTo(entry.name);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFileAtomic(path, pem);
  const next = { ...index, certificates: [...index.certificates, entry] };
  await writeIndex(place.dir, next);
  await settle(next, place);
  return { pem, entry, isAgain: false };
}

/** The latest certificate of the same name and key, if the index lists it and it can be used. */
async function latestFor(
  { name, key }: Entry,
  index: Index,
  { paths, clock }: Place,
): Promise<Issued | undefined> {
  const pem = await readFile(paths.issuedTo(name), 'latin1').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (pem === undefined) return undefined;
  const serial = serialNumber(new X509Certificate(pem).serialNumber);
  const now = clock.now();
  const entry = index.certificates.find(
    (one) => one.key === key && isValid(one, name, now) && serialNumber(one.serial) === serial,
  );
  return entry && { pem, entry, isAgain: true };
}

/** From the middle of its life on a certificate may be renewed; nodes ask in its last third. */
function isHalfOver(certificate: X509Certificate | string, now: number): boolean {
  const { validFrom, validTo } =
    typeof certificate === 'string' ? new X509Certificate(certificate) : certificate;
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return now >= from + (to - from) / 2;
}

/** Renewals do not make the index longer and longer: it forgets what expired a month ago. */
function withoutOld(name: string, index: Index, now: number): Index {
  const isOld = (one: Entry) => one.name === name && one.notAfter < now - 30 * DAY_MS;
  return { ...index, certificates: index.certificates.filter((one) => !isOld(one)) };
}

export function hashOfKey(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
