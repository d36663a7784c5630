/** Our own CA gets a successor: nobody is shut out on the way, nobody else hands one in, and a kill between two writes loses nothing. */
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownPaths } from '../../src/config/identity.ts';
import { writeServer } from '../../src/enrolment/node-place.ts';
import { isDue, refreshCa, refreshCrl, renew, renewOwn } from '../../src/enrolment/renew.ts';
import { openAuthority } from '../../src/pki/authority.ts';
import { openEnrolments } from '../../src/pki/enrolments.ts';
import { readCertificates } from '../../src/pki/identity-files.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { systemClock as clock } from '../../src/util/clock.ts';
import {
  caSite,
  clockAhead,
  enrollHere,
  killedAfter,
  NODE,
  nodePlace,
  SERVER,
  serveHere,
} from '../support/enrolment.ts';
import { ended, startKick } from '../support/kick.ts';
import { tempFolder } from '../support/temp.ts';

const HOUR_MS = 3_600_000;

const load = (place: ReturnType<typeof nodePlace>) => loadIdentity(place.paths, { now: Date.now() });
const issuerOf = (path: string) => new X509Certificate(readFileSync(path)).issuer;
const casIn = (path: string) =>
  readCertificates(readFileSync(path, 'latin1'), path, 'CA').map(({ subject }) => subject);
const [OLD, NEXT] = ['CN=Our CA', 'CN=Our CA 2'];

/** A CA, its server, and a node that has enrolled. */
async function site() {
  const made = await caSite();
  const authority = openAuthority(made.dir, { clock });
  const served = await serveHere(made);
  const place = nodePlace();
  await enrollHere(served.port, await made.token(), { place });
  await writeServer(place, { host: SERVER, port: served.port });
  const own = nodePlace(SERVER, made.dir);
  /** What a node does every hour. */
  const look = async (at = place) => {
    await refreshCrl(at, { clock });
    await refreshCa(at, { clock });
    if (isDue(await load(at), Date.now())) await renew(at, { clock });
  };
  /** What the server does with its own certificate. */
  const renewServer = async () => {
    const isRenewed = await renewOwn(own.paths, await load(own), { enrolments: made.enrolments, clock });
    await served.setIdentity();
    return isRenewed;
  };
  const oldOnes = async () =>
    (await authority.list()).filter(({ isHanging }) => isHanging).map(({ name }) => name);
  return { ...made, authority, served, place, look, renewServer, oldOnes };
}

test('made, handed out, signing, the old one removed; a node that sleeps through half of it comes along all the same', async () => {
  const { dir, token, authority, served, place, look, renewServer, oldOnes } = await site();
  const sleeper = nodePlace('web2.example.com');
  const name = 'web2.example.com';
  await enrollHere(served.port, await token(name), { place: sleeper, name });
  const { port } = served;
  await writeServer(sleeper, { host: SERVER, port });

  expect(await authority.rotate()).toEqual({ name: 'Our CA 2', hanging: [] });
  await expect(authority.rotate()).rejects.toThrow(/there is "Our CA 2" beside "Our CA"/);
  await served.setIdentity();
  await look();
  expect(casIn(place.paths.ca)).toEqual([OLD, NEXT]);
  expect(issuerOf(place.paths.certificate)).toBe(OLD);
  await enrollHere(port, await token('web3.example.com'), {
    name: 'web3.example.com',
    place: nodePlace('web3.example.com'),
  });

  await expect(authority.switchOver({ isForced: false })).rejects.toThrow(/not every node may know it/);
  const later = openAuthority(dir, { clock: clockAhead(4 * HOUR_MS) });
  expect((await later.switchOver({ isForced: false })).hanging.map((one) => one.name)).toEqual([
    SERVER,
    NODE,
    name,
    'web3.example.com',
  ]);
  await served.setIdentity();
  expect(await renewServer()).toBe(false);
  await look();
  expect(casIn(place.paths.ca)).toEqual([NEXT, OLD]);
  expect(issuerOf(place.paths.certificate)).toBe(NEXT);
  await expect(authority.retire({ isForced: false })).rejects.toThrow(
    /no certificate but of it: localhost, web2\S+, web3\S+$/,
  );
  expect(await renewServer()).toBe(false);
  await authority.revoke('web3.example.com');
  await served.setIdentity();
  await look(sleeper);
  expect(issuerOf(sleeper.paths.certificate)).toBe(NEXT);
  // A new node while the server shows its certificate of the old CA, by the fingerprint of which it is found.
  const young = nodePlace('web4.example.com');
  await enrollHere(port, await token('web4.example.com'), { place: young, name: 'web4.example.com' });
  expect([casIn(young.paths.ca), issuerOf(young.paths.certificate)]).toEqual([[NEXT, OLD], NEXT]);
  expect(await oldOnes()).toEqual([SERVER]);
});

