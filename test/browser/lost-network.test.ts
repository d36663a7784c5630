/** A page that loses the network in a job, and comes back. */
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { en } from '../../src/web/app/text/en.ts';
import { freePort } from '../../tools/loopback.ts';
import { realSite } from '../support/real-site.ts';
import { addUser, signIn, startServer } from '../web/web-site.ts';
import { countOf, openPage, signInOn } from './open-page.ts';

test('a page that was without a network knows what happened meanwhile', async () => {
  const site = await realSite(3, (_name, index) => (index === 0 ? 'exit 2' : 'held; exit 0'));
  addUser(site, 'alice', '--role', 'operator');
  const server = await startServer(site);
  const { page } = await openPage(server);
  await signInOn(page, 'alice');
  const headers = await signIn(server, 'alice');
  const { json } = await server.ask('jobs', { body: { choice: { all: true } }, headers });
  await page.goto(`/jobs/${json.job}`);
  await countOf(page, en.outcomes.changed, 1).waitFor();

  await page.context().setOffline(true);
  await page.getByText(en.common.offline).waitFor();
  site.release();
  await expect.poll(async () => (await server.ask(`jobs/${json.job}`, { headers })).json.state).toBe('done');
  // What was known is still there.
  expect(await countOf(page, en.outcomes.changed, 1).isVisible()).toBe(true);

  await page.context().setOffline(false);
  await countOf(page, en.outcomes.unchanged, 2).waitFor();
  await page.getByText(en.job.allWell).waitFor();
  expect(await page.getByText(en.common.offline).count()).toBe(0);
});

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'the page of a server that was started again after %s goes on',
  async (signal) => {
    const site = await realSite(2, () => 'held; exit 2');
    addUser(site, 'alice', '--role', 'operator');
    const server = await startServer(site, { port: await freePort() });
    const { page } = await openPage(server);
    await signInOn(page, 'alice');
    const headers = await signIn(server, 'alice');
    const { json } = await server.ask('jobs', { body: { choice: { all: true } }, headers });
    await page.goto(`/jobs/${json.job}`);
    await page.getByText(en.job.live.running).first().waitFor();
    server.child.kill(signal);
    await page.getByText(en.job.reconnecting).waitFor();
    if (server.child.exitCode === null && server.child.signalCode === null) await once(server.child, 'exit');
    await startServer(site, { port: server.port });
    site.release();
    await countOf(page, en.outcomes.changed, 2).waitFor();
  },
);

test('a job whose controller died is followed again when somebody goes on with it', async () => {
  const site = await realSite(2, () => 'held; exit 2');
  addUser(site, 'alice', '--role', 'operator');
  const server = await startServer(site);
  const headers = await signIn(server, 'alice');
  const controller = site.start('run', '--all');
  const job = async () => (await server.ask('jobs', { headers })).json.jobs[0];
  await expect.poll(async () => (await job())?.state).toBe('running');
  controller.kill('SIGKILL');
  await expect.poll(async () => (await job()).state).toBe('died');
  const { page } = await openPage(server);
  await signInOn(page, 'alice');
  const { id } = await job();
  await page.goto(`/jobs/${id}`);
  await page.getByText(en.job.died).waitFor();
  await server.ask(`jobs/${id}/resume`, { body: {}, headers });
  site.release();
  await countOf(page, en.outcomes.changed, 2).waitFor();
  await page.getByText(en.job.allWell).waitFor();
});
