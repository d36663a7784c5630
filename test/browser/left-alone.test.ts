/** A page that nobody touches says so with what it asks by itself, so that its session ends. */
import { expect, test } from 'vitest';
import { en } from '../../src/web/app/text/en.ts';
import { realSite } from '../support/real-site.ts';
import { addUser, PASSWORD, signIn, startServer } from '../web/web-site.ts';
import { openPage, signInOn } from './open-page.ts';

test('after a minute without a touch its requests are of the background, and after one no more', async () => {
  const site = await realSite(0, () => '');
  site.inventory({ targets: [{ name: 'web1.example.com', uri: '127.0.0.1:9' }] });
  site.controllerYaml({ puppetdb: false });
  addUser(site, 'alice', '--role', 'operator');
  addUser(site, 'carol', '--role', 'viewer');
  const server = await startServer(site);
  const body = { name: 'nightly', cron: '0 3 * * *', zone: 'UTC', choice: { hosts: ['web1'] } };
  await server.ask('schedules', { body, headers: await signIn(server, 'alice') });
  const { page } = await openPage(server);
  await page.clock.install();
  await signInOn(page, 'alice');
  await page.goto('/schedules');
  await page.getByText('nightly').waitFor();
  /** One that was asked before, and is heard of only now, is not the one. */
  const next = async ({ background }: { background: '1' | undefined }) => {
    const asked = page.waitForRequest(
      (request) =>
        request.url().endsWith('/api/v1/schedules') && request.headers()['x-kick-background'] === background,
    );
    await page.clock.fastForward(16_000);
    await asked;
  };
  await page.mouse.move(100, 100);
  await next({ background: undefined });
  await page.clock.fastForward(61_000);
  await next({ background: '1' });
  await page.mouse.move(200, 200);
  await page.mouse.move(300, 300);
  await next({ background: undefined });

  // Whose session is over is asked to sign in, on the page where they are.
  const [cookie] = (await page.context().cookies()).filter(({ name }) => name === '__Host-kick');
  const headers = { Cookie: `__Host-kick=${cookie?.value}` };
  expect((await server.ask('session', { method: 'DELETE', headers })).status).toBe(204);
  await next({ background: undefined });
  await page.getByLabel(en.signIn.password, { exact: true }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/schedules');
  // Whoever is next sees their own, and first of all nothing of the one before.
  await page.getByLabel(en.signIn.name).fill('carol');
  await page.getByLabel(en.signIn.password, { exact: true }).fill(PASSWORD);
  await page.route('**/api/v1/schedules', () => undefined);
  await page.getByRole('button', { name: en.signIn.go }).click();
  await page.getByRole('heading', { name: en.schedules.title }).waitFor();
  expect(await page.getByText('nightly').count()).toBe(0);
});
