/** Every host that this controller knows of, from all its sources. */
import { openInventory } from './open-inventory.ts';
import { openSources } from './open-sources.ts';
import type { Site } from './site.ts';
import type { Warn } from './targeting/warn.ts';

export interface KnownHosts {
  /** Those that know any, and how many. */
  sources: { name: string; hosts: number }[];
  /** Sorted; without those that are revoked. */
  certnames: string[];
  /** Names whose certificates are all revoked, as far as a CA is on this machine. */
  revoked: string[];
}

/** Throws `KickError` if a source cannot be asked: the hosts that only it knows would be missing. */
export async function knownHosts(site: Site, warn: Warn): Promise<KnownHosts> {
  const config = await site.config();
  const { database, signedCertnames } = await openSources({
    ...site,
    ...{ config, connectTimeoutMs: undefined, warn },
  });
  const signed = await signedHere(site, warn);
  const found: [string, readonly string[]][] = [
    ['PuppetDB', database === undefined ? [] : await database.active()],
    ['the inventory', [...(await openInventory(site)).hosts.keys()]],
    ["Puppet's CA", (await signedCertnames()) ?? []],
    ["kick's CA", signed.byKick],
  ];
  const all = new Set(found.flatMap(([, names]) => names));
  return {
    sources: found
      .filter(([, { length }]) => length > 0)
      .map(([name, { length }]) => ({ name, hosts: length })),
    certnames: [...all].filter((name) => !signed.revoked.has(name)).sort(),
    revoked: [...signed.revoked].sort(),
  };
}

async function signedHere(site: Site, warn: Warn): Promise<{ byKick: string[]; revoked: Set<string> }> {
  const { revokedNames, signedByKick, signedByPuppet } = await import('./revoked-names.ts');
  const { authorityFolder } = await import('./puppets-own.ts');
  const cadir = await authorityFolder({ ...site, warn });
  const byPuppet = cadir === undefined ? [] : await signedByPuppet(cadir, await site.identity());
  const byKick = await signedByKick(site.folders.pkiDir);
  const revoked = revokedNames([...byPuppet, ...byKick], site.clock.now());
  return { byKick: [...new Set(byKick.map(({ name }) => name))], revoked };
}
