/** Debian's Chromium with a page of a server, as a person of a language and a taste has it. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { afterAll, onTestFinished } from 'vitest';
import { en, type Text } from '../../src/web/app/text/en.ts';
import { zh } from '../../src/web/app/text/zh.ts';
import { PASSWORD, type WebServer } from '../web/web-site.ts';

const CHROMIUM = '/usr/bin/chromium';

/** Only ends a test that hangs. */
const PATIENCE_MS = 300_000;
/** In which a Chromium opens its first page, however busy the machine. */
const START_MS = 90_000;

export const SPOKEN: readonly { locale: string; t: Text }[] = [
  { locale: 'en-US', t: en },
  { locale: 'zh-CN', t: zh },
];

export interface OpenPage {
  page: Page;
  /** What the page complained of: scripts that failed, what the policy of the server forbade. */
  complaints: string[];
}

/** One for the pages of a file: a page has a context of its own, which shares nothing with others. */
let browser: Promise<Browser> | undefined;

afterAll(async () => (await browser)?.close());

export async function openPage(server: WebServer, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await openContext({
    baseURL: `https://127.0.0.1:${server.port}`,
    // Its certificate is from a CA of the test.
    ignoreHTTPSErrors: true,
    viewport: { width: 1280, height: 860 },
    reducedMotion: 'reduce',
    ...options,
  });
  onTestFinished(() => context.close());
  context.setDefaultTimeout(PATIENCE_MS);
  const [page = await context.newPage()] = context.pages();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    // Of a status that the page expects, or a network that is gone, the browser tells by itself.
    if (message.type() === 'error' && !/^Failed to load resource/.test(text)) complaints.push(text);
  });
  return { page, complaints };
}

/** With a page. On a busy machine a Chromium has been seen to start and never open one: then another is started. */
async function openContext(options: BrowserContextOptions): Promise<BrowserContext> {
  for (let tries = 1; ; tries++) {
    browser ??= chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    const started = await browser;
    const opening = started.newContext(options).then(async (context) => {
      await context.newPage();
      return context;
    });
    const opened = await Promise.race([opening, sleep(START_MS, undefined, { ref: false })]);
    if (opened !== undefined) return opened;
    if (tries === 3) throw new Error(`${CHROMIUM} opened no page within ${START_MS} ms, ${tries} times`);
    opening.catch(() => {});
    void started.close();
    browser = undefined;
  }
}

export async function signInOn(page: Page, name: string, t: Text = en): Promise<void> {
  await page.goto('/');
  await page.getByLabel(t.signIn.name).fill(name);
  await page.getByLabel(t.signIn.password, { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: t.signIn.go }).click();
  await page.getByRole('heading', { name: t.kick.title, exact: true }).waitFor();
}

/** The button of an outcome with its count, which filters by it. */
export const countOf = (page: Page, outcome: string, count: number) =>
  page.getByRole('button', { name: new RegExp(`^${outcome}\\s*${count}$`) });
