/**
 * The life of the RPM packages: by rpm itself, with its scriptlets, on Debian 12 booted with systemd. Their dependencies are those of
 * Fedora and RHEL, and are not asked for here.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { version } from '../../src/cli/version.ts';
import { ended } from '../support/kick.ts';
import { tempFolder } from '../support/temp.ts';
import { EARLIER, EARLIER_PART, LATER } from './build-packages.ts';
import { bootMachine, type Machine } from './machine.ts';
import { mainPid, NODE, packageSite, RUN } from './site.ts';

const { rpms } = inject('packages');

/** With a database of its own: Debian's rpm keeps it in our home, where the next test would find it. */
function rpmOf(machine: Machine) {
  const database = tempFolder();
  return (...words: string[]) =>
    machine.ours('rpm', (root) => [
      ...['--root', root, '--dbpath', database],
      ...['--force-debian', '--nodeps', ...words],
    ]);
}

test('installed, kicked, upgraded in the middle of a run, with a bad agent.yaml, and erased', async () => {
  const machine = await bootMachine('debian12');
  const rpm = rpmOf(machine);
  const upgrade = (wanted: string) => {
    const { agent = '', controller = '' } = rpms[wanted] ?? {};
    return rpm('-U', agent, controller);
  };
  const site = packageSite(machine);
  const answers = (wanted: string) =>
    expect.poll(async () => (await site.kick('ping', NODE)).out).toContain(wanted);
  expect(upgrade(EARLIER)).toMatchObject({ code: 0 });
  expect(machine.must('systemctl', 'is-enabled', 'kick-agent').trim()).toBe('enabled');
  expect(machine.run('systemctl', 'is-enabled', 'kick-serve').out.trim()).toBe('disabled');
  const agentYaml = JSON.stringify({ runner: 'command', command: RUN });
  machine.write('/etc/kick/agent.yaml', agentYaml);
  machine.must('systemctl', 'restart', 'kick-agent');
  await answers(EARLIER);

  const first = mainPid(machine);
  const kick = ended(site.startKick(NODE));
  await expect.poll(site.isRunning).toBe(true);
  expect(upgrade(version())).toMatchObject({ code: 0 });
  expect(mainPid(machine)).not.toBe(first);
  await answers(version());
  site.endRun();
  expect(await kick).toMatchObject({ code: 0, out: expect.stringContaining('changed') });
  expect(readFileSync(machine.path('/etc/kick/agent.yaml'), 'utf8')).toBe(agentYaml);
  expect(existsSync(machine.path(join('/usr/lib/kick/parts', EARLIER_PART)))).toBe(true);

  machine.write('/etc/kick/agent.yaml', 'to_come: true\n');
  expect(upgrade(LATER).err).toMatch(/not restarted[\s\S]*to_come[\s\S]*systemctl restart kick-agent/);
  await answers(version());
  machine.write('/etc/kick/agent.yaml', agentYaml);
  machine.must('systemctl', 'restart', 'kick-agent');
  await answers(LATER);
  expect(existsSync(machine.path(join('/usr/lib/kick/parts', EARLIER_PART)))).toBe(false);

  expect(rpm('-e', 'kick', 'kick-agent')).toMatchObject({ code: 0 });
  expect(machine.run('systemctl', 'is-active', 'kick-agent').out.trim()).toBe('inactive');
  expect(machine.run('systemctl', 'is-enabled', 'kick-agent').code).not.toBe(0);
  for (const gone of [
    '/usr/lib/kick',
    '/usr/bin/kick',
    '/etc/kick/agent.yaml',
    '/etc/systemd/system/multi-user.target.wants/kick-agent.service',
  ])
    expect(existsSync(machine.path(gone)), gone).toBe(false);
  // As RPM does: what was edited is kept.
  expect(readFileSync(machine.path('/etc/kick/agent.yaml.rpmsave'), 'utf8')).toBe(agentYaml);
});

test('an upgrade that fails in the middle leaves the version before whole, also for the next upgrade', async () => {
  const machine = await bootMachine('debian12');
  const rpm = rpmOf(machine);
  const upgrade = (wanted: string) => rpm('-U', rpms[wanted]?.agent ?? '');
  expect(upgrade(EARLIER)).toMatchObject({ code: 0 });
  const part = machine.path(join('/usr/lib/kick/parts', EARLIER_PART));
  machine.must('sh', '-ec', 'cd /usr/lib/kick; mount --bind page page; mount -o remount,bind,ro page');
  for (const _try of [1, 2]) {
    expect(upgrade(version()).code).not.toBe(0);
    expect(machine.must('kick', '--version')).toContain(EARLIER);
    expect(existsSync(part)).toBe(true);
  }
  machine.must('umount', '/usr/lib/kick/page');
  expect(upgrade(version())).toMatchObject({ code: 0 });
  expect(machine.must('kick', '--version')).toContain(version());
  expect(existsSync(part)).toBe(true);
  expect(existsSync(machine.path('/usr/lib/kick/unfinished'))).toBe(false);
  expect(upgrade(LATER)).toMatchObject({ code: 0 });
  expect(existsSync(part)).toBe(false);
});
