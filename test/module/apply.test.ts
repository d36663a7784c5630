/** The module applied for real, on a scratch copy of this host. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { KICK, ROOT } from '../../tools/program.ts';
import { canMount } from '../support/disks.ts';
import { tempFolder } from '../support/temp.ts';
import { applyCommand, run } from './module.ts';

const SCRATCH_HOST = join(ROOT, 'test', 'lab', 'scratch-host');

/** In place of the agent: it only lives, also when it is told to reload. */
const UNIT = `mkdir -p /etc/fake-systemd
echo '#!/bin/sh
trap : HUP; trap "kill %1; exit" TERM; sleep 1000 & while ! wait %1; do :; done' > /etc/fake-systemd/kick-agent.start
chmod 755 /etc/fake-systemd/kick-agent.start
printf '#!/bin/sh\\necho "augparse 1.14.0"\\n' > /usr/bin/augparse # else Facter loads all of Augeas to tell its version
chmod 755 /usr/bin/augparse
for unit in kick-agent.socket kick-serve kick-listener kick-helper kick-helper.socket; do cp /etc/fake-systemd/kick-agent.start /etc/fake-systemd/$unit.start; done
echo 'kill -HUP $MAINPID' > /etc/fake-systemd/kick-agent.reload`;

/** The folder of a scratch host on which this program is installed. */
function scratchWithKick(): string {
  const dir = tempFolder();
  mkdirSync(join(dir, 'usr', 'bin'), { recursive: true });
  writeFileSync(join(dir, 'usr/bin/kick'), `#!/bin/sh\nexec ${KICK.join(' ')} "$@"\n`, { mode: 0o755 });
  // Another kick, earlier in PATH, which the service does not run.
  mkdirSync(join(dir, 'usr/local/bin'), { recursive: true });
  writeFileSync(join(dir, 'usr/local/bin/kick'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  return dir;
}

/** Applies each in turn. Resolves, for each, to the exit code and what systemd was asked to do. */
async function applyAll(
  dir: string,
  manifests: readonly string[],
): Promise<[exit: number, asked: string[]][]> {
  const commands = manifests.map((manifest) => [
    `${applyCommand(manifest).join(' ')}; echo "exit $?" >> /var/lib/fake-systemd/calls`,
  ]);
  const script = [
    UNIT,
    ...commands,
    'systemctl stop kick-agent kick-agent.socket kick-serve kick-listener kick-helper.socket',
  ].join('\n');
  const { out, err } = await run([SCRATCH_HOST, dir, 'sh', '-c', script], { cwd: '/' });
  const calls = readFileSync(join(dir, 'var/lib/fake-systemd/calls'), 'utf8');
  const runs = [...calls.matchAll(/([\s\S]*?)^exit (\d+)\n/gm)];
  expect(runs.length, out + err).toBe(manifests.length);
  return runs.map(([, lines = '', code]) => {
    const asked = lines.split('\n').filter((line) => line !== '' && !/^(is-|show |unmask )/.test(line));
    return [Number(code), asked.map((line) => line.replace(' -- ', ' '))];
  });
}

const HANDS_OVER = [
  'daemon-reload',
  'stop kick-agent.socket kick-agent.service',
  'start kick-agent.socket kick-agent.service',
];
const SOCKET_GOES = ['stop kick-agent.socket', 'disable kick-agent.socket'];
const BECOMES_TWO = [
  ...['daemon-reload', 'try-restart kick-helper.service kick-listener.service'],
  ...['stop kick-agent', 'disable kick-agent', 'start kick-helper.socket', 'enable kick-helper.socket'],
  ...['enable kick-helper', 'start kick-listener', 'enable kick-listener'],
];
const BECOMES_ONE = [
  ...['daemon-reload', 'try-restart kick-agent.service', 'stop kick-listener', 'disable kick-listener'],
  ...['stop kick-helper.socket', 'disable kick-helper.socket', 'disable kick-helper'],
  ...['start kick-agent', 'enable kick-agent'],
];
const RESTART = ['daemon-reload', 'try-restart kick-agent.service'];

const site = (config: string, more = '') => `
  class { 'kick': install_method => 'none' }
  class { 'kick::agent': config => { ${config} }, ${more} }
  class { 'kick::controller':
    config    => { domain => 'example.com' },
    inventory => { targets => ['a.example.com'] },
  }`;

test.skipIf(!canMount)(
  'a second run changes nothing; a policy is reloaded, a port is a restart, a socket takes it over, one process becomes two',
  async () => {
    const dir = scratchWithKick();

    const runs = await applyAll(dir, [
      site('port => 8140'),
      site('port => 8140'),
      site("port => 8140, controllers => ['deploy.example.com']"),
      site("port => 8141, controllers => ['deploy.example.com']"),
      site("port => 8142, runner => 'puppet-apply'"),
      site("port => 8141, controllers => ['deploy.example.com']", 'socket_activation => true'),
      site("port => 8141, controllers => ['deploy.example.com']"),
      site("port => 8141, controllers => ['deploy.example.com']", 'separated => true'),
      site("port => 8141, controllers => ['deploy.example.com']", 'separated => true'),
      site("port => 8141, controllers => ['deploy.example.com']"),
    ]);

    expect(runs).toEqual([
      [2, [...RESTART, 'start kick-agent', 'enable kick-agent']],
      [0, []],
      [2, ['reload kick-agent.service']],
      [2, [...RESTART, 'reload kick-agent.service']],
      [4, []], // without "apply" kick refuses it
      [2, [...HANDS_OVER, 'enable kick-agent.socket']],
      [2, [...SOCKET_GOES, ...RESTART]],
      [2, BECOMES_TWO],
      [0, []],
      [2, BECOMES_ONE],
    ]);
    const textOf = (name: string) => readFileSync(join(dir, 'etc/kick', name), 'utf8');
    expect(textOf('agent.yaml')).toBe(
      '# Managed by Puppet\n---\nport: 8141\ncontrollers:\n- deploy.example.com\n',
    );
    expect(textOf('controller.yaml')).toBe('# Managed by Puppet\n---\ndomain: example.com\n');
    expect(textOf('inventory.yaml')).toBe('# Managed by Puppet\n---\ntargets:\n- a.example.com\n');
    expect(readdirSync(join(dir, 'etc/kick')).sort()).toEqual([
      '.agent-restart',
      'agent.yaml',
      'controller.yaml',
      'inventory.yaml',
    ]);
  },
);

/** A tar.gz as `npm run package` makes it, but that its program is this one. */
function archive(folder: string, version: string, program = `exec ${KICK.join(' ')} "$@"`): string {
  const top = join(folder, `kick-${version}-linux-amd64`);
  const write = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), text, { mode });
  };
  write('usr/bin/kick', `#!/bin/sh\n${program}\n`, 0o755);
  write('usr/lib/kick/version', version);
  for (const unit of ['kick-agent.service', 'kick-agent.socket', 'kick-serve.service'])
    write(`usr/lib/systemd/system/${unit}`, version);
  write('usr/share/doc/kick/examples/kick-agent.service.d/controller.conf', 'of a controller');
  const file = join(folder, `${version}.tar.gz`);
  execFileSync('tar', ['-C', folder, '-czf', file, basename(top)]);
  return file;
}

