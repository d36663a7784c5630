/** --limit: some of the hosts, at random, but always the same ones for the same seed. */
import { createHash } from 'node:crypto';
import { countOf, formatShare, type Share } from '../../util/share.ts';

export interface Limit {
  limit?: Share | undefined;
  seed: string;
}

/** Returns the hosts that it leaves out, which depend on the names and the seed, not on the order. */
export function notDrawn(certnames: readonly string[], { limit, seed }: Limit): string[] {
  if (limit === undefined) return [];
  const drawn = certnames.map((certname) => ({
    certname,
    lot: createHash('sha256').update(`${seed}\0${certname}`).digest('hex'),
  }));
  drawn.sort((a, b) => (a.lot < b.lot ? -1 : 1));
  return drawn.slice(countOf(limit, certnames.length)).map(({ certname }) => certname);
}

export function limitText({ limit, seed }: Limit): string {
  return `not drawn by --limit ${limit === undefined ? '' : formatShare(limit)} --seed ${seed}`;
}
