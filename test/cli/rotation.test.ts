/** Certificates, CAs and CRLs that are replaced while real agents run and a real kick, or its server, waits for them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { ended, kickNow, startKick } from '../support/kick.ts';
import { CONTROLLER, rotatingSite } from '../support/rotating-site.ts';

const NAMES = ['web1.example.com', 'web2.example.com'];

/** Agents look at their files every five seconds. */
const SEEN = { interval: 500 };

test("a job outlives its controller's certificate: the old one is revoked in the middle, and it goes on with the new one", async () => {
  const ca = mintCa();
  const site = await rotatingSite(ca, NAMES);
  const [first, second] = site.hosts;
  if (first === undefined || second === undefined) expect.fail();
  const kick = startKick(['run', ...NAMES, '--concurrency', '1', '--format', 'json'], { env: site.env });
  const end = ended(kick);
  await expect.poll(first.journal, SEEN).toEqual(['begin']);
  const old = await site.controller();
  ca.revoke(old);
  ca.write(site.pki, ca.issue(CONTROLLER));
  for (const { pki } of site.hosts) writeFileSync(join(pki, 'crl.pem'), ca.crls());
  for (const host of site.hosts) await expect.poll(() => host.answers(old), SEEN).toBe(false);
  expect(second.journal()).toEqual([]);
  site.release();
  const { code, out, err } = await end;
  expect({ code, err }, out).toEqual({ code: 0, err: expect.not.stringContaining('warning') });
  for (const { journal } of site.hosts) expect(journal()).toEqual(['begin', 'end']);
});

test('CAs change under runs: both are trusted, hosts and controller get certificates of the new one, the old one goes', async () => {
  const [old, young] = [mintCa({ name: 'Old CA' }), mintCa({ name: 'New CA' })];
  const site = await rotatingSite(old, NAMES);
  const places = [
    ...site.hosts.map(({ pki, target }) => ({ pki, name: target.certname })),
    { pki: site.pki, name: CONTROLLER },
  ];
  const trust = (...cas: (typeof old)[]) => {
    for (const { pki } of places) {
      // The CRLs first: a CA without one is no CA.
      writeFileSync(join(pki, 'crl.pem'), cas.map((ca) => ca.crls()).join(''));
      writeFileSync(join(pki, 'certs', 'ca.pem'), cas.map((ca) => ca.certificates).join(''));
    }
  };
  const run = ended(startKick(['run', ...NAMES], { env: site.env }));
  for (const { journal } of site.hosts) await expect.poll(journal, SEEN).toEqual(['begin']);
  const [before, later] = [
    await site.controller(),
    { ...young.controller(CONTROLLER), ca: [old, young].flatMap((ca) => ca.agent().ca) },
  ];
  const both = { ...later, crls: [old, young].flatMap((ca) => ca.agent().crls) };
  trust(old, young);
  for (const host of site.hosts) await expect.poll(() => host.answers(both), SEEN).toBe(true);
  for (const host of site.hosts) expect(await host.answers(before)).toBe(true);
  for (const { pki, name } of places) {
    const next = young.issue(name, name === CONTROLLER ? {} : { role: 'agent' });
    writeFileSync(join(pki, 'private_keys', `${name}.pem`), next.key, { mode: 0o600 });
    writeFileSync(join(pki, 'certs', `${name}.pem`), next.certificate);
  }
  // Of the new CA only: they have new certificates.
  const strict = young.controller(CONTROLLER);
  for (const host of site.hosts) await expect.poll(() => host.answers(strict), SEEN).toBe(true);
  expect(kickNow(['ping', ...NAMES], { env: site.env }).code).toBe(0);
  trust(young);
  const stale = { ...old.controller(CONTROLLER), ca: both.ca, crls: both.crls };
  for (const host of site.hosts) await expect.poll(() => host.answers(stale), SEEN).toBe(false);
  site.release();
  expect(await run).toMatchObject({ code: 0 });
  expect(kickNow(['run', ...NAMES, '--quiet'], { env: site.env })).toEqual({ code: 0, out: '', err: '' });
  for (const { journal } of site.hosts) expect(journal()).toEqual(['begin', 'end', 'begin', 'end']);
});