test.skipIf(!canMount)(
  'an archive is an upgrade, one that is broken or for another processor leaves everything as it was',
  async () => {
    const [dir, folder] = [tempFolder(), tempFolder()];
    mkdirSync(join(dir, 'opt/kick/dist'), { recursive: true }); // a checkout's
    mkdirSync(join(dir, 'var/lib/kick'), { recursive: true, mode: 0o700 }); // an earlier agent's
    const broken = join(folder, 'broken.tar.gz');
    const from = (source: string) => `
    class { 'kick': install_method => 'archive', archive_source => '${source}' }
    include kick::agent
    class { 'kick::controller': serve => true }`;
    const one = from(archive(folder, '1.0.0'));
    const two = from(archive(folder, '1.1.0'));
    writeFileSync(broken, readFileSync(join(folder, '1.1.0.tar.gz')).subarray(0, -20));

    // What a shell says of a program for another processor.
    const foreign = archive(folder, '1.2.0', 'echo "kick: cannot execute: Exec format error" >&2; exit 126');

    const runs = await applyAll(dir, [one, one, two, from(broken), from(foreign)]);

    expect(runs.map(([exit]) => exit)).toEqual([2, 0, 2, 6, 6]);
    expect(runs.map(([, asked]) => asked).slice(1)).toEqual([[], [...RESTART, 'restart kick-serve'], [], []]);
    expect(readFileSync(join(dir, 'etc/systemd/system/kick-agent.service'), 'utf8')).toBe('1.1.0');
    const folders = readdirSync(join(dir, 'opt/kick')).filter((name) => !name.startsWith('.'));
    expect(folders.filter((name) => /^[0-9a-f]{16}$/.test(name))).toHaveLength(2);
    expect(folders.filter((name) => !/^[0-9a-f]{16}$/.test(name))).toEqual(['current', 'dist']);
    const dropIn = join(dir, 'etc/systemd/system/kick-agent.service.d/controller.conf');
    expect(readFileSync(dropIn, 'utf8')).toBe('of a controller');
    expect(statSync(join(dir, 'var/lib/kick')).mode & 0o777).toBe(0o711);
  },
);
