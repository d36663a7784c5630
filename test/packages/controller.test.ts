/** The package of a controller: what it brings, what it leaves to the operator, and that its purge leaves nothing. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { version } from '../../src/cli/version.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { EARLIER, LATER } from './build-packages.ts';
import { bootMachine } from './machine.ts';
import { everything, mainPid, NODE } from './site.ts';

const { debs } = inject('packages');

test('installed beside a masked agent, upgraded and purged', async () => {
  const machine = await bootMachine('debian13');
  const install = (wanted: string) => {
    const { agent = '', controller = '' } = debs[wanted] ?? {};
    return machine.must('dpkg', '-i', machine.bring(agent), machine.bring(controller));
  };
  machine.must('systemctl', 'mask', 'kick-agent');
  const before = everything(machine);
  install(EARLIER);
  // Whoever wants no agent on a controller masks it before, and it stays so.
  for (const [unit, state] of [
    ['kick-agent', 'masked'],
    ['kick-serve', 'disabled'],
  ] as const) {
    expect(machine.run('systemctl', 'is-enabled', unit).out.trim()).toBe(state);
    expect(machine.run('systemctl', 'is-active', unit).out.trim()).toBe('inactive');
  }
  expect(machine.must('getent', 'passwd', 'kick')).toContain(':/var/lib/kick:/usr/sbin/nologin');
  expect(
    machine.must('bash', '-c', '. /usr/share/bash-completion/completions/kick; complete -p kick'),
  ).toContain('_kick');
  for (const name of [
    'zsh/vendor-completions/_kick',
    'fish/vendor_completions.d/kick.fish',
    'man/man1/kick.1.gz',
  ])
    expect(existsSync(machine.path(`/usr/share/${name}`)), name).toBe(true);
  expect(readFileSync(machine.path('/usr/share/doc/kick/examples/kick.cron'), 'utf8')).toContain(
    'kick --all',
  );
  expect(machine.must('kick', '--version')).toContain(EARLIER);
  install(version());
  expect(machine.run('systemctl', 'is-enabled', 'kick-agent').out.trim()).toBe('masked');
  expect(machine.must('kick', '--version')).toContain(version());
  machine.must('dpkg', '--purge', 'kick', 'kick-agent');
  expect(everything(machine)).toBe(before);
  expect(machine.run('getent', 'passwd', 'kick').code).toBe(2);
});

test('kick serve beside an agent that was there before: it serves as its own user, and is restarted by an upgrade', async () => {
  const machine = await bootMachine('debian12');
  const install = (wanted: string, kind: 'agent' | 'controller') =>
    machine.must('dpkg', '-i', machine.bring(debs[wanted]?.[kind] ?? ''));
  const ssl = machine.path('/etc/puppetlabs/puppet/ssl');
  mkdirSync(ssl, { recursive: true });
  const ca = mintCa();
  ca.write(ssl, ca.issue(NODE));
  machine.must(
    'chmod',
    '-R',
    'a+rX',
    '/etc/puppetlabs/puppet/ssl/certs',
    '/etc/puppetlabs/puppet/ssl/crl.pem',
  );
  install(EARLIER, 'agent');
  await expect.poll(() => machine.run('stat', '-c', '%a', '/var/lib/kick').out.trim()).toBe('700');
  install(EARLIER, 'controller');
  machine.must('systemctl', 'enable', '--now', 'kick-serve');
  const ask = `require('node:https').get('https://127.0.0.1:8443/', {rejectUnauthorized: false}, (r) => { console.log(r.statusCode); r.destroy(); })`;
  const serves = () => expect.poll(() => machine.run('/usr/lib/kick/node', '-e', ask).out.trim()).toBe('200');
  await serves();
  expect(machine.must('stat', '-c', '%U', '/var/lib/kick/web').trim()).toBe('kick');
  const first = mainPid(machine, 'kick-serve');
  // kick-agent alone, as a script for all nodes does it: kick stays, and its server does not go on without its parts.
  install(version(), 'agent');
  await serves();
  const second = mainPid(machine, 'kick-serve');
  expect(second).not.toBe(first);
  expect(machine.must('dpkg-query', '--show', 'kick', 'kick-agent')).toBe(
    `kick\t${EARLIER}\nkick-agent\t${version()}\n`,
  );
  const { agent = '', controller = '' } = debs[LATER] ?? {};
  machine.must('dpkg', '-i', machine.bring(agent), machine.bring(controller));
  await serves();
  expect(mainPid(machine, 'kick-serve')).not.toBe(second);
  machine.must('dpkg', '--remove', 'kick');
  expect(machine.run('systemctl', 'is-active', 'kick-serve').out.trim()).toBe('inactive');
  expect(machine.run('systemctl', 'is-active', 'kick-agent').out.trim()).toBe('active');
});
