/** Discovery in kick serve: a preview and a job of the hosts that answer now, and no others for whom has limits. */
import { expect, test } from 'vitest';
import { startNats } from '../../support/nats-server.ts';
import { realSite } from '../../support/real-site.ts';
import { writePeople } from '../../web/people.ts';
import { jobDone, signIn, startServer } from '../../web/web-site.ts';

const ABSENT = { targets: [{ name: 'gone.example.com', via: 'nats' }, { name: 'web1.example.com' }] };
const choice = { discover: true };

async function served() {
  const site = await realSite(3, () => 'echo begin >> $JOURNAL', { nats: startNats });
  site.inventory(ABSENT);
  writePeople(site, { alice: { role: 'operator' }, few: { role: 'operator', limits: { hosts: 'web1' } } });
  const server = await startServer(site);
  const headers = { alice: await signIn(server, 'alice'), few: await signIn(server, 'few') };
  return { site, server, headers };
}

test('a preview and a job of whoever answers; the silent ones are named', async () => {
  const { site, server, headers } = await served();
  const { alice, few } = headers;
  expect((await server.ask('groups', { headers: alice })).json).toMatchObject({ discovery: true });
  const { json } = await server.ask('hosts/resolve', { body: { choice }, headers: alice });
  expect(json).toMatchObject({
    chosen: 3,
    unanswered: [{ certname: 'gone.example.com', error: expect.stringMatching(/silent/) }],
    discovery: { silent: ['gone.example.com'], ignored: 0 },
  });
  expect(json.discovery.expected.hosts - json.discovery.expected.answered).toBe(1);
  const some = await server.ask('hosts/resolve', {
    body: { choice: { ...choice, hosts: ['web*'], exclude: ['web3'] } },
    headers: alice,
  });
  expect(some.json).toMatchObject({ chosen: 2, unanswered: [] });
  const cut = await server.ask('hosts/resolve', { body: { choice }, headers: few });
  expect(cut.json).toMatchObject({ chosen: 1, unanswered: [], discovery: { silent: [] } });
  expect(cut.json.discovery.expected).toBeUndefined();
  expect(cut.text).not.toMatch(/web2|web3|gone/);
  const begun = await server.ask('jobs', { body: { choice, action: {} }, headers: few });
  await jobDone(server, begun.json.job, few);
  expect(site.names.map((name) => site.journal(name).length)).toEqual([1, 0, 0]);
});

test('without a broker nobody can be asked, and the answer says so', async () => {
  const site = await realSite(1, () => 'true');
  writePeople(site, { alice: { role: 'operator' } });
  const server = await startServer(site);
  const headers = await signIn(server, 'alice');
  expect((await server.ask('groups', { headers })).json).toMatchObject({ discovery: false });
  const { status, json } = await server.ask('hosts/resolve', { body: { choice }, headers });
  expect([status, json.detail]).toEqual([422, expect.stringMatching(/names no servers of NATS/)]);
});
