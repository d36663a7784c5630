/** The flow of Kick: with the keyboard alone, with completion, and from a look to what is applied. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { en } from '../../src/web/app/text/en.ts';
import { realSite } from '../support/real-site.ts';
import { addUser, jobDone, PASSWORD, signIn, startServer } from '../web/web-site.ts';
import { fleetSite } from './fleet-site.ts';
import { openPage, signInOn } from './open-page.ts';

test('from signing in to the log of a host with the keyboard alone', async () => {
  const site = await realSite(3, (_name, index) => (index === 1 ? 'held; exit 2' : 'exit 0'));
  site.inventory({ groups: [{ name: 'web', targets: [...site.names] }] });
  addUser(site, 'alice', '--role', 'operator');
  const server = await startServer(site);
  const { page, complaints } = await openPage(server);
  const { keyboard } = page;
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
  await page.goto('/');
  await page.locator(':focus').waitFor();
  await keyboard.type('alice');
  await keyboard.press('Tab');
  await keyboard.type(PASSWORD);
  await keyboard.press('Enter');
  await page.getByRole('combobox', { name: en.kick.expression }).waitFor();

  // A host by its beginning, then a group by Tab.
  await keyboard.type('web2');
  await page.getByRole('option', { name: 'web2.example.com' }).waitFor();
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await keyboard.type('@w');
  await page.getByRole('option', { name: '@web' }).waitFor();
  await keyboard.press('Tab');
  const expression = page.getByRole('combobox', { name: en.kick.expression });
  expect(await expression.inputValue()).toBe('web2.example.com @web ');
  await page.getByRole('heading', { name: en.kick.ofKnown('3', '3') }).waitFor();

  await tabTo(page, en.kick.own);
  await keyboard.press('ArrowRight');
  await page.getByText(en.kick.noopHint).waitFor();
  await keyboard.press('Control+Enter');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: en.kick.goNoop('3 hosts') })
    .waitFor();
  await expect.poll(focused).toBe(en.kick.goNoop('3 hosts'));
  await keyboard.press('Enter');

  await page.getByRole('heading', { name: `${en.job.noop} · 3 hosts` }).waitFor();
  await page.getByRole('row').getByText('web3.example.com').waitFor();
  await keyboard.press('j');
  await keyboard.press('j');
  await expect.poll(focused).toContain('web2.example.com');
  await keyboard.press('Enter');
  await page.getByRole('dialog').getByText('web2.example.com').waitFor();
  await keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await keyboard.press('/');
  await keyboard.type('web3');
  await page.getByRole('row').getByText('web2.example.com').waitFor({ state: 'detached' });
  site.release();
  expect(complaints).toEqual([]);
});

/** With nothing to complete Tab leaves the expression, and comes to everything after it. */
async function tabTo(page: Page, name: string): Promise<void> {
  const radio = page.getByRole('radio', { name });
  for (let steps = 0; !(await radio.evaluate((one) => one === document.activeElement)); steps++) {
    expect(steps).toBeLessThan(20);
    await page.keyboard.press('Tab');
  }
}

test('a word that could go on says how, and Escape leaves it as it is', async () => {
  const site = await realSite(2, () => 'exit 0');
  addUser(site, 'alice', '--role', 'operator');
  const server = await startServer(site);
  const { page } = await openPage(server);
  await signInOn(page, 'alice');
  const field = page.getByRole('combobox', { name: en.kick.expression });
  await field.pressSequentially('exam');
  await page.getByRole('option', { name: 'web1.example.com' }).waitFor();
  expect(await field.getAttribute('aria-expanded')).toBe('true');
  await field.press('Escape');
  await page.getByRole('option').first().waitFor({ state: 'detached' });
  expect(await field.inputValue()).toBe('exam');
  await field.pressSequentially('ple');
  await page.getByRole('option', { name: 'web2.example.com' }).click();
  expect(await field.inputValue()).toBe('web2.example.com ');
  await page.getByRole('heading', { name: en.kick.ofKnown('1', '2') }).waitFor();
});

test('a look that is applied is named, and it is said where the catalog has changed since', async () => {
  const site = await fleetSite('changed=1', 3, { isTold: true });
  const server = await startServer(site);
  const headers = await signIn(server, 'alice');
  const run = async (body: object) => {
    const { job } = (await server.ask('jobs', { body, headers })).json;
    await jobDone(server, job, headers);
    return job;
  };
  const look = await run({ choice: { all: true }, action: { noop: true } });
  const { page } = await openPage(server);
  await signInOn(page, 'alice');
  await page.goto(`/jobs/${look}`);
  await page.getByRole('link', { name: en.job.apply('3') }).click();
  await page.getByText(en.kick.fromJobVersion('production-4be1f7a')).waitFor();
  expect(await page.getByLabel(en.kick.why).inputValue()).toBe(en.kick.fromReason(look.slice(-8)));
  expect(await page.getByText(/^The catalog has changed since/).count()).toBe(0);

  const [{ certname }] = (await server.ask(`jobs/${look}/hosts`, { headers })).json.hosts;
  await run({ choice: { hosts: [certname] }, action: { noop: true, environment: 'staging' } });
  await page.reload();
  await page.getByText(en.kick.fromJobNewer('1 host', 'staging-4be1f7a')).waitFor();
  await page.getByRole('button', { name: en.kick.preview }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(en.kick.fromJobNewer('1 host', 'staging-4be1f7a')).waitFor();
  await dialog.getByRole('button', { name: en.kick.go('3 hosts') }).click();
  await page.getByText(`“${en.kick.fromReason(look.slice(-8))}”`).waitFor();
});
