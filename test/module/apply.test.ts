/** The module applied for real, on a scratch copy of this host. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../tools/program.ts';
import { canMount } from '../support/disks.ts';
import { tempFolder } from '../support/temp.ts';
import { applyCommand, run } from './module.ts';

const SCRATCH_HOST = join(ROOT, 'test', 'lab', 'scratch-host');

/** In place of the agent: it only lives, also when it is told to reload. */
const UNIT = `mkdir -p /etc/fake-systemd
echo '#!/bin/sh
trap : HUP; trap "kill %1; exit" TERM; sleep 1000 & while ! wait %1; do :; done' > /etc/fake-systemd/kick-agent.start
chmod 755 /etc/fake-systemd/kick-agent.start
echo 'kill -HUP $MAINPID' > /etc/fake-systemd/kick-agent.reload`;

/** Applies each in turn. Resolves, for each, to the exit code and what systemd was asked to do. */
async function applyAll(
  dir: string,
  manifests: readonly string[],
): Promise<[exit: number, asked: string[]][]> {
  const commands = manifests.map((manifest) => [
    `${applyCommand(manifest).join(' ')}; echo "exit $?" >> /var/lib/fake-systemd/calls`,
  ]);
  const script = [UNIT, ...commands, 'systemctl stop kick-agent'].join('\n');
  const { out, err } = await run([SCRATCH_HOST, dir, 'sh', '-c', script], { cwd: '/' });
  const calls = readFileSync(join(dir, 'var/lib/fake-systemd/calls'), 'utf8');
  const runs = [...calls.matchAll(/([\s\S]*?)^exit (\d+)\n/gm)];
  expect(runs.length, out + err).toBe(manifests.length);
  return runs.map(([, lines = '', code]) => {
    const asked = lines.split('\n').filter((line) => line !== '' && !/^(is-|show |unmask )/.test(line));
    return [Number(code), asked.map((line) => line.replace(' -- ', ' '))];
  });
}

const site = (config: string) => `
  class { 'kick': install_method => 'none' }
  class { 'kick::agent': config => { ${config} } }
  class { 'kick::controller':
    config    => { domain => 'example.com' },
    inventory => { targets => ['a.example.com'] },
  }`;

test.skipIf(!canMount)(
  'a second run changes nothing; a policy is reloaded, a port is a restart',
  async () => {
    const dir = tempFolder();

    const runs = await applyAll(dir, [
      site('port => 8140'),
      site('port => 8140'),
      site("port => 8140, controllers => ['deploy.example.com']"),
      site("port => 8141, controllers => ['deploy.example.com']"),
    ]);

    expect(runs).toEqual([
      [2, ['try-restart kick-agent.service', 'start kick-agent', 'enable kick-agent']],
      [0, []],
      [2, ['reload kick-agent.service']],
      [2, ['try-restart kick-agent.service', 'reload kick-agent.service']],
    ]);
    const textOf = (name: string) => readFileSync(join(dir, 'etc/kick', name), 'utf8');
    expect(textOf('agent.yaml')).toBe(
      '# Managed by Puppet\n---\nport: 8141\ncontrollers:\n- deploy.example.com\n',
    );
    expect(textOf('controller.yaml')).toBe('# Managed by Puppet\n---\ndomain: example.com\n');
    expect(textOf('inventory.yaml')).toBe('# Managed by Puppet\n---\ntargets:\n- a.example.com\n');
  },
);
