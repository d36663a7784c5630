/** Schedules on the page: made, run, paused, changed, deleted, by those who may. */
import { expect, test } from 'vitest';
import { en } from '../../src/web/app/text/en.ts';
import { realSite } from '../support/real-site.ts';
import { addUser, signIn, startServer } from '../web/web-site.ts';
import { openPage, signInOn } from './open-page.ts';

test('a schedule is made, refused where it is wrong, run, paused, changed and deleted', async () => {
  const site = await realSite(1, () => 'exit 2');
  addUser(site, 'alice', '--role', 'operator');
  const server = await startServer(site);
  const { page, complaints } = await openPage(server);
  await signInOn(page, 'alice');
  await page.getByRole('link', { name: en.nav.schedules }).click();
  await page.getByText(en.schedules.emptyTitle).waitFor();

  await page.getByRole('button', { name: en.schedules.make }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel(en.schedules.name).fill('nightly');
  await form.getByLabel(en.schedules.when).fill('99 3 * * *');
  await form.getByLabel(en.schedules.zone).fill('Europe/Berlin');
  await form.getByLabel(en.kick.all).check();
  await form.getByText(en.kick.noop, { exact: true }).click();
  await form.getByRole('button', { name: en.schedules.save }).click();
  await form.getByText(/Invalid value for minute: 99/).waitFor();
  await form.getByLabel(en.schedules.when).fill('0 3 * * *');
  await form.getByRole('button', { name: en.schedules.save }).click();

  const drawer = page.getByRole('dialog').filter({ hasText: en.schedules.nextTimes });
  await drawer.getByText('0 3 * * * · Europe/Berlin').waitFor();
  expect(await drawer.getByRole('listitem').count()).toBe(5);
  await drawer.getByRole('button', { name: en.schedules.runNow }).click();
  await page.getByRole('heading', { name: `${en.job.noop} · 1 host` }).waitFor();
  await page.goBack();
  await drawer.getByText(en.schedules.results.started).waitFor();

  await drawer.getByRole('button', { name: en.schedules.pause, exact: true }).click();
  await drawer.getByText(en.schedules.pausedHint).waitFor();
  await drawer.getByRole('button', { name: en.schedules.edit }).click();
  await form.getByLabel(en.common.reason).fill('drift');
  await form.getByRole('button', { name: en.schedules.save }).click();
  await drawer.getByText('drift', { exact: true }).waitFor();
  const headers = await signIn(server, 'alice');
  expect((await server.ask('schedules', { headers })).json.schedules).toMatchObject([
    { name: 'nightly', choice: { all: true }, action: { noop: true }, paused: true, reason: 'drift' },
  ]);

  await drawer.getByRole('button', { name: en.schedules.remove }).click();
  await drawer.getByRole('button', { name: en.schedules.sure }).click();
  await page.getByText(en.schedules.emptyTitle).waitFor();
  expect(complaints).toEqual([]);
});

test('a viewer sees schedules, and is offered nothing', async () => {
  const site = await realSite(0, () => '');
  addUser(site, 'alice', '--role', 'operator');
  addUser(site, 'victor', '--role', 'viewer');
  const server = await startServer(site);
  const body = { name: 'nightly', cron: '0 3 * * *', zone: 'UTC', choice: { all: true } };
  await server.ask('schedules', { body, headers: await signIn(server, 'alice') });
  const { page } = await openPage(server);
  await signInOn(page, 'victor');
  await page.goto('/schedules?name=nightly');
  const drawer = page.getByRole('dialog');
  await drawer.getByText(en.schedules.noHistory).waitFor();
  expect(await page.getByRole('button', { name: en.schedules.make }).count()).toBe(0);
  expect(await drawer.getByRole('button', { name: en.schedules.runNow }).count()).toBe(0);
});
