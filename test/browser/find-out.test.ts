/** What one looks up on the page: what hosts have in common, what became of one, how two jobs differ; and its addresses. */
import { expect, test } from 'vitest';
import { en } from '../../src/web/app/text/en.ts';
import { realSite } from '../support/real-site.ts';
import { addUser, jobDone, signIn, startServer } from '../web/web-site.ts';
import { openPage, signInOn } from './open-page.ts';

test('facets narrow the choice, and say how many hosts have a value', async () => {
  const site = await realSite(0, () => '');
  const host = (name: string, os: string) => ({ name, uri: '127.0.0.1:9', facts: { os: { name: os } } });
  const names = ['web1.example.com', 'web2.example.com', 'db1.example.com'];
  site.inventory({ targets: names.map((name, index) => host(name, index === 2 ? 'Rocky' : 'Debian')) });
  site.controllerYaml({ puppetdb: false });
  addUser(site, 'alice', '--role', 'operator');
  const server = await startServer(site);
  const { page } = await openPage(server);
  await signInOn(page, 'alice');
  await page.getByLabel(en.kick.all).check();
  await page.getByRole('button', { name: en.kick.narrow }).click();
  await page.getByRole('button', { name: 'Rocky 1' }).waitFor();
  await page.getByRole('button', { name: 'Debian 2' }).click();
  await page.getByRole('heading', { name: en.kick.ofKnown('2', '3') }).waitFor();
  await expect.poll(() => page.getByLabel(en.kick.facts).inputValue()).toBe('os.name=Debian');
  await page.getByRole('button', { name: 'Debian 2', pressed: true }).click();
  await page.getByRole('heading', { name: en.kick.ofKnown('3', '3') }).waitFor();
  expect(await page.getByLabel(en.kick.facts).inputValue()).toBe('');
});

test('two jobs side by side, and the runs of a host', async () => {
  const site = await realSite(2, (_name, index) =>
    index === 0 ? 'echo begin >>"$JOURNAL"; held; exit 2' : 'exit 0',
  );
  site.release();
  addUser(site, 'alice', '--role', 'operator');
  const server = await startServer(site);
  const headers = await signIn(server, 'alice');
  const run = async (body: object) => (await server.ask('jobs', { body, headers })).json.job;
  const [one, all] = ['web1.example.com', { choice: { all: true } }];
  const first = await run(all);
  await jobDone(server, first, headers);
  site.hold();
  const second = await run({ ...all, reason: 'again' });
  await expect
    .poll(async () => (await server.ask(`jobs/${second}`, { headers })).json.counts.unchanged)
    .toBe(1);
  await expect.poll(() => site.journal(one)).toEqual(['begin', 'begin']);
  await server.ask(`jobs/${second}/cancel`, { body: {}, headers });
  await jobDone(server, second, headers);

  const { page, complaints } = await openPage(server);
  await signInOn(page, 'alice');
  await page.goto(`/jobs/${second}`);
  await page.getByRole('link', { name: en.compare.link }).click();
  await page.getByLabel(en.compare.first).selectOption(first);
  const row = page.getByRole('row').filter({ hasText: 'example.com' });
  await row.getByText(en.outcomes.cancelled).waitFor();
  await expect.poll(() => row.count()).toBe(1);
  expect(await row.textContent()).toContain(en.outcomes.changed);
  await page.waitForURL((url) => url.searchParams.get('a') === first);

  await row.getByRole('link', { name: one }).click();
  await page.getByRole('heading', { name: en.host.runs }).waitFor();
  const line = page.getByRole('row').filter({ hasText: 'again' });
  await line.getByText(en.outcomes.cancelled, { exact: true }).waitFor();
  await line.getByRole('link').click();
  await page.getByRole('dialog').getByText(en.job.hostPage).waitFor();
  expect(complaints).toEqual([]);
});

test('what is typed into a filter is one step of the history, and its address brings it back', async () => {
  const site = await realSite(2, () => 'exit 0');
  addUser(site, 'alice', '--role', 'operator');
  const server = await startServer(site);
  const { page } = await openPage(server);
  await signInOn(page, 'alice');
  await page.getByRole('link', { name: en.nav.fleet }).click();
  await page.getByText('web1.example.com').waitFor();
  const steps = await page.evaluate(() => history.length);
  const filter = page.getByLabel(en.common.search);
  await filter.pressSequentially('web2');
  await page.waitForURL(/name=web2$/);
  await page.getByText('web1.example.com').waitFor({ state: 'detached' });
  expect(await page.evaluate(() => history.length)).toBe(steps);
  await page.reload();
  await page.getByText('web2.example.com').waitFor();
  expect(await filter.inputValue()).toBe('web2');
  await filter.press('Escape');
  await page.getByText('web1.example.com').waitFor();
  await page.waitForURL((url) => url.search === '');
});
