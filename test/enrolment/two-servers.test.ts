/** Two `kick pki serve` on one CA, such as while one of them is moved: a token is used up in both at once. */
import { expect, test } from 'vitest';
import { openAuthority } from '../../src/pki/authority.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { systemClock } from '../../src/util/clock.ts';
import { caSite, enrollHere, nodePlace, serveProcess } from '../support/enrolment.ts';

const ROUNDS = 8;

test('one token shown to both at the same time: one certificate is issued, of whoever has been answered', async () => {
  const site = await caSite();
  const servers = await Promise.all([serveProcess(site.dir), serveProcess(site.dir)]);
  const ports = servers.flatMap(({ port }) => [port, port]);
  for (let round = 0; round < ROUNDS; round++) {
    const name = `web${round}.example.com`;
    const token = await site.token(name);
    const nodes = ports.map((port) => ({ port, place: nodePlace(name) }));
    const ends = await Promise.allSettled(
      nodes.map(({ port, place }) => enrollHere(port, token, { place, name })),
    );
    for (const end of ends)
      if (end.status === 'rejected') expect(String(end.reason)).toMatch(/used already, with another key/);
    const winners = nodes.filter((_, index) => ends[index]?.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    const [{ place }] = winners as [(typeof nodes)[number]];
    const { chain } = await loadIdentity(place.paths, { now: Date.now() });
    const issued = (await openAuthority(site.dir, { clock: systemClock }).list()).filter(
      (one) => one.name === name,
    );
    expect(issued.map(({ serial }) => serial)).toEqual([chain[0]?.serialNumber]);
  }
});
