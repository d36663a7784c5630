/** What is at the edge: long names and reasons, no host at all, roles that may little, less motion. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { en } from '../../src/web/app/text/en.ts';
import { ROOT } from '../../tools/program.ts';
import { realSite } from '../support/real-site.ts';
import { addUser, jobDone, signIn, startServer } from '../web/web-site.ts';
import { openPage, signInOn } from './open-page.ts';
import { tooWide } from './too-wide.ts';

const SCREENSHOTS = join(ROOT, 'screenshots');
mkdirSync(SCREENSHOTS, { recursive: true });
const picture = (page: Page, name: string) =>
  page.screenshot({ path: join(SCREENSHOTS, `edge-${name}.png`) });

test.each([360, 1024])('long names and reasons cut nothing off, %d px', async (width) => {
  const name = `a-host-with-a-long-name-01.${'subdomain.'.repeat(8)}example.com`;
  const script = () => `echo ${'word'.repeat(300)}; exit 3`;
  const site = await realSite(1, script, { nameOf: () => name });
  addUser(site, 'alice', '--role', 'admin');
  const server = await startServer(site);
  const headers = await signIn(server, 'alice');
  const choice = { all: true };
  const [words, word] = ['a reason of many words '.repeat(20).trim(), 'x'.repeat(480)];
  for (const reason of [words, word]) {
    const { job } = (await server.ask('jobs', { body: { choice, reason }, headers })).json;
    await jobDone(server, job, headers);
  }
  await server.ask('fleet/disable', { body: { choice, reason: word }, headers });
  const { job } = (await server.ask('jobs', { body: { choice, reason: word }, headers })).json;
  await jobDone(server, job, headers);
  const { page } = await openPage(server, { viewport: { width, height: 740 } });
  await signInOn(page, 'alice');
  const [jobs, host] = [`/jobs/${job}`, `/hosts/${name}`];
  const paths = ['/kick?all=yes', jobs, `${jobs}?host=${name}`, `${jobs}?tab=failures`, '/jobs', '/fleet'];
  const found: Record<string, string[]> = {};
  for (const path of [...paths, '/fleet?tab=doctor', host, '/audit']) {
    await page.goto(path);
    await page
      .getByText(/a-host-with|xxx|Signed/)
      .filter({ visible: true })
      .first()
      .waitFor();
    await page.waitForLoadState('networkidle').catch(() => undefined);
    await picture(page, `long${path.replaceAll(/[^a-z]+/g, '-').slice(0, 40)}-${width}`);
    const wide = await tooWide(page);
    if (wide.length > 0) found[path] = wide;
  }
  expect(found).toEqual({});
});

test('without any host each page says what to do', async () => {
  const site = await realSite(0, () => '');
  site.controllerYaml({ puppetdb: false });
  addUser(site, 'alice', '--role', 'operator');
  const server = await startServer(site);
  const { page, complaints } = await openPage(server);
  await signInOn(page, 'alice');
  const pages = [
    ['/kick', en.fleet.emptyTitle],
    ['/kick?all=yes', en.fleet.emptyTitle],
    ['/fleet', en.fleet.emptyTitle],
    ['/jobs', en.jobs.emptyTitle],
    ['/schedules', en.schedules.emptyTitle],
    ['/tokens', en.admin.noTokens],
    ['/compare', en.compare.pickHint],
  ] as const;
  for (const [path, text] of pages) {
    await page.goto(path);
    await page.getByText(text).waitFor();
    await picture(page, `none${path.replaceAll(/[^a-z]+/g, '-')}`);
  }
  expect(complaints).toEqual([]);
});

test('who may only look at some hosts is offered that, and sees what narrows it', async () => {
  const site = await realSite(3, () => 'exit 0');
  addUser(site, 'bob', '--role', 'operator', '--hosts', 'web1*', '--noop-only');
  const server = await startServer(site);
  const { page } = await openPage(server);
  await signInOn(page, 'bob');
  await page.getByText(en.kick.limited(`web1* · ${en.admin.noopOnly}`)).waitFor();
  expect(await page.getByRole('radio', { name: en.kick.own }).count()).toBe(0);
  await page.getByLabel(en.kick.all).check();
  await page.getByRole('row').getByText('web1.example.com').waitFor();
  await picture(page, 'limited-kick');
  await page.getByRole('button', { name: en.kick.preview }).click();
  await page.getByRole('button', { name: en.kick.goNoop('1 host') }).click();
  await page.getByRole('heading', { name: `${en.job.noop} · 1 host` }).waitFor();
});

test('with reduced motion nothing moves', async () => {
  const site = await realSite(1, () => 'held; exit 2');
  addUser(site, 'alice', '--role', 'operator');
  const server = await startServer(site);
  const headers = await signIn(server, 'alice');
  const { job } = (await server.ask('jobs', { body: { choice: { all: true } }, headers })).json;
  const moving = async (reducedMotion: 'reduce' | 'no-preference') => {
    const { page } = await openPage(server, { reducedMotion });
    await signInOn(page, 'alice');
    await page.goto(`/jobs/${job}`);
    await page.getByText(en.job.live.running).first().waitFor();
    return page.evaluate(() => document.getAnimations().filter((one) => one.playState === 'running').length);
  };
  expect(await moving('no-preference')).toBeGreaterThan(0);
  expect(await moving('reduce')).toBe(0);
  site.release();
});
