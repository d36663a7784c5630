/** The page Kick at a site with a broker: only the hosts that answer now. */
import { expect, test } from 'vitest';
import { en } from '../../src/web/app/text/en.ts';
import { startNats } from '../support/nats-server.ts';
import { realSite } from '../support/real-site.ts';
import { addUser, startServer } from '../web/web-site.ts';
import { openPage, signInOn } from './open-page.ts';

test('hosts that answer are found without a name, and the silent ones are told', async () => {
  const site = await realSite(3, () => 'exit 0', { nats: startNats });
  site.inventory({ targets: [{ name: 'gone.example.com', via: 'nats' }] });
  addUser(site, 'alice', '--role', 'operator');
  const server = await startServer(site);
  const { page, complaints } = await openPage(server);
  await signInOn(page, 'alice');
  await page.getByLabel(en.kick.discover).check();
  await page.getByRole('row').getByText('web3.example.com').waitFor();
  await page.getByText(/^\d of \d expected hosts answered$/).waitFor();
  await page.getByText(`${en.kick.unanswered}: 1`).click();
  await page.getByText(/gone\.example\.com: silent: its agent is not connected/).waitFor();
  await page.getByRole('combobox', { name: en.kick.expression }).fill('web1');
  await page.getByRole('row').getByText('web3.example.com').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: en.kick.preview }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: en.kick.go('1 host') })
    .waitFor();
  expect(complaints).toEqual([]);
});

test('without a broker it is not offered', async () => {
  const site = await realSite(1, () => 'exit 0');
  addUser(site, 'alice', '--role', 'operator');
  const { page } = await openPage(await startServer(site));
  await signInOn(page, 'alice');
  await page.getByLabel(en.kick.all).waitFor();
  await page.getByRole('combobox', { name: en.kick.expression }).fill('web1');
  await page.getByRole('row').getByText('web1.example.com').waitFor();
  expect(await page.getByLabel(en.kick.discover).count()).toBe(0);
});
