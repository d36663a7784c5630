/** The page in a browser with real Puppet behind it: look, read what would change, apply to exactly that host. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { en } from '../../src/web/app/text/en.ts';
import { isInstalled } from '../../tools/installed.ts';
import { countOf, openPage, signInOn } from '../browser/open-page.ts';
import { startKick } from '../support/kick.ts';
import { addUser, startServer } from '../web/web-site.ts';
import { AGENTS } from './agents.ts';
import { controllerFor, startAgent, useLab } from './harness.ts';
import { calm, messageOn, newMessage } from './runs.ts';

const lab = useLab();
const [agent] = AGENTS.page;
const certname = lab.certnameOf(agent);

/** Where this lab runs in a folder of its own, there is no browser. */
const hasBrowser = isInstalled('chromium');

test.runIf(hasBrowser)('look, see what would change, apply: by real Puppet', async () => {
  const running = await startAgent(lab, agent);
  await calm(lab, agent);
  const home = join(lab.dir, 'controller-page');
  controllerFor(lab, [running], { home });
  const env = {
    ...{ KICK_CONFIG_DIR: join(home, 'etc'), KICK_STATE_DIR: join(home, 'state') },
    ...{ KICK_PKI_DIR: lab.serverSsl, KICK_CERTNAME: 'puppet.lab', NO_COLOR: '1' },
  };
  const site = { env, start: (...words: string[]) => startKick(words, { env }) };
  addUser(site, 'alice', '--role', 'operator');
  const { page, complaints } = await openPage(await startServer(site));
  await signInOn(page, 'alice');
  const before = messageOn(lab, agent);
  const message = await newMessage(lab, agent);

  await page.getByLabel(en.kick.expression, { exact: true }).fill(certname);
  await page.getByText(en.kick.noop, { exact: true }).click();
  await page.getByRole('button', { name: en.kick.preview }).click();
  await page.getByRole('button', { name: en.kick.goNoop('1 host') }).click();
  await countOf(page, en.outcomes['would-change'], 1).waitFor();
  expect(messageOn(lab, agent)).toBe(before);

  await page.getByRole('link', { name: en.job.apply('1') }).click();
  // Nothing is set for config_version here: each catalog has another.
  await page.getByText(en.kick.fromJobNoVersion).waitFor();
  await page.getByRole('button', { name: en.kick.preview }).click();
  const plan = page.getByRole('dialog');
  await plan.getByRole('button', { name: en.kick.go('1 host') }).click();
  await countOf(page, en.outcomes.changed, 1).waitFor();
  expect(messageOn(lab, agent)).toBe(message);

  await page.getByRole('row').filter({ hasText: certname }).click();
  await page
    .getByRole('dialog')
    .getByText(/managed.message\]$/)
    .first()
    .waitFor();
  expect(complaints).toEqual([]);
  await running.end('SIGTERM');
});
