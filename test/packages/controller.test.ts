/** The package of a controller: what it brings, what it leaves to the operator, and that its purge leaves nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { version } from '../../src/cli/version.ts';
import { EARLIER } from './build-packages.ts';
import { bootMachine } from './machine.ts';
import { everything } from './site.ts';

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
