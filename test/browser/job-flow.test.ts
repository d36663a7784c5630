/** From signing in to the result of a job, with the real server and real agents, in every language of the page. */
import { expect, test } from 'vitest';
import { en } from '../../src/web/app/text/en.ts';
import { realSite } from '../support/real-site.ts';
import { addUser, startServer } from '../web/web-site.ts';
import { fleetSite } from './fleet-site.ts';
import { countOf, openPage, SPOKEN, signInOn } from './open-page.ts';

test.each(SPOKEN)('a job from signing in to its result, in $locale', async ({ locale, t }) => {
  const site = await realSite(3, (_name, index) => `held; exit ${index === 1 ? 1 : 2}`);
  addUser(site, 'alice', '--role', 'operator');
  const server = await startServer(site);
  const { page, complaints } = await openPage(server, { locale });
  await signInOn(page, 'alice', t);

  const expression = page.getByLabel(t.kick.expression, { exact: true });
  await expression.fill('web[1-');
  await page.getByText(/column 4/).waitFor();
  await expression.fill('web[1-3]');
  await page.getByRole('heading', { name: t.kick.ofKnown('3', '3') }).waitFor();
  await page.keyboard.press('Control+Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByText(t.kick.plan).waitFor();
  await dialog.getByRole('button', { name: t.kick.go(t.common.hosts(3, '3')) }).click();

  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
  const row = page.getByRole('row').filter({ hasText: 'web2.example.com' });
  await row.getByText(t.job.live.running).waitFor();
  site.release();
  await countOf(page, t.outcomes.changed, 2).waitFor();
  await countOf(page, t.outcomes.failed, 1).click();
  await page.waitForURL((url) => url.search === '?outcome=failed');
  await page.getByRole('button', { name: t.job.rerun('1') }).waitFor();
  await expect.poll(() => page.getByRole('row').filter({ hasText: 'example.com' }).count()).toBe(1);
  await row.click();
  await page.getByRole('dialog').getByText(t.job.log, { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  await page.getByRole('link', { name: t.nav.jobs }).click();
  await page.getByText(`${t.job.run} · ${t.common.hosts(3, '3')}`).waitFor();
  expect(complaints).toEqual([]);
});

test('what a look would change is applied to exactly those hosts', async () => {
  const server = await startServer(await fleetSite('would-change=3,unchanged=1', 4));
  const { page } = await openPage(server);
  await signInOn(page, 'alice');
  await page.getByLabel(en.kick.all).check();
  await page.getByText(en.kick.noop, { exact: true }).click();
  await page.getByRole('button', { name: en.kick.preview }).click();
  await page.getByRole('button', { name: en.kick.goNoop('4 hosts') }).click();
  const apply = page.getByRole('link', { name: /^Apply to these \d$/ });
  await apply.waitFor();
  const pending = Number((await apply.textContent())?.at(-1));
  await apply.click();
  const hosts = en.common.hosts(pending, String(pending));
  await page.getByText(/on which something would change, from the look/).waitFor();
  await page.getByRole('button', { name: en.kick.preview }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: en.kick.go(hosts) })
    .click();
  await page.getByRole('heading', { name: `${en.job.run} · ${hosts}` }).waitFor();
});

test('a viewer sees hosts and jobs, and is offered nothing else', async () => {
  const site = await realSite(1, () => 'exit 0');
  addUser(site, 'victor', '--role', 'viewer');
  const server = await startServer(site);
  const { page } = await openPage(server);
  await signInOn(page, 'victor');
  await page.getByText(en.kick.readOnly).waitFor();
  expect(await page.getByRole('button', { name: en.kick.preview }).isDisabled()).toBe(true);
  expect(await page.getByRole('link', { name: en.nav.audit }).count()).toBe(0);
});
