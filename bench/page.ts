/** The page in Debian's Chromium on a large job: how soon it can be used, and how long its tasks are while news come. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium, type Page } from 'playwright-core';
import { sleep } from '../src/util/clock.ts';
import { DEFAULTS } from '../tools/fleet/plan.ts';
import { type Fleet, startFleet } from '../tools/fleet/start-fleet.ts';
import { isInstalled } from '../tools/installed.ts';
import { ROOT } from '../tools/program.ts';
import { addAccount, type ServeProcess, startServe } from '../tools/serve-process.ts';
import type { Row } from './measure.ts';

const USER = { name: 'alice', password: 'a password of the bench' };

/** Fifty hosts a second, each of which is asked, accepts, begins and ends. */
const EVENTS_A_SECOND = 200;
const RUN_MS = 2000;
const CONCURRENCY = (EVENTS_A_SECOND / 4) * (RUN_MS / 1000);

const WATCH_MS = 20_000;
const CHROMIUM = '/usr/bin/chromium';

export async function pageRows({ hosts, keep }: { hosts: number; keep: string }): Promise<Row[]> {
  const size = sizeRow();
  if (!isInstalled('chromium')) {
    const what = `the page with ${hosts} hosts`;
    return [size, { what, value: '-', beside: 'needs chromium', promised: 'no task over 200 ms' }];
  }
  const shape = { ...DEFAULTS.shape, times: { kind: 'fixed', ms: RUN_MS } } as const;
  const fleet = await startFleet({ ...DEFAULTS, hosts, keep, shape });
  addAccount(USER, { kickArgs: fleet.kickArgs(), options: ['--role', 'operator'] });
  const web = await startServe(fleet.kickArgs());
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    return [size, ...(await jobPageRows({ fleet, web, browser }))];
  } finally {
    await browser.close();
    await web.process.kill();
    await fleet.stop();
  }
}

/** What index.html names is the first view. */
function sizeRow(): Row {
  const app = join(ROOT, 'dist', 'web', 'app');
  const index = readFileSync(join(app, 'index.html'), 'utf8');
  const first = readdirSync(join(app, 'assets')).filter(
    (name) => name.endsWith('.js') && index.includes(name),
  );
  const bytes = first.reduce(
    (sum, name) => sum + gzipSync(readFileSync(join(app, 'assets', name))).length,
    0,
  );
  return {
    what: 'JavaScript of the first view, gzipped',
    value: `${Math.round(bytes / 1000)} kB`,
    beside: `${first.length} files`,
    promised: '<= 250 kB',
    figures: { bytes },
  };
}

interface Parts {
  fleet: Fleet;
  web: ServeProcess;
  browser: Browser;
}

async function jobPageRows({ fleet, web, browser }: Parts): Promise<Row[]> {
  const page = await signedInPage(web, browser);
  const alice = await web.signIn(USER);
  const { job } = await alice.ask('jobs', { choice: { all: true }, concurrency: CONCURRENCY });
  await sleep(5000);
  // The first time fills the browser's cache.
  await openJob(page, job);
  const interactiveMs = await openJob(page, job);
  const used = await useFor(page, WATCH_MS);
  // A small fleet is done by now.
  await alice.ask(`jobs/${job}/cancel`, {}).catch(() => undefined);
  const hosts = fleet.names.length;
  const rate = `${EVENTS_A_SECOND} events a second for ${WATCH_MS / 1000} s, sorted, filtered and scrolled meanwhile`;
  return [
    {
      what: `the page of a job of ${hosts} hosts, to its first row`,
      value: `${Math.round(interactiveMs)} ms`,
      beside: 'from the beginning of the navigation, on loopback',
      promised: '<= 1000 ms',
      figures: { interactiveMs },
    },
    {
      what: '  its longest task after it has loaded',
      value: `${Math.round(used.longestMs)} ms`,
      beside: `${used.count} over 50 ms; ${rate}`,
      promised: '<= 200 ms',
      figures: { longestMs: used.longestMs, over50ms: used.count },
    },
  ];
}

async function signedInPage({ process: { port } }: ServeProcess, browser: Browser): Promise<Page> {
  const context = await browser.newContext({
    ...{ baseURL: `https://127.0.0.1:${port}`, ignoreHTTPSErrors: true },
    viewport: { width: 1280, height: 860 },
  });
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  await page.goto('/');
  await page.getByLabel('Name').fill(USER.name);
  await page.getByLabel('Password', { exact: true }).fill(USER.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Kick', exact: true }).waitFor();
  await page.addInitScript(() => {
    const seen = window as unknown as { tasks: number[]; firstRowAt?: number };
    seen.tasks = [];
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) seen.tasks.push(duration);
    }).observe({ type: 'longtask' });
    new MutationObserver((_changes, observer) => {
      if (document.querySelector('[data-rows] [role="row"][tabindex="0"]') === null) return;
      seen.firstRowAt = performance.now();
      observer.disconnect();
    }).observe(document, { subtree: true, childList: true });
  });
  return page;
}

/** Milliseconds from the navigation to the first row. */
async function openJob(page: Page, job: string): Promise<number> {
  await page.goto(`/jobs/${job}`);
  await page.waitForFunction(() => (window as unknown as { firstRowAt?: number }).firstRowAt !== undefined);
  const ms = await page.evaluate(() => (window as unknown as { firstRowAt: number }).firstRowAt);
  // It has loaded when it knows all hosts.
  await page.waitForLoadState('networkidle').catch(() => undefined);
  await sleep(3000);
  return ms;
}

/** As a person would, while news come. */
async function useFor(page: Page, ms: number): Promise<{ longestMs: number; count: number }> {
  await page.evaluate(() => {
    (window as unknown as { tasks: number[] }).tasks.length = 0;
  });
  const until = performance.now() + ms;
  const filter = page.locator('[data-search]').first();
  const columns = page.getByRole('columnheader').getByRole('button');
  for (let turn = 0; performance.now() < until; turn++) {
    if (turn % 4 === 0) await filter.fill(turn % 8 === 0 ? '1' : '');
    if (turn % 4 === 1 && (await columns.count()) > 0)
      await columns.nth(turn % (await columns.count())).click();
    await page.mouse.move(600, 600);
    await page.mouse.wheel(0, 3000);
    await sleep(500);
  }
  const tasks = await page.evaluate(() => (window as unknown as { tasks: number[] }).tasks);
  return { longestMs: Math.max(0, ...tasks), count: tasks.length };
}
