/** What can go wrong with the Debian packages: the agent of before goes on, and the operator is told. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { version } from '../../src/cli/version.ts';
import { ROOT } from '../../tools/program.ts';
import { tempFolder } from '../support/temp.ts';
import { EARLIER, EARLIER_PART, LATER } from './build-packages.ts';
import { bootMachine, type Machine } from './machine.ts';
import { mainPid, NODE, packageSite, RUN } from './site.ts';

const { debs } = inject('packages');
const GOOD = JSON.stringify({ runner: 'command', command: RUN });

const dpkg = (machine: Machine, wanted: string) =>
  machine.run('dpkg', '--force-confold', '-i', machine.bring(debs[wanted]?.agent ?? ''));

async function withEarlier(machine: Machine) {
  const site = packageSite(machine);
  machine.write('/etc/kick/agent.yaml', GOOD);
  expect(dpkg(machine, EARLIER).code).toBe(0);
  const answers = (wanted: string) =>
    expect.poll(async () => (await site.kick('ping', NODE)).out).toContain(wanted);
  await answers(EARLIER);
  return { site, answers };
}

test.each([
  ['has a key of a newer version', 'runner: command\nto_come: true\n', 'to_come'],
  ['does not parse', 'runner: [command\n', 'agent.yaml:2: '],
])('an agent.yaml that %s: the old agent goes on, and the upgrade says so', async (_what, bad, why) => {
  const machine = await bootMachine('debian12');
  const { answers } = await withEarlier(machine);
  const first = mainPid(machine);
  machine.write('/etc/kick/agent.yaml', bad);
  const upgrade = dpkg(machine, version());
  expect(upgrade.code).toBe(0);
  for (const text of [
    'not restarted',
    'agent.yaml',
    why,
    'kick agent --check',
    'systemctl restart kick-agent',
  ])
    expect(upgrade.err).toContain(text);
  expect(mainPid(machine)).toBe(first);
  await answers(EARLIER);

  // What the old agent may still load is there until the next upgrade.
  const part = machine.path(join('/usr/lib/kick/parts', EARLIER_PART));
  expect(existsSync(part)).toBe(true);
  machine.write('/etc/kick/agent.yaml', GOOD);
  machine.must('systemctl', 'restart', 'kick-agent');
  await answers(version());
  expect(dpkg(machine, LATER).code).toBe(0);
  await answers(LATER);
  expect(existsSync(part)).toBe(false);
});

test('a disk that is full in the middle of the upgrade: the version before works on, and the next try succeeds', async () => {
  const machine = await bootMachine('debian12');
  const { site, answers } = await withEarlier(machine);
  machine.must(
    'sh',
    '-ec',
    'mount -t tmpfs -o size=150M tmpfs /mnt; cp -a /usr/lib/kick/. /mnt; mount --bind /mnt /usr/lib/kick',
  );
  const first = mainPid(machine);
  const upgrade = dpkg(machine, version());
  expect(upgrade.code).not.toBe(0);
  expect(upgrade.err).toContain('No space left on device');
  expect(machine.must('dpkg', '--status', 'kick-agent')).toMatch(
    new RegExp(`^Status: install ok installed$[^]*^Version: ${EARLIER}$`, 'm'),
  );
  expect(machine.must('kick', '--version')).toContain(EARLIER);
  expect(mainPid(machine)).toBe(first);
  await answers(EARLIER);
  machine.must('systemctl', 'restart', 'kick-agent');
  await answers(EARLIER);
  const run = site.startKick(NODE);
  await expect.poll(site.isRunning).toBe(true);
  machine.must('mount', '-o', 'remount,size=500M', '/mnt');
  expect(dpkg(machine, version()).code).toBe(0);
  await answers(version());
  site.endRun();
  await expect.poll(() => run.exitCode).toBe(0);
});

test('a package for another processor is refused', async () => {
  const machine = await bootMachine('debian13');
  const folder = tempFolder();
  execFileSync('dpkg-deb', ['--raw-extract', debs[version()]?.agent ?? '', join(folder, 'raw')]);
  const control = join(folder, 'raw/DEBIAN/control');
  const own = machine.must('dpkg', '--print-architecture').trim();
  const other = own === 'arm64' ? 'amd64' : 'arm64';
  writeFileSync(
    control,
    readFileSync(control, 'utf8').replace(`Architecture: ${own}`, `Architecture: ${other}`),
  );
  execFileSync('dpkg-deb', ['-Znone', '--build', join(folder, 'raw'), join(folder, 'other.deb')]);
  const { code, err } = machine.run('dpkg', '-i', machine.bring(join(folder, 'other.deb')));
  expect(code).not.toBe(0);
  expect(err).toContain(`package architecture (${other}) does not match system (${own})`);
  expect(existsSync(machine.path('/usr/lib/kick'))).toBe(false);
});

test('a unit of a checkout, which cannot start the package: the operator is told, and what docs/upgrading.md says helps', async () => {
  const machine = await bootMachine('debian13');
  const site = packageSite(machine);
  const unit = '/etc/systemd/system/kick-agent.service';
  machine.write(unit, readFileSync(join(ROOT, 'packaging/systemd/kick-agent.service'), 'utf8'));
  machine.must('systemctl', 'enable', 'kick-agent');
  expect(dpkg(machine, version()).err).toContain(`${unit} is that of a checkout`);
  machine.must('rm', unit);
  machine.must('systemctl', 'daemon-reload');
  machine.must('systemctl', 'reenable', 'kick-agent');
  machine.must('systemctl', 'restart', 'kick-agent');
  await expect.poll(async () => (await site.kick('ping', NODE)).out).toContain(version());
  expect(dpkg(machine, version()).err).not.toContain('checkout');
});
