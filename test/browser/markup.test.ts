/** Markup in whatever hosts, people and addresses say: every page shows it as text, and runs nothing of it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { en } from '../../src/web/app/text/en.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { serveHostile, talking } from '../support/hostile-agents.ts';
import { startKick } from '../support/kick.ts';
import { tempFolder } from '../support/temp.ts';
import { addUser, jobDone, signIn, startServer } from '../web/web-site.ts';
import { openPage, signInOn } from './open-page.ts';

const CONTROLLER = 'puppet.example.com';

/** Shorter than the shortest field. Where it became an element, its handler would fail, or the policy of the server say no. */
const MARKUP = '<img src=x: onerror=hacked()>';

async function markedSite() {
  const folder = tempFolder();
  const ca = mintCa();
  const agents = ['failed', 'changed', 'would-change'].map((outcome, choice) =>
    talking(`web${choice + 1}.example.com`, { text: MARKUP, choice }, { outcome }),
  );
  const port = await serveHostile(ca, agents);
  const [etc, pki] = [join(folder, 'etc'), join(folder, 'pki')];
  mkdirSync(etc);
  ca.write(pki, ca.issue(CONTROLLER));
  const targets = agents.map(({ certname }) => ({
    ...{ name: certname, uri: `127.0.0.1:${port}` },
    facts: { os: { name: MARKUP } },
  }));
  writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify({ targets }));
  writeFileSync(join(etc, 'controller.yaml'), JSON.stringify({ puppetdb: false }));
  const env = {
    ...{ KICK_CONFIG_DIR: etc, KICK_STATE_DIR: join(folder, 'state'), KICK_PKI_DIR: pki },
    ...{ KICK_CERTNAME: CONTROLLER, NO_COLOR: '1' },
  };
  return { env, start: (...words: string[]) => startKick(words, { env }) };
}

test('what looks like markup is text', async () => {
  const site = await markedSite();
  addUser(site, 'root', '--role', 'admin');
  const server = await startServer(site);
  const headers = await signIn(server, 'root');
  const body = { choice: { all: true }, reason: MARKUP };
  const { job } = (await server.ask('jobs', { body, headers })).json;
  await jobDone(server, job, headers);
  const schedule = { name: 'often', cron: '0 3 * * *', zone: 'UTC', ...body };
  expect((await server.ask('schedules', { body: schedule, headers })).status).toBe(200);
  expect((await server.ask('schedules/often/run', { body: {}, headers })).status).toBe(202);
  expect((await server.ask('tokens', { body: { name: MARKUP }, headers })).status).toBe(201);

  const { page, complaints } = await openPage(server);
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await signInOn(page, 'root');
  const written = encodeURIComponent(MARKUP);
  const shows: [string, string][] = [
    ['/jobs', MARKUP],
    [`/jobs/${job}`, MARKUP],
    [`/jobs/${job}?name=${written}`, ''],
    [`/compare?a=${job}&b=${written}`, ''],
    ['/schedules', 'often'],
    ['/fleet', MARKUP],
    ['/hosts/web1.example.com', MARKUP],
    [`/hosts/${written}`, ''],
    [`/jobs/${written}`, ''],
    ['/tokens', MARKUP],
    ['/audit', MARKUP],
    ['/users', 'root'],
  ];
  for (const [path, text] of shows) {
    await page.goto(path);
    await page.locator('#content').filter({ hasText: /\S/ }).waitFor();
    if (text !== '') await page.getByText(text).first().waitFor({ state: 'attached' });
    expect([path, await page.locator('img[onerror], img[src="x:"]').count()]).toEqual([path, 0]);
  }
  for (const host of [1, 2, 3]) {
    await page.goto(`/jobs/${job}`);
    await page
      .getByRole('row')
      .filter({ hasText: `web${host}.example.com` })
      .click();
    await page.getByRole('dialog').getByText(MARKUP).first().waitFor({ state: 'attached' });
    expect(await page.locator('img[onerror], img[src="x:"]').count()).toBe(0);
  }
  // What the hosts have in common is counted as long as nothing is chosen; a choice that cannot be read has nothing to count.
  await page.goto('/kick');
  await page.getByRole('button', { name: en.kick.narrow }).click();
  await page.getByRole('button', { name: MARKUP }).first().waitFor();
  const expression = page.getByLabel(en.kick.expression, { exact: true });
  await expression.fill(MARKUP);
  await page.locator('.expression').getByText('<img').waitFor();
  expect(await page.locator('img[onerror], img[src="x:"]').count()).toBe(0);
  expect([dialogs, complaints]).toEqual([[], []]);
});
