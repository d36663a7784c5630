/** `kick agent enroll`: a node's first certificate. Its key is made here and never leaves. */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isUntrusted, KickError, onFiles } from '../errors.ts';
import { splitCrls } from '../pki/crl.ts';
import { isWhole, privateKey, readPem } from '../pki/identity-files.ts';
import { loadIdentity } from '../pki/load-identity.ts';
import { newKey, pemOf } from '../pki/new-key.ts';
import { isCertname } from '../protocol/names.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import type { Clock } from '../util/clock.ts';
import { formatDuration } from '../util/duration.ts';
import { exists } from '../util/files.ts';
import { makeTrustedFolder } from '../util/trusted-folder.ts';
import { type Answer, ask } from './call.ts';
import { checkedCas, checkedCertificate, checkedCrls, pinnedCa } from './check-answer.ts';
import { type NodePlace, writeServer } from './node-place.ts';
import type { Token } from './token.ts';
import { firstRequest, MAX_CRL_BYTES, ROUTES, type ServerAddress } from './wire.ts';

export interface EnrollOptions {
  server: ServerAddress;
  token: Token;
  /** The certname. */
  name: string;
  place: NodePlace;
  /** Replaces an identity that can be used. */
  isForced: boolean;
  clock: Clock;
}

/**
 * Returns the new certificate (PEM), written with all that belongs to it. Whoever is killed, or loses the answer, does the
 * same again. Throws `KickError` `pki`, and `untrusted` if others can change the folder.
 */
export async function enroll(options: EnrollOptions): Promise<string> {
  const { place, name } = options;
  if (!isCertname(name) || name === 'ca') throw new KickError('pki', `enrol: "${name}" is not a certname`);
  await refuseOccupied(options);
  const doing = `write the certificate to "${place.dir}"`;
  const first = await ask(options.server, { method: 'GET', path: ROUTES.ca, trust: 'nobody' });
  try {
    return await onFiles({ code: 'pki', doing }, () =>
      enrollAt(pinnedCa(first.body, options.token.fingerprint), options),
    );
  } catch (error) {
    throw withClock(error, first, options);
  }
}

async function enrollAt(
  pinned: X509Certificate,
  { server, token, name, place, clock }: EnrollOptions,
): Promise<string> {
  const { paths } = place;
  const now = clock.now();
  const trust = { ca: [pinned.toString()] };
  const list = await ask(server, { method: 'GET', path: ROUTES.crl, trust, maxBytes: MAX_CRL_BYTES });
  const checked = { ...trust, crl: [checkedCrls(list.body, { ca: [pinned], now })] };
  // Whom else the CA trusts, from whom has shown a certificate of it.
  const all = await ask(server, { method: 'GET', path: ROUTES.ca, trust: checked });
  const ca = checkedCas(all.body, { keep: pinned, now });
  const crl = checkedCrls(list.body, { ca, now });
  await makeFolders(place);
  const key = await keyInTheMaking(paths.key);
  const { body } = await ask(server, {
    ...{ method: 'POST', path: ROUTES.certificate, trust: checked },
    body: JSON.stringify(firstRequest({ id: token.id, secret: token.secret, name }, key)),
  });
  const certificate = checkedCertificate(body, { ca, crls: splitCrls(crl), name, key, now });
  await writeFileAtomic(paths.ca, ca.map(String).join(''), { mode: 0o644 });
  await writeFileAtomic(paths.crl, crl, { mode: 0o644 });
  await writeServer(place, server);
  await writeFileAtomic(paths.key, pemOf(key));
  // Last: with it the identity can be used.
  await writeFileAtomic(paths.certificate, certificate, { mode: 0o644 });
  await rm(newKeyPath(paths.key), { force: true });
  return certificate;
}

async function refuseOccupied({ place, isForced, clock }: EnrollOptions): Promise<void> {
  const { dir, paths } = place;
  if (await exists(join(dir, 'ca', 'index.json'))) {
    throw new KickError('pki', `enrol: "${dir}" is the folder of a CA`, {
      hint: 'where the CA is: kick pki issue NAME',
    });
  }
  if (isForced) return;
  try {
    await loadIdentity(paths, { now: clock.now() });
  } catch (error) {
    if (isUntrusted(error)) throw error;
    return;
  }
  // Of one who was killed after everything was written.
  await rm(newKeyPath(paths.key), { force: true });
  throw new KickError('pki', `enrol: "${paths.certificate}" can be used already`, {
    hint: '--force replaces it',
  });
}

async function makeFolders({ dir, paths }: NodePlace): Promise<void> {
  const trust = { doing: `write certificates to "${dir}"` };
  for (const folder of [dir, dirname(paths.certificate), dirname(paths.key)])
    await makeTrustedFolder(folder, trust);
}

const newKeyPath = (path: string) => `${path}.new`;

/** On disk before the server knows it: with the same key the same token is answered again. One that is damaged is made anew. */
async function keyInTheMaking(path: string): Promise<KeyObject> {
  const newPath = newKeyPath(path);
  if (await exists(newPath)) {
    try {
      const key = privateKey(readPem(newPath, 'key'), newPath);
      if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1' && isWhole(key)) return key;
    } catch (error) {
      if (isUntrusted(error)) throw error;
    }
  }
  const key = newKey('p256');
  await writeFileAtomic(newPath, pemOf(key));
  return key;
}

/** Above this a clock may be why a certificate is not valid. */
const SKEW_MS = 3_600_000;

/** Nobody has vouched for the server's clock, but it is worth a look. */
function withClock(error: unknown, { date }: Answer, { clock, server }: EnrollOptions): unknown {
  const ahead = date === undefined ? 0 : clock.now() - date;
  if (!(error instanceof KickError) || Math.abs(ahead) < SKEW_MS) return error;
  const words = `${formatDuration(Math.abs(ahead))} ${ahead < 0 ? 'behind' : 'ahead of'} that of ${server.host}`;
  const hint = `${error.hint === undefined ? '' : `${error.hint}; `}this host's clock is ${words}`;
  return new KickError(error.code, error.message, { hint, cause: error });
}
