/** DESIGN 15: controllers of the last release and of today share jobs and locks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AGENT, CONTROLLER, noted, PAIRS, versionSite } from './versions.ts';

const hostIn = (out: string) => JSON.parse(out).hosts[0];

test.each(PAIRS)(
  'jobs of the %s controller are listed, shown and run again by the %s one',
  async (before, after) => {
    const site = versionSite('fails');
    await site.agent('new');
    await site.kick(before, AGENT, '--reason', 'a reason');
    const list = await site.kick(after, 'jobs', '--format', 'json');
    expect(JSON.parse(list.out)).toMatchObject([{ reason: 'a reason', counts: { failed: 1 } }]);
    const shown = await site.kick(after, 'jobs', 'show', 'last', '--format', 'json');
    expect(hostIn(shown.out)).toMatchObject({ outcome: 'failed', message: 'Error: it does not work' });
    expect(await site.kick(after, 'rerun', 'last')).toMatchObject({ code: 1 });
    expect(JSON.parse((await site.kick(before, 'jobs', '--format', 'json')).out)).toHaveLength(2);
  },
);

test.each(PAIRS)('a job whose %s controller was killed is resumed by the %s one', async (before, after) => {
  const site = versionSite();
  await site.agent('new');
  const killed = site.start(before, AGENT);
  await expect.poll(() => noted(site)).toHaveLength(1);
  killed.kill('SIGKILL');
  await expect.poll(async () => (await site.kick(after, 'jobs')).out).toContain('died');
  const resumed = site.kick(after, 'jobs', 'resume', 'last', '--format', 'json');
  site.release();
  expect(hostIn((await resumed).out)).toMatchObject({ outcome: 'changed' });
  expect(noted(site)).toHaveLength(2);
  expect((await site.kick(before, 'jobs')).out).toContain('1 changed');
});

test.each(PAIRS)('a lock of the %s controller keeps out the %s one', async (holder, other) => {
  const site = versionSite();
  await site.agent('new');
  const held = site.kick(holder, AGENT, '--lock', 'nightly', '--format', 'json');
  await expect.poll(() => noted(site)).toHaveLength(1);
  expect(await site.kick(other, AGENT, '--lock', 'nightly')).toMatchObject({
    code: 75,
    err: expect.stringContaining('held by pid'),
  });
  const waits = site.start(other, AGENT, '--lock', 'nightly', '--lock-wait', '1h');
  site.release();
  expect(hostIn((await held).out)).toMatchObject({ outcome: 'changed' });
  // Only now may it begin.
  await expect.poll(() => noted(site)).toHaveLength(3);
  waits.kill('SIGKILL');
  expect(noted(site).map((line) => line.split(' ')[0])).toEqual(['begin', 'end', 'begin']);
});

test('a job that the old controller runs is running for the new one, which resumes it only when it is over', async () => {
  const site = versionSite();
  await site.agent('new');
  const running = site.kick('old', AGENT);
  await expect.poll(() => noted(site)).toHaveLength(1);
  expect((await site.kick('new', 'jobs')).out).toContain('running');
  expect(await site.kick('new', 'jobs', 'resume', 'last')).toMatchObject({ code: 2 });
  site.release();
  expect(await running).toMatchObject({ code: 0 });
});

test('a job of the new controller that the old one has resumed is running as well', async () => {
  const site = versionSite();
  await site.agent('new');
  const killed = site.start('new', AGENT);
  await expect.poll(() => noted(site)).toHaveLength(1);
  killed.kill('SIGKILL');
  await expect.poll(async () => (await site.kick('new', 'jobs')).out).toContain('died');
  const resumed = site.kick('old', 'jobs', 'resume', 'last');
  await expect.poll(async () => (await site.kick('old', 'jobs')).out).toContain('running');
  expect((await site.kick('new', 'jobs')).out).toContain('running');
  expect(await site.kick('new', 'jobs', 'resume', 'last')).toMatchObject({ code: 2 });
  site.release();
  expect(await resumed).toMatchObject({ code: 0 });
});

test('the old controller does not see that the new one runs a job: both follow the same run', async () => {
  const site = versionSite();
  await site.agent('new');
  const running = site.kick('new', AGENT, '--format', 'json');
  await expect.poll(() => noted(site)).toHaveLength(1);
  const resumed = site.kick('old', 'jobs', 'resume', 'last', '--format', 'json');
  await expect.poll(async () => (await site.kick('old', 'jobs')).out).toContain('running');
  site.release();
  expect(hostIn((await running).out)).toMatchObject({ outcome: 'changed' });
  expect(hostIn((await resumed).out)).toMatchObject({ outcome: 'changed' });
  expect(noted(site)).toHaveLength(2);
});

test('configuration of the release is configuration of today', async () => {
  const site = versionSite('ok');
  site.agentYaml({
    ...JSON.parse(readFileSync(site.at('etc', 'agent.yaml'), 'utf8')),
    controllers: ['other.example.com', { name: CONTROLLER, ops: ['run', 'cancel'], noop_only: false }],
    ...{ trust_pp_cli_auth: false, bind: '127.0.0.1', run_environment: { A: 'b' }, environment_files: [] },
    ...{ run_timeout: '1h', queue_size: 5, stuck_after: 60, metrics_file: site.at('agent.prom') },
    ...{ pull: { runinterval: '12h', splay: false, catalog: 'new', noop: false }, log_level: 'debug' },
  });
  writeFileSync(
    site.at('etc', 'controller.yaml'),
    JSON.stringify({
      ...{ port: 8140, concurrency: 3, domain: 'example.com', confirm_above: 5, puppetdb: false },
      ...{ address_from: 'facts.networking.ip', metrics_file: site.at('kick.prom') },
      groups: { some: { nodes: 'web*', concurrency: 1 } },
    }),
  );
  for (const age of ['old', 'new'] as const) {
    const agent = await site.agent(age);
    site.inventory({ groups: [{ name: 'all-web', targets: [AGENT] }] });
    for (const by of ['old', 'new'] as const) {
      const { code, err } = await site.kick(by, '--group', 'all-web');
      expect(code, err).toBe(0);
    }
    await agent.kill();
  }
});
