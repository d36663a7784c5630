/** A Bolt user's inventory, by the program itself: what is passed over is told once, and refuses nobody who is named. */
import { expect, test } from 'vitest';
import { realSite } from '../support/real-site.ts';

const ODD = {
  description: 'all of it',
  groups: [{ _plugin: 'yaml', filepath: 'x' }],
  targets: [{ name: 'box', uri: 'docker://box' }],
};

test('every command that chooses hosts tells once what it passes over; cron only what may be missing', async () => {
  const { kick, inventory } = await realSite(1, () => 'exit 0');
  inventory(ODD);
  for (const command of ['nodes', 'status', 'ping', 'count', 'run', 'doctor']) {
    const { err } = await kick(command, 'web1.example.com');
    const told = err.split('\n').filter((line) => line.startsWith('kick: warning: '));
    expect(told.map((line) => line.replace(/^.*inventory\.yaml:/, ''))).toEqual([
      expect.stringContaining('1: description: "description" is no key of an inventory'),
      expect.stringContaining(
        '1: groups.0: a group from the plugin "yaml", which kick does not know: skipped (1 place)',
      ),
      expect.stringContaining(
        '1: targets.1: not a host with an agent (Bolt\'s transport "docker"): left out unless named: box',
      ),
    ]);
  }
  const { out, err, code } = await kick('--all', '--quiet');
  expect([out, code]).toEqual(['', 0]);
  expect(err).toMatch(/^kick: warning: .* a group from the plugin "yaml".*\n$/);
});

test('kick nodes --explain tells which port is asked, and why', async () => {
  const { kick, inventory, controllerYaml } = await realSite(0, () => '');
  inventory({
    targets: ['a', 'b:1', 'kick://c:2'],
    groups: [
      { name: 'g', config: { transport: 'ssh' }, targets: ['d:22', { name: 'e', uri: '10.0.0.7:22' }] },
    ],
  });
  const explain = async (...words: string[]) => {
    const { out } = await kick('nodes', '--no-fqdn', '--explain', '--all', ...words);
    return Object.fromEntries(
      out
        .trim()
        .split('\n')
        .map((line) => [line.slice(5, 6), line.replace(/^.*--all; /, '')]),
    );
  };
  const theirs = (at: string) => `(that of ${at} is ssh's; kick's is written kick://host:port)`;
  expect(await explain()).toEqual({
    a: 'port 8139: the default',
    b: 'port 1: from its uri',
    c: 'port 2: from its uri',
    d: `port 8139: the default ${theirs('d:22')}`,
    e: `at 10.0.0.7, port 8139: the default ${theirs('10.0.0.7:22')}`,
  });
  expect(await explain('--port', '7')).toMatchObject({ a: 'port 7: --port', b: 'port 1: from its uri' });
  controllerYaml({ port: 9 });
  expect(await explain()).toMatchObject({ a: 'port 9: port in controller.yaml' });
});