test('the server is the last to get a certificate of the new CA; then the old one goes from everywhere', async () => {
  const { dir, token, authority, served, place, look, renewServer, oldOnes } = await site();
  await authority.rotate('Another CA');
  await served.setIdentity();
  await look();
  await authority.switchOver({ isForced: true });
  await served.setIdentity();
  await look();
  expect(await oldOnes()).toEqual([SERVER]);
  await expect(authority.retire({ isForced: false })).rejects.toMatchObject({
    message: expect.stringMatching(/but of it: localhost$/),
    hint: `"${ownPaths(dir, SERVER).certificate}" is still of the old CA: kick pki issue localhost --role controller --pki-dir ${dir} (kick pki serve renews its own within an hour); --force shuts them out`,
  });
  expect(await renewServer()).toBe(true);
  expect(issuerOf(ownPaths(dir, SERVER).certificate)).toBe('CN=Another CA');
  await authority.retire({ isForced: false });
  await served.setIdentity();
  await look();
  expect(casIn(place.paths.ca)).toEqual(['CN=Another CA']);
  expect((await load(place)).crls).toHaveLength(1);
  const name = 'late.example.com';
  const { fingerprint256 } = new X509Certificate(readFileSync(place.paths.ca));
  const late = { ...(await token(name)), fingerprint: fingerprint256.replaceAll(':', '').toLowerCase() };
  await enrollHere(served.port, late, { name, place: nodePlace(name) });
  expect((await authority.rotate()).name).toBe('Another CA 3');
});

test('a next CA that does not sign yet may go again', async () => {
  const { authority, served, place, look } = await site();
  await authority.rotate();
  await served.setIdentity();
  await look();
  expect(await authority.retire({ isForced: false })).toEqual({ name: 'Our CA 2', hanging: [] });
  await served.setIdentity();
  await look();
  expect([casIn(place.paths.ca), (await load(place)).crls.length]).toEqual([[OLD], 1]);
  await expect(authority.switchOver({ isForced: true })).rejects.toThrow(/there is none/);
});

test('a server that our CA does not vouch for hands in no CA: another CA, another name, a revoked one; nor a CA that is over', async () => {
  const { dir, authority, place } = await site();
  const before = readFileSync(place.paths.ca, 'utf8');
  const enrolments = openEnrolments(dir, { clock });
  const at = async (port: number) => writeServer(place, { host: SERVER, port });
  const other = await caSite();
  await at((await serveHere(other)).port);
  await expect(refreshCa(place, { clock })).rejects.toThrow(/is not of our CA/);
  await authority.issue({ name: 'rogue.example.com', role: 'agent', keyType: 'p256', days: 1 });
  await at((await serveHere({ dir, enrolments }, { certname: 'rogue.example.com' })).port);
  await expect(refreshCa(place, { clock })).rejects.toThrow(/rogue\.example\.com/);
  // Its CRL names it, ours does not know it yet; from the next look on it hands in nothing.
  const old = await serveHere({ dir, enrolments });
  await at(old.port);
  await authority.revoke(SERVER);
  await old.setIdentity().catch(() => {});
  writeFileSync(place.paths.crl, readFileSync(join(dir, 'crl.pem')));
  await authority.rotate();
  await expect(refreshCa(place, { clock })).rejects.toThrow(/is revoked/);
  expect(readFileSync(place.paths.ca, 'utf8')).toBe(before);
});

const STEPS = [
  ['rotate-ca', '/ca_1.pem'],
  ['rotate-ca', '/ca_key_2.pem'],
  ['rotate-ca', '/ca_2.pem'],
  ['rotate-ca', '/index.json'],
  ['rotate-ca', '/crl.pem'],
  ['rotate-ca', '/certs/ca.pem'],
  ['switch-ca', '/index.json'],
  ['switch-ca', '/crl.pem'],
  ['retire-ca', '/index.json'],
  ['retire-ca', '/certs/ca.pem'],
];

test.each(STEPS)(
  'kick pki %s, killed as soon as %s is written: what is there can be used, and the CA goes on',
  async (step, end) => {
    const dir = join(tempFolder(), 'pki');
    const authority = openAuthority(dir, { clock });
    await authority.init('Our CA');
    const wish = { role: 'controller', keyType: 'p256', days: 10 } as const;
    await authority.issue({ ...wish, name: SERVER });
    const kick = (command: string, NODE_OPTIONS = '') =>
      ended(
        startKick(['pki', command, '--pki-dir', dir, ...(command === 'rotate-ca' ? [] : ['--force'])], {
          env: { NODE_OPTIONS },
        }),
      );
    const all = ['rotate-ca', 'switch-ca', 'retire-ca'];
    for (const before of all.slice(0, all.indexOf(step))) expect((await kick(before)).code).toBe(0);
    if (step === 'retire-ca') await authority.issue({ ...wish, name: 'new.example.com' });
    expect((await kick(step, killedAfter(end))).code).toBe(null);
    const names = step === 'retire-ca' ? ['new.example.com'] : [SERVER];
    for (const name of names) await loadIdentity(ownPaths(dir, name), { now: Date.now() });
    await openEnrolments(dir, { clock }).settle();
    for (const name of names) await loadIdentity(ownPaths(dir, name), { now: Date.now() });
    // The same again, unless the index has it.
    const again = await kick(step);
    expect(again.code, again.err).toBe(
      end === '/index.json' || end.endsWith('ca.pem') || end === '/crl.pem' ? 2 : 0,
    );
    for (const next of all.slice(all.indexOf(step) + 1)) expect((await kick(next)).code).toBe(0);
    await authority.issue({ ...wish, name: 'last.example.com' });
    const last = ownPaths(dir, 'last.example.com');
    expect((await loadIdentity(last, { now: Date.now() })).ca.map(({ subject }) => subject)).toEqual([NEXT]);
  },
);
