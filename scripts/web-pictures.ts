/**
 * The pictures of the page in docs/web.md, from a demo site: `npm run picture:web`. With a folder, every page in both themes,
 * wide and narrow, to look at: `npm run picture:web -- /tmp/pages`. It needs Debian's Chromium.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { ROOT } from '../tools/program.ts';
import { type WebStage, webStage } from './picture/web-stage.ts';

interface Shot {
  name: string;
  address: string;
  /** What is there once it is drawn. */
  text: string;
  /** In the documents as well. */
  isShown?: true;
  act?(page: Page): Promise<void>;
}

type StorageState = NonNullable<BrowserContextOptions['storageState']>;
type Theme = 'light' | 'dark';
const THEMES: readonly Theme[] = ['light', 'dark'];
const [WIDE, SHOWN, NARROW] = [
  { width: 1440, height: 900 },
  { width: 1200, height: 760 },
  { width: 360, height: 800 },
];
const QUALITY = 70;

const shots = ({ done, looked, live }: WebStage): Shot[] => [
  { name: 'job-live', address: `/jobs/${live}`, text: 'web01.example.com' },
  { name: 'kick', address: '/kick?hosts=%40web%20db*', text: 'db01.example.com', isShown: true },
  { name: 'kick-empty', address: '/kick', text: 'Choose hosts' },
  {
    ...{ name: 'kick-plan', address: '/kick?hosts=%40web', text: 'web01.example.com' },
    act: async (page) => {
      await page.keyboard.press('Control+Enter');
      await page.getByRole('dialog').getByRole('button').last().waitFor();
    },
  },
  { name: 'kick-from', address: `/kick?from=${looked}`, text: 'would change' },
  { name: 'job', address: `/jobs/${done}`, text: 'web01.example.com', isShown: true },
  { name: 'job-changes', address: `/jobs/${done}?tab=changes`, text: 'Package[openssl]', isShown: true },
  { name: 'job-failures', address: `/jobs/${done}?tab=failures`, text: 'failed' },
  { name: 'job-host', address: `/jobs/${done}?host=web01.example.com`, text: 'Applied catalog' },
  { name: 'job-noop', address: `/jobs/${looked}`, text: 'web01.example.com' },
  { name: 'jobs', address: '/jobs', text: 'CHG-2057' },
  { name: 'fleet', address: '/fleet', text: 'web01.example.com', isShown: true },
  {
    ...{ name: 'fleet-selected', address: '/fleet?name=web', text: 'web01.example.com' },
    act: (page) => page.getByRole('checkbox').first().check(),
  },
  { name: 'fleet-summary', address: '/fleet?tab=summary', text: 'Slowest runs' },
  { name: 'fleet-doctor', address: '/fleet?tab=doctor', text: 'controller-not-allowed' },
  { name: 'schedules', address: '/schedules', text: 'weekly-web', isShown: true },
  { name: 'schedule', address: '/schedules?name=weekly-web', text: 'Last times' },
  { name: 'schedule-edit', address: '/schedules?name=weekly-web&edit=yes', text: 'Time zone' },
  { name: 'compare', address: `/compare?a=${looked}&b=${done}`, text: 'build01.example.com' },
  {
    ...{ name: 'kick-facets', address: '/kick?all=yes', text: 'web01.example.com' },
    act: async (page) => {
      await page.getByText('Narrow the choice').click();
      await page.getByText('What they have in common').waitFor();
    },
  },
  { name: 'host', address: '/hosts/web01.example.com', text: 'Findings' },
  { name: 'audit', address: '/audit', text: 'POST /jobs' },
  { name: 'users', address: '/users', text: 'carol' },
  { name: 'tokens', address: '/tokens', text: 'deploy pipeline' },
  { name: 'api', address: '/api-docs', text: '/hosts/resolve' },
  { name: 'nowhere', address: '/nowhere', text: 'no such page' },
];

const [folder] = process.argv.slice(2);
const only = process.argv[3]?.split(',');
const stage = await webStage();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const state = await signIn(stage);
  if (folder === undefined) await forDocuments(state);
  else await forLooking(state, folder);
} finally {
  await browser.close();
  await stage.site.stop();
}

async function forDocuments(storageState: StorageState): Promise<void> {
  const target = join(ROOT, 'docs', 'pictures');
  mkdirSync(target, { recursive: true });
  for (const colorScheme of THEMES) {
    const page = await open({ storageState, colorScheme, viewport: SHOWN });
    for (const shot of shots(stage)) {
      if (shot.isShown) await take(page, shot, join(target, `web-${shot.name}-${colorScheme}.webp`));
    }
  }
}

async function forLooking(storageState: StorageState, target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  const looks = [
    ...[WIDE, NARROW].flatMap((viewport) =>
      THEMES.map((colorScheme) => ({ viewport, colorScheme, locale: 'en' })),
    ),
    ...THEMES.map((colorScheme) => ({ viewport: WIDE, colorScheme, locale: 'zh-CN' })),
  ];
  for (const look of looks) {
    const nameOf = (name: string) =>
      join(
        target,
        `${name}-${look.viewport.width}-${look.colorScheme}${look.locale === 'en' ? '' : '-zh'}.png`,
      );
    const stranger = await open(look);
    await take(stranger, { name: 'sign-in', address: '/', text: 'kick user add' }, nameOf('sign-in'));
    const page = await open({ ...look, storageState });
    for (const shot of shots(stage)) {
      if (only === undefined || only.includes(shot.name)) await take(page, shot, nameOf(shot.name));
    }
    await Promise.all([stranger.context().close(), page.context().close()]);
  }
}

async function open(options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({
    ...{ baseURL: stage.site.url, ignoreHTTPSErrors: true, reducedMotion: 'reduce' },
    ...options,
  });
  return context.newPage();
}

async function signIn({ site: { password } }: WebStage): Promise<StorageState> {
  const page = await open({ viewport: WIDE });
  await page.goto('/');
  await page.getByLabel('Name').fill('alice');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Kick', exact: true }).waitFor();
  // Without what the page has kept of the reader: the language is that of each browser.
  const { cookies } = await page.context().storageState();
  return { cookies, origins: [] };
}

async function take(page: Page, { address, text, act }: Shot, path: string): Promise<void> {
  await page.goto(address);
  try {
    await page.getByText(text).first().waitFor({ timeout: 30_000 });
    await act?.(page);
  } catch (error) {
    console.error(`${path}: ${String(error).split('\n')[0]}`);
  }
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(300);
  if (path.endsWith('.png')) return void (await page.screenshot({ path }));
  // Playwright itself makes no WebP.
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY });
  writeFileSync(path, Buffer.from(data, 'base64'));
}
