/** Names whose certificates are all revoked, as the CA on this machine knows: Puppet's inventory.txt, or the index of kick's. */
import { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KickError, messageOf, systemCode } from '../errors.ts';
import { readIndex } from '../pki/authority-index.ts';
import { issuerOf } from '../pki/check-crls.ts';
import { readCrl, splitCrls } from '../pki/crl.ts';
import { serialNumber } from '../pki/der.ts';
import type { Identity } from '../pki/identity.ts';
import { exists } from '../util/files.ts';

export interface Signed {
  name: string;
  isRevoked: boolean;
  /** Milliseconds since 1970. */
  notAfter: number;
}

/** What Puppet's CA has ever signed, if its folder is here. Throws `KickError` `config` for files that are none of its own. */
export async function signedByPuppet(cadir: string, identity: Identity): Promise<Signed[]> {
  const inventory = await textOf(join(cadir, 'inventory.txt'));
  if (inventory === undefined) return [];
  try {
    const current = splitCrls((await textOf(join(cadir, 'ca_crl.pem'))) ?? '');
    const revoked = serialsOf([...current, ...identity.crls], identity);
    const listed = signedIn(inventory, revoked);
    return [...listed, ...(await signedUnlisted(join(cadir, 'signed'), listed, revoked))];
  } catch (error) {
    if (error instanceof KickError) throw error;
    throw new KickError('config', `read the CRL in "${cadir}": ${messageOf(error)}`, { cause: error });
  }
}

/** What kick's own CA has ever signed, if it is here. Throws `KickError`. */
export async function signedByKick(pkiDir: string): Promise<Signed[]> {
  if (!(await exists(join(pkiDir, 'ca', 'index.json')))) return [];
  return readIndex(pkiDir).certificates.map(({ name, notAfter, revokedAt }) => ({
    ...{ name, notAfter },
    isRevoked: revokedAt !== undefined,
  }));
}

/** Names that have no valid certificate, but a revoked one. */
export function revokedNames(signed: readonly Signed[], now: number): Set<string> {
  const current = signed.filter(({ notAfter }) => notAfter > now);
  const valid = new Set(current.filter(({ isRevoked }) => !isRevoked).map(({ name }) => name));
  return new Set(current.map(({ name }) => name).filter((name) => !valid.has(name)));
}

const LINE = /^(?:0x)?([0-9a-f]{1,64}) \S+ (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)UTC \/CN=(\S+)/i;

/** Reads an inventory.txt, a certificate a line; other lines are skipped. */
export function signedIn(inventory: string, revoked: ReadonlySet<bigint>): Signed[] {
  return inventory.split('\n').flatMap((line) => {
    const [, serial, notAfter, name] = LINE.exec(line) ?? [];
    if (serial === undefined || notAfter === undefined || name === undefined) return [];
    const isRevoked = revoked.has(serialNumber(serial));
    return [{ name, isRevoked, notAfter: Date.parse(`${notAfter}Z`) }];
  });
}

/** `puppetserver ca generate` without a running server signs, and lists nothing. */
async function signedUnlisted(
  signeddir: string,
  listed: readonly Signed[],
  revoked: ReadonlySet<bigint>,
): Promise<Signed[]> {
  const known = new Set(listed.map(({ name }) => name));
  const files = await readdir(signeddir).catch(() => []);
  const names = files.filter((file) => file.endsWith('.pem')).map((file) => file.slice(0, -4));
  const found: Signed[] = [];
  for (const name of names.filter((one) => !known.has(one))) {
    const pem = await textOf(join(signeddir, `${name}.pem`));
    const one = pem === undefined ? undefined : certificateIn(pem);
    if (one === undefined) continue;
    const isRevoked = revoked.has(serialNumber(one.serialNumber));
    found.push({ name, isRevoked, notAfter: Date.parse(one.validTo) });
  }
  return found;
}

function certificateIn(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined; // whose it is, its file's name says
  }
}

/** The serial numbers that the signer of our own certificate has revoked. */
function serialsOf(crls: readonly string[], { chain: [leaf] }: Identity): Set<bigint> {
  if (leaf === undefined) return new Set();
  const issuer = issuerOf(leaf);
  const own = crls.map(readCrl).filter((crl) => Buffer.compare(crl.issuer, issuer) === 0);
  return new Set(own.flatMap(({ revoked }) => revoked.map(serialNumber)));
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw new KickError('config', `read "${path}": ${messageOf(error)}`, { cause: error });
  }
}
