/** Every page in both themes, held against WCAG 2.2 AA by axe-core; and what the first view loads. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { ROOT } from '../../tools/program.ts';
import { realSite } from '../support/real-site.ts';
import { addUser, jobDone, signIn, startServer } from '../web/web-site.ts';
import { openPage, signInOn } from './open-page.ts';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** Not committed; for whoever wants to look at them. */
const SCREENSHOTS = join(ROOT, 'screenshots');

/** A page's address, and what is there once it is drawn. */
const PAGES: readonly (readonly [address: (job: string) => string, text: string | RegExp])[] = [
  [() => '/kick?hosts=web*', 'web1.example.com'],
  [() => '/kick?all=yes', 'web1.example.com'],
  [(job) => `/jobs/${job}`, 'web1.example.com'],
  [(job) => `/jobs/${job}?host=web2.example.com`, 'About this host'],
  [(job) => `/jobs/${job}?tab=failures`, 'web2.example.com'],
  [(job) => `/jobs/${job}?tab=changes`, 'Nothing changed'],
  [() => '/jobs', '2 hosts'],
  [(job) => `/compare?a=${job}&b=${job}&show=same`, 'web1.example.com'],
  [() => '/schedules', 'nightly'],
  [() => '/schedules?name=nightly', 'Next times'],
  [() => '/schedules?name=nightly&edit=yes', 'Time zone'],
  [() => '/fleet', 'web1.example.com'],
  [() => '/fleet?tab=summary', 'Slowest runs'],
  // It says of hosts that their folders are on no tmpfs, where they are not.
  [() => '/fleet?tab=doctor', /web1\.example\.com|Nothing is wrong/],
  [() => '/hosts/web1.example.com', 'Findings'],
  [() => '/audit', 'POST /jobs'],
  [() => '/tokens', 'No token yet'],
  [() => '/users', 'alice'],
  [() => '/api-docs', '/hosts/resolve'],
  [() => '/nowhere', 'There is no such page'],
];

const NIGHTLY = { name: 'nightly', cron: '0 3 * * *', zone: 'Europe/Berlin', choice: { all: true } };

test.each(['light', 'dark'] as const)('axe has nothing against any page, %s', async (colorScheme) => {
  const site = await realSite(2, (_name, index) => `echo a line of output; exit ${index === 1 ? 1 : 2}`);
  addUser(site, 'alice', '--role', 'admin');
  const server = await startServer(site);
  const headers = await signIn(server, 'alice');
  const { json } = await server.ask('jobs', { body: { choice: { all: true }, reason: 'a try' }, headers });
  await expect.poll(async () => (await server.ask(`jobs/${json.job}`, { headers })).json.state).toBe('done');
  await server.ask('schedules', { body: NIGHTLY, headers });
  const { page, complaints } = await openPage(server, { colorScheme });
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.goto('/');
  await page.getByRole('button').first().waitFor();
  const found = { '/': await violationsOf(page) };
  await signInOn(page, 'alice');
  for (const [address, text] of PAGES) {
    const path = address(json.job);
    await page.goto(path);
    await page.getByText(text).first().waitFor();
    await page.waitForFunction(() => document.querySelector('[aria-busy="true"]') === null);
    Object.assign(found, { [path]: await violationsOf(page) });
    const name = path.replace(json.job, '').replaceAll(/\W+/g, '-');
    await page.screenshot({ path: join(SCREENSHOTS, `test${name}-${colorScheme}.png`) });
  }
  expect(Object.fromEntries(Object.entries(found).filter(([, violations]) => violations.length > 0))).toEqual(
    {},
  );
  expect(complaints).toEqual([]);
});

/** By the debugger, which the policy of the server does not keep out. */
async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    (values) => (window as unknown as { axe: typeof axe }).axe.run({ runOnly: { type: 'tag', values } }),
    TAGS,
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}

test('no page is wider than a phone', async () => {
  const site = await realSite(2, () => 'exit 2');
  addUser(site, 'alice', '--role', 'admin');
  const server = await startServer(site);
  const headers = await signIn(server, 'alice');
  const { json } = await server.ask('jobs', { body: { choice: { all: true } }, headers });
  await server.ask('schedules', { body: NIGHTLY, headers });
  const { page } = await openPage(server, { viewport: { width: 360, height: 740 } });
  await signInOn(page, 'alice');
  for (const [address] of PAGES) {
    await page.goto(address(json.job));
    await page.locator('h1, h2').first().waitFor();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width, address(json.job)).toBeLessThanOrEqual(360);
  }
  const second = await server.ask('jobs', { body: { choice: { all: true } }, headers });
  const compare = `/compare?a=${json.job}&b=${second.json.job}&show=same`;
  for (const { job } of [json, second.json]) await jobDone(server, job, headers);
  for (const address of [`/jobs/${json.job}`, '/fleet', '/kick?hosts=web*', compare]) {
    await page.goto(address);
    const name = page.getByRole('row').getByText('web1.example.com');
    await name.waitFor();
    expect((await name.boundingBox())?.width, address).toBeGreaterThan(100);
  }
});

test('the first view loads less than 250 kB of JavaScript', () => {
  const app = join(ROOT, 'dist', 'web', 'app');
  const index = readFileSync(join(app, 'index.html'), 'utf8');
  const scripts = readdirSync(join(app, 'assets')).filter((name) => name.endsWith('.js'));
  const sizeOf = (names: readonly string[]) =>
    names.reduce((sum, name) => sum + gzipSync(readFileSync(join(app, 'assets', name))).length, 0);
  const first = sizeOf(scripts.filter((name) => index.includes(name)));
  console.log(`JavaScript, gzipped: ${kB(first)} for the first view, ${kB(sizeOf(scripts))} in all`);
  expect(first).toBeGreaterThan(50_000);
  expect(first).toBeLessThan(250_000);
});

const kB = (bytes: number) => `${Math.round(bytes / 1000)} kB`;
