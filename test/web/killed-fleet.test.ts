/** A server that is killed again and again in the middle of a job on a fleet: each next one goes on with it. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { fleetSite } from '../browser/fleet-site.ts';
import { jobDone, signIn, startServer } from './web-site.ts';

const HOSTS = 80;
const KILLS = 3;

test('every host runs once, and a request that is sent to each server again starts nothing', async () => {
  const site = await fleetSite('changed=3,unchanged=5,failed=1', HOSTS);
  let server = await startServer(site);
  const alice = await signIn(server, 'alice');
  const ask = () => {
    const headers = { ...alice, 'Idempotency-Key': 'release-42' };
    return server.ask('jobs', { body: { choice: { all: true }, concurrency: 8 }, headers });
  };
  const { job } = (await ask()).json;
  const counts = async (): Promise<number[]> =>
    Object.values((await server.ask(`jobs/${job}`, { headers: alice })).json.counts ?? {});
  const ended = async () => (await counts()).reduce((sum, count) => sum + count, 0);
  for (let kill = 1; kill <= KILLS; kill++) {
    await expect.poll(ended).toBeGreaterThan(kill * 10);
    const gone = once(server.child, 'exit');
    server.child.kill('SIGKILL');
    await gone;
    server = await startServer(site);
    expect((await ask()).json.job).toBe(job);
  }
  const state = async () => (await server.ask(`jobs/${job}`, { headers: alice })).json.state;
  await expect.poll(state).toBe('done');
  await jobDone(server, job, alice);
  expect(await ended()).toBe(HOSTS);
  expect((await server.ask('jobs', { headers: alice })).json.jobs).toHaveLength(1);
  const fleet = join(dirname(site.env['KICK_STATE_DIR'] ?? ''), 'hosts');
  const hosts = readdirSync(fleet);
  expect(hosts).toHaveLength(HOSTS);
  for (const host of hosts)
    expect([host, readdirSync(join(fleet, host, 'state', 'runs')).length]).toEqual([host, 1]);
});
