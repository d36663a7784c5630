/** What became of a host: its changes and log in a job and on its own page, also on a phone; and the fleet's catalogs. */
import { expect, test } from 'vitest';
import { en } from '../../src/web/app/text/en.ts';
import { jobDone, signIn, startServer } from '../web/web-site.ts';
import { fleetSite } from './fleet-site.ts';
import { openPage, signInOn } from './open-page.ts';
import { tooWide } from './too-wide.ts';

async function doneJob(hosts: number) {
  const server = await startServer(await fleetSite('changed=1', hosts, { isTold: true }));
  const headers = await signIn(server, 'alice');
  const ask = async (body: object) => (await server.ask('jobs', { body, headers })).json.job;
  const job = await ask({ choice: { all: true }, reason: 'a reason' });
  await jobDone(server, job, headers);
  const { hosts: rows } = (await server.ask(`jobs/${job}/hosts`, { headers })).json;
  return { server, headers, ask, job, names: rows.map(({ certname }: { certname: string }) => certname) };
}

test('a host of a job has its changes, its log with diffs, its catalog and where its time went', async () => {
  const { server, job, names } = await doneJob(8);
  const { page, complaints } = await openPage(server);
  await signInOn(page, 'alice');
  await page.goto(`/jobs/${job}?tab=changes`);
  const group = page.locator('.group').filter({ hasText: 'gzip.conf' });
  await group.getByRole('button').first().click();
  const drawer = page.getByRole('dialog');
  await drawer.getByText('production-4be1f7a', { exact: true }).waitFor();
  await drawer.locator('.log .added', { hasText: 'gzip_comp_level 5' }).waitFor();
  await drawer.locator('.log .removed', { hasText: 'gzip_comp_level 1' }).waitFor();
  await drawer.getByLabel(en.job.level).selectOption('err');
  await drawer.getByText(en.job.noLogMatch).waitFor();

  await page.goto(`/hosts/${names[0]}`);
  const last = page.getByRole('region', { name: en.host.lastLog });
  await last.getByText('Applied catalog').waitFor();
  await last.getByRole('link', { name: en.job.title(job.slice(-8)) }).waitFor();
  // What is not known is not shown as if it were.
  expect(await page.locator('.facts dd', { hasText: /^(–|0 sec)$/ }).count()).toBe(0);
  expect(complaints).toEqual([]);
});

test('catalogs of the fleet are counted, and each leads to its hosts', async () => {
  const { server, headers, ask, names } = await doneJob(3);
  const second = await ask({ choice: { hosts: [names[0]] }, action: { environment: 'staging' } });
  await jobDone(server, second, headers);
  const { page } = await openPage(server);
  await signInOn(page, 'alice');
  await page.goto('/fleet?tab=summary');
  await page.getByRole('link', { name: 'production-4be1f7a' }).waitFor();
  await page.getByRole('link', { name: 'staging-4be1f7a' }).click();
  const rows = page.getByRole('row').filter({ hasText: 'example' });
  await expect.poll(() => rows.count()).toBe(1);
  expect(await rows.textContent()).toContain(names[0]);
  await page.getByRole('button', { name: 'staging-4be1f7a' }).click();
  await expect.poll(() => rows.count()).toBe(3);
});

test('nothing of a job or a host is cut off on a phone', async () => {
  const { server, job, names } = await doneJob(4);
  const { page } = await openPage(server, { viewport: { width: 360, height: 740 } });
  await signInOn(page, 'alice');
  for (const path of [`/jobs/${job}?tab=changes`, `/jobs/${job}?host=${names[0]}`, `/hosts/${names[0]}`]) {
    await page.goto(path);
    await page
      .getByText(/profile\/manifests/)
      .first()
      .waitFor();
    expect(await tooWide(page), path).toEqual([]);
  }
  await page.goto(`/jobs/${job}?host=${names[0]}`);
  const drawer = page.getByRole('dialog');
  const title = await drawer.getByRole('heading', { name: en.job.log }).boundingBox();
  const search = await drawer.getByLabel(en.job.logSearch).boundingBox();
  expect((title?.x ?? 0) + (title?.width ?? 0)).toBeLessThanOrEqual(search?.x ?? 0);
});
