/** A node of the lab on which kick is installed from its package by the Puppet module, and systemd is stood in for. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeBundle } from '../../scripts/package/bundle.ts';
import { MODULE } from '../../scripts/puppet-types.ts';
import { freePort } from '../../tools/loopback.ts';
import { ROOT } from '../../tools/program.ts';
import { unitReload } from '../../tools/unit-command.ts';
import type { Lab } from '../lab/lab.ts';
import { ended } from '../support/kick.ts';
import { ENVIRONMENT } from './runs.ts';

/** Would hide the unit of the package. */
export const CHECKOUTS_UNIT = '/etc/systemd/system/kick-agent.service';

export interface PackagedHost {
  port: number;
  /** Adds settings to its agent.yaml, as Puppet's language writes them. */
  configure(settings: string): void;
  /** Its kick-agent.deb on the Puppet server is now of this version. */
  offer(version: string): Promise<void>;
  /** Its file is now one that dpkg cannot read. */
  offerGarbage(): void;
  /** Runs a command on it, to its end. */
  run(...words: string[]): Promise<{ out: string; err: string; code: number | null }>;
  /** The process of its unit. */
  agentPid(): number | undefined;
  end(): Promise<void>;
}

export async function packagedHost(lab: Lab, agent: string): Promise<PackagedHost> {
  const port = await freePort();
  const home = join(lab.dirOf(agent), 'host');
  // What is in it already counts as changed on the host.
  const units = join(home, 'etc', 'fake-systemd');
  mkdirSync(units, { recursive: true });
  writeFileSync(join(units, 'kick-agent.start'), unitText(lab, agent), { mode: 0o755 });
  writeFileSync(join(units, 'kick-agent.reload'), unitReload());
  // As a checkout on it would have left it.
  mkdirSync(join(home, 'etc/systemd/system'), { recursive: true });
  writeFileSync(join(home, CHECKOUTS_UNIT), '[Service]\nExecStart=node /usr/bin/kick agent\n');
  writeModules(lab);
  writeNode(lab, { agent, port });
  const holder = await startHost(home);
  const run = (...words: string[]) =>
    ended(
      spawn('nsenter', ['--mount', '--target', String(holder.pid), '--wd=/', ...words], { env: ENVIRONMENT }),
    );
  return {
    port,
    run,
    configure: (settings) => writeNode(lab, { agent, port, settings }),
    offer: (version) => writePackage(lab, version),
    offerGarbage: () => writeFileSync(packageFile(lab), 'what a full disk has left of a package\n'),
    agentPid() {
      const path = join(home, 'var/lib/fake-systemd/kick-agent.pid');
      return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined;
    },
    async end() {
      await run('systemctl', 'stop', 'kick-agent');
      holder.kill('SIGKILL');
    },
  };
}

async function startHost(home: string): Promise<ChildProcess> {
  const script = join(ROOT, 'test', 'lab', 'scratch-host');
  const holder = spawn(script, [home, 'sh', '-c', 'echo ready; exec sleep 100000'], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (holder.stdout === null) throw new Error('no output');
  await once(holder.stdout, 'data');
  return holder;
}

const unitText = (lab: Lab, agent: string) => `#!/bin/sh
cd /
KICK_STATE_DIR=${lab.dirOf(agent)}/state KICK_RUN_DIR=${lab.dirOf(agent)}/kick-run
export KICK_STATE_DIR KICK_RUN_DIR
exec /usr/bin/kick agent
`;

function writeModules(lab: Lab): void {
  const modules = join(lab.dir, 'code', 'environments', 'production', 'modules');
  cpSync(MODULE, join(modules, 'kick'), { recursive: true });
  mkdirSync(join(modules, 'profile', 'files'), { recursive: true });
}

/** The node's catalog: kick first, then what the lab manages. */
function writeNode(lab: Lab, { agent, port, settings }: { agent: string; port: number; settings?: string }) {
  const config = [`port => ${port}`, "bind => '127.0.0.1'", `puppet => '${lab.puppetOf(agent)}'`];
  if (settings !== undefined) config.push(settings);
  const manifest = `node '${lab.certnameOf(agent)}' {
  class { 'kick::agent':
    package_source => 'puppet:///modules/profile/kick-agent.deb',
    config         => { ${config.join(', ')} },
  }
  -> class { 'lab': }
}
`;
  const path = join(lab.dir, 'code', 'environments', 'production', 'manifests', `${agent}.pp`);
  writeFileSync(`${path}.new`, manifest);
  renameSync(`${path}.new`, path);
}

// ---------------------------------------------------------------- the package

const POSTINST = `#!/bin/sh
set -e
[ -z "$2" ] || systemctl try-restart kick-agent.service
`;

/** A package with the program as packages have it, but with this Node. */
async function writePackage(lab: Lab, version: string): Promise<void> {
  const tree = join(lab.dir, `kick-agent-${version}`);
  const write = (path: string, text: string, mode = 0o644) => {
    mkdirSync(join(tree, path, '..'), { recursive: true });
    writeFileSync(join(tree, path), text, { mode });
  };
  write('DEBIAN/control', control(version));
  write('DEBIAN/postinst', POSTINST, 0o755);
  write('usr/bin/kick', `#!/bin/sh\nexec ${process.execPath} /usr/lib/kick/kick.mjs "$@"\n`, 0o755);
  await writeBundle(join(tree, 'usr/lib/kick'), { version, commit: 'test', origin: 'deb' });
  const made = join(lab.dir, `kick-agent-${version}.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, made], { stdio: 'ignore' });
  chmodSync(made, 0o644);
  renameSync(made, packageFile(lab));
}

const packageFile = ({ dir }: Lab) =>
  join(dir, 'code/environments/production/modules/profile/files/kick-agent.deb');

const control = (version: string) => `Package: kick-agent
Version: ${version}
Architecture: all
Maintainer: nobody <nobody@example.com>
Description: kick for a test
`;
