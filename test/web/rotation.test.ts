/** A job of `kick serve` outlives the certificate with which its server has begun it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { startKick } from '../support/kick.ts';
import { CONTROLLER, rotatingSite } from '../support/rotating-site.ts';
import { writePeople } from './people.ts';
import { jobDone, shownBy, signIn, startServer } from './web-site.ts';

const NAMES = ['web1.example.com', 'web2.example.com'];

/** Server and agents look at their files every five seconds. */
const SEEN = { interval: 500 };

test("a job of the server goes on with the controller's new certificate when the old one is revoked in the middle", async () => {
  const ca = mintCa();
  const site = await rotatingSite(ca, NAMES);
  const [first, second] = site.hosts;
  if (first === undefined || second === undefined) expect.fail();
  writePeople(site, { alice: { role: 'operator' } });
  const start = (...words: string[]) => startKick(words, { env: site.env });
  const server = await startServer({ env: site.env, start });
  const alice = await signIn(server, 'alice');
  const body = { choice: { hosts: NAMES }, concurrency: 1 };
  const { job } = (await server.ask('jobs', { body, headers: alice })).json;
  await expect.poll(first.journal, SEEN).toEqual(['begin']);
  const [old, shown] = [await site.controller(), await shownBy(server)];
  ca.revoke(old);
  ca.write(site.pki, ca.issue(CONTROLLER));
  for (const { pki } of site.hosts) writeFileSync(join(pki, 'crl.pem'), ca.crls());
  for (const host of site.hosts) await expect.poll(() => host.answers(old), SEEN).toBe(false);
  await expect.poll(() => shownBy(server), SEEN).not.toBe(shown);
  expect(second.journal()).toEqual([]);
  site.release();
  expect((await jobDone(server, job, alice)).counts).toEqual({ unchanged: 2 });
  for (const { journal } of site.hosts) expect(journal()).toEqual(['begin', 'end']);
});
