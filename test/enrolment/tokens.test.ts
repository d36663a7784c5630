/** A token gives its name one certificate, to one key; whatever else is shown gets nothing. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatToken, parseToken } from '../../src/enrolment/token.ts';
import { openAuthority } from '../../src/pki/authority.ts';
import { openEnrolments } from '../../src/pki/enrolments.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { systemClock } from '../../src/util/clock.ts';
import { caSite, clockAhead, enrollHere, NODE, nodePlace, SERVER, serveHere } from '../support/enrolment.ts';

const HOUR_MS = 3_600_000;

test('a token is one line that can stand in a URL, and is read again; anything else is not one', async () => {
  const { token } = await caSite();
  const made = await token();
  const text = formatToken(made);
  expect(text).toMatch(/^kick1(\.[\w-]+){3}$/);
  expect(parseToken(`${text}\n`)).toEqual(made);
  for (const other of ['', text.slice(1), text.slice(0, -1), `${text}x`, text.replace('kick1', 'kick2')])
    expect(() => parseToken(other), other).toThrow(/read the token: it is not one/);
});

test('of a token only a hash is kept', async () => {
  const { dir, token } = await caSite();
  const { id, secret } = await token();
  const stored = readFileSync(join(dir, 'ca', 'tokens.json'), 'utf8');
  expect(stored).toContain(id);
  expect(stored).not.toContain(secret);
});

test('a wrong secret, another id, a token that is over or was taken back: the same answer', async () => {
  const site = await caSite();
  const { port } = await serveHere(site);
  const good = await site.token();
  const other = await site.token('web2.example.com');
  const refused = /the token is wrong, too old or was taken back/;
  await expect(enrollHere(port, { ...good, secret: other.secret })).rejects.toThrow(refused);
  await expect(enrollHere(port, { ...good, id: other.id.replace(/^./, 'x') })).rejects.toThrow(refused);
  const late = await serveHere({
    dir: site.dir,
    enrolments: openEnrolments(site.dir, { clock: clockAhead(2 * HOUR_MS) }),
  });
  await expect(enrollHere(late.port, good)).rejects.toThrow(refused);
  expect(await site.enrolments.cancel(NODE)).toBe(true);
  expect(await site.enrolments.cancel(NODE)).toBe(false);
  await expect(enrollHere(port, good)).rejects.toThrow(refused);
  expect((await openAuthority(site.dir, { clock: systemClock }).list()).map(({ name }) => name)).toEqual([
    SERVER,
  ]);
});

test('the right token of another name, or a name that has a certificate meanwhile: nothing', async () => {
  const site = await caSite();
  const { port } = await serveHere(site);
  const token = await site.token();
  const name = 'web2.example.com';
  await expect(enrollHere(port, token, { name, place: nodePlace(name) })).rejects.toThrow(/for another name/);
  await openAuthority(site.dir, { clock: systemClock }).issue({
    ...{ name: NODE, role: 'agent', keyType: 'p256', days: 1 },
  });
  await expect(enrollHere(port, token)).rejects.toThrow(/the name has a valid certificate/);
  await expect(site.token()).rejects.toThrow(/"web1.example.com" has one/);
});

test('two nodes with one token at once: one of them gets a certificate, whose key it has', async () => {
  const site = await caSite();
  const { port, lines } = await serveHere(site);
  const token = await site.token();
  const places = [nodePlace(), nodePlace(), nodePlace(), nodePlace()];
  const ends = await Promise.allSettled(places.map((place) => enrollHere(port, token, { place })));
  expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const end of ends)
    if (end.status === 'rejected') expect(String(end.reason)).toMatch(/used already, with another key/);
  const winner = places[ends.findIndex(({ status }) => status === 'fulfilled')];
  if (winner === undefined) throw new Error('nobody');
  expect((await loadIdentity(winner.paths, { now: Date.now() })).certname).toBe(NODE);
  expect(lines.filter(({ msg }) => msg === 'enrolled')).toHaveLength(1);
  expect((await openAuthority(site.dir, { clock: systemClock }).list()).map(({ name }) => name)).toEqual([
    SERVER,
    NODE,
  ]);
});

test('a reinstalled node: --replace revokes the old certificate when the token is used, not before', async () => {
  const site = await caSite();
  const { port } = await serveHere(site);
  const place = nodePlace();
  await enrollHere(port, await site.token(), { place });
  const token = await site.token(NODE, { replace: true });
  const states = async () =>
    (await openAuthority(site.dir, { clock: systemClock }).list())
      .filter(({ name }) => name === NODE)
      .map(({ revokedAt }) => revokedAt !== undefined);
  expect(await states()).toEqual([false]);
  await enrollHere(port, token);
  expect(await states()).toEqual([true, false]);
  writeFileSync(place.paths.crl, readFileSync(join(site.dir, 'crl.pem')));
  await expect(loadIdentity(place.paths, { now: Date.now() })).rejects.toThrow(/revoked/);
});

test('a node with a certificate that can be used keeps it without --force, and a CA is nobody’s node', async () => {
  const site = await caSite();
  const { port } = await serveHere(site);
  const place = nodePlace();
  const first = await enrollHere(port, await site.token(), { place });
  const again = await site.token(NODE, { replace: true });
  await expect(enrollHere(port, again, { place })).rejects.toMatchObject({ hint: '--force replaces it' });
  expect(readFileSync(place.paths.certificate, 'utf8')).toBe(first);
  expect(await enrollHere(port, again, { place, isForced: true })).not.toBe(first);
  await expect(
    enrollHere(port, again, { place: nodePlace(SERVER, site.dir), name: SERVER, isForced: true }),
  ).rejects.toThrow(/is the folder of a CA/);
});

test('a node has its key alone, its folder is the layout of kick pki, and nothing is left beside it', async () => {
  const site = await caSite();
  const { port } = await serveHere(site);
  const place = nodePlace();
  await enrollHere(port, await site.token(), { place });
  const names = readdirSync(place.dir, { recursive: true, withFileTypes: true });
  expect(
    names
      .filter((one) => one.isFile())
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['ca.pem', 'crl.pem', 'enrolment.json', `${NODE}.pem`, `${NODE}.pem`].sort());
  const key = readFileSync(place.paths.key, 'utf8');
  for (const one of readdirSync(site.dir, { recursive: true, withFileTypes: true }))
    if (one.isFile()) expect(readFileSync(join(one.parentPath, one.name), 'utf8')).not.toContain(key);
});

test('tokens are a bounded number, a newer one of a name takes the place of the older, those that are over go', async () => {
  const site = await caSite();
  const first = await site.token();
  await site.token();
  expect(await site.enrolments.open()).toHaveLength(1);
  expect(await site.enrolments.knows(first.id, first.secret)).toBe(false);
  const later = openEnrolments(site.dir, { clock: clockAhead(2 * HOUR_MS) });
  expect(await later.open()).toEqual([]);
});
