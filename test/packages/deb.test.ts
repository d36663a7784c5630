/** The life of the Debian packages on one machine: installed, kicked, upgraded in the middle of a run, removed, purged. */
import { existsSync } from 'node:fs';
import { describe, expect, inject, test } from 'vitest';
import { version } from '../../src/cli/version.ts';
import { ended } from '../support/kick.ts';
import { EARLIER } from './build-packages.ts';
import { bootMachine, type Machine, type RootName } from './machine.ts';
import { everything, mainPid, NODE, packageSite, RUN } from './site.ts';

const { debs } = inject('packages');

const isActive = (machine: Machine) => machine.run('systemctl', 'is-active', 'kick-agent').out.trim();

describe.each<RootName>(['debian12', 'debian13'])('%s', (root) => {
  test('installed, kicked, upgraded in the middle of a run, removed and purged', async () => {
    const machine = await bootMachine(root);
    const before = everything(machine);
    const site = packageSite(machine);
    machine.write('/etc/kick/agent.yaml', JSON.stringify({ runner: 'command', command: RUN }));
    machine.must('dpkg', '--force-confold', '-i', machine.bring(debs[EARLIER]?.agent ?? ''));
    expect(machine.must('systemctl', 'is-enabled', 'kick-agent').trim()).toBe('enabled');
    await expect.poll(async () => (await site.kick('ping', NODE)).out).toContain(EARLIER);

    machine.must('systemctl', 'reload', 'kick-agent');
    const first = mainPid(machine);
    const kick = ended(site.startKick(NODE));
    await expect.poll(site.isRunning).toBe(true);
    machine.must('dpkg', '--force-confold', '-i', machine.bring(debs[version()]?.agent ?? ''));
    expect(mainPid(machine)).not.toBe(first);
    await expect.poll(async () => (await site.kick('ping', NODE)).out).toContain(version());
    expect(site.isRunning()).toBe(true);
    site.endRun();
    expect(await kick).toMatchObject({ code: 0, out: expect.stringContaining('changed') });

    machine.must('dpkg', '--remove', 'kick-agent');
    expect(isActive(machine)).not.toBe('active');
    expect(existsSync(machine.path('/etc/kick/agent.yaml'))).toBe(true);
    machine.must('dpkg', '--force-confold', '-i', machine.bring(debs[version()]?.agent ?? ''));
    await expect.poll(async () => (await site.kick('ping', NODE)).out).toContain(version());
    // What root's kick makes on a node that has never had the package kick.
    machine.must('mkdir', '-p', '/var/lib/kick/jobs', '/var/lib/kick/locks/nightly');
    machine.must('dpkg', '--purge', 'kick-agent');
    machine.must('rm', '-r', '/etc/kick');
    expect(everything(machine)).toBe(before);
  });
});

test('where the socket holds the port: a sleeping agent is upgraded and answers, and nothing is left of the socket', async () => {
  const machine = await bootMachine('debian13');
  const before = everything(machine);
  const site = packageSite(machine);
  machine.write('/etc/kick/agent.yaml', JSON.stringify({ runner: 'command', command: RUN }));
  const install = (wanted: string) =>
    machine.must('dpkg', '--force-confold', '-i', machine.bring(debs[wanted]?.agent ?? ''));
  install(EARLIER);
  expect(machine.run('systemctl', 'is-enabled', 'kick-agent.socket').out.trim()).toBe('disabled');
  machine.must('systemctl', 'disable', '--now', 'kick-agent.service');
  machine.must('systemctl', 'enable', '--now', 'kick-agent.socket');
  expect((await site.kick('ping', NODE)).out).toContain(EARLIER);
  machine.must('systemctl', 'stop', 'kick-agent.service');
  install(version());
  expect(isActive(machine)).toBe('inactive');
  expect((await site.kick('ping', NODE)).out).toContain(version());
  machine.must('dpkg', '--remove', 'kick-agent');
  install(version());
  expect(machine.run('systemctl', 'is-active', 'kick-agent.socket').out.trim()).toBe('active');
  expect((await site.kick('ping', NODE)).out).toContain(version());
  machine.must('dpkg', '--purge', 'kick-agent');
  expect(machine.run('systemctl', 'is-active', 'kick-agent.socket').out.trim()).toBe('inactive');
  machine.must('rm', '-r', '/etc/kick');
  expect(everything(machine)).toBe(before);
});

test('upgraded by the run that kick started: it goes on, and its outcome arrives', async () => {
  const machine = await bootMachine('debian13');
  const site = packageSite(machine);
  const later = machine.bring(debs[version()]?.agent ?? '');
  const command = ['/bin/sh', '-c', `dpkg --force-confold -i ${later} && exit 2`];
  machine.write('/etc/kick/agent.yaml', JSON.stringify({ runner: 'command', command }));
  machine.must('dpkg', '--force-confold', '-i', machine.bring(debs[EARLIER]?.agent ?? ''));
  await expect.poll(async () => (await site.kick('ping', NODE)).out).toContain(EARLIER);
  const first = mainPid(machine);
  expect(await site.kick(NODE)).toMatchObject({ code: 0, out: expect.stringContaining('changed') });
  expect(mainPid(machine)).not.toBe(first);
  expect((await site.kick('ping', NODE)).out).toContain(version());
});
