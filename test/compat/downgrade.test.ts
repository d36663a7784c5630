/**
 * DESIGN 15: what today's program has stored, found by the program of the last release, which cannot be changed any more. What
 * it cannot deal with stands in docs/upgrading.md.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openAuthority } from '../../src/pki/authority.ts';
import { systemClock as clock } from '../../src/util/clock.ts';
import { AGENT, noted, versionSite } from './versions.ts';

const hostIn = (out: string) => JSON.parse(out).hosts[0];

test('an agent of the release starts with the state of today, serves, and one of today again with its own', async () => {
  const site = versionSite('changes');
  const outcomes = async () => hostIn((await site.kick('new', AGENT, '--format', 'json')).out).outcome;
  for (const age of ['new', 'old', 'new'] as const) {
    const agent = await site.agent(age);
    expect(await outcomes()).toBe('changed');
    // What was handled before is known, by whichever of them.
    const jobs = JSON.parse((await site.kick('new', 'jobs', '--format', 'json')).out) as { job: string }[];
    for (const { job } of jobs)
      expect(await site.kick('new', 'jobs', 'resume', job.slice(-8))).toMatchObject({ code: 2 });
    await agent.kill();
  }
  expect(readdirSync(site.at('state', 'requests'))).toHaveLength(3);
});

test('a request that waits in an agent of today waits in one of the release', async () => {
  const site = versionSite();
  const agent = await site.agent('new');
  const jobs = [site.kick('new', AGENT, '--format', 'json')];
  await expect.poll(() => noted(site)).toHaveLength(1);
  jobs.push(site.kick('new', AGENT, '--format', 'json'));
  await expect.poll(async () => (await site.kick('new', 'status', AGENT)).out).toContain('1 waiting');
  await agent.kill();
  await site.agent('old');
  site.release();
  await expect.poll(() => noted(site)).toHaveLength(3);
  site.release();
  // The release cannot read the exit status of a run that today's agent began.
  const [first, second] = await Promise.all(jobs);
  expect(hostIn(first?.out ?? '')).toMatchObject({ outcome: 'interrupted' });
  expect(hostIn(second?.out ?? '')).toMatchObject({ outcome: 'changed' });
});

test('the mark of a damaged request keeps an agent of the release from starting, until it is moved away', async () => {
  const site = versionSite('ok');
  const today = await site.agent('new');
  await today.kill();
  const name = '01a21c05-8c6e-7b10-abe4-69d5a5a7e610.1.e95e690f1476e70b.damaged';
  writeFileSync(join(site.at('state', 'requests'), name), '{"v":1,"why":"x","at":1}');
  await expect(site.agent('old')).rejects.toThrow('it ended before it was ready');
  rmSync(join(site.at('state', 'requests'), name));
  await (await site.agent('old')).kill();
});

test('kick pki of the release forgets by which token a certificate was issued', async () => {
  const site = versionSite('ok');
  const pki = site.at('own');
  const authority = openAuthority(pki, { clock });
  await authority.init('kick CA');
  const issue = (age: 'old' | 'new', name: string) =>
    site.kick(age, 'pki', 'issue', name, '--role', 'agent', '--pki-dir', pki);
  expect(await issue('new', AGENT)).toMatchObject({ code: 0 });
  const path = join(pki, 'ca', 'index.json');
  const index = () => JSON.parse(readFileSync(path, 'utf8'));
  const [entry] = index().certificates;
  writeFileSync(
    path,
    JSON.stringify({ ...index(), certificates: [{ ...entry, token: 'a token' }], sum: undefined }),
  );
  expect(await issue('new', 'web2.example.com')).toMatchObject({ code: 0 });
  expect(index().certificates[0]).toHaveProperty('token');
  expect(await issue('old', 'web3.example.com')).toMatchObject({ code: 0 });
  expect(index().certificates).toHaveLength(3);
  expect(index().certificates[0]).not.toHaveProperty('token');
});
