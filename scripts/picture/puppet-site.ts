/** A small site on loopback: real agents that run `puppet apply`, each with every folder of Puppet's below its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { layoutOf } from '../../src/agent/layout.ts';
import { puppetFixture } from '../../src/cli/demo/demo-runs.ts';
import { openAuthority } from '../../src/pki/authority.ts';
import { sleep, systemClock } from '../../src/util/clock.ts';
import { flockHolders } from '../../src/util/proc.ts';

export interface SiteHost {
  name: string;
  /** In Puppet's language, with the host's folder as $dir. Absent: no agent answers there. */
  manifest?: string;
}

export interface PuppetSite {
  env: Readonly<Record<string, string | undefined>>;
  stop(): Promise<void>;
}

const CONTROLLER = 'puppet.example.com';

/** `program` is what `kick` runs; `folder` is removed by whoever made it. */
export async function puppetSite(
  hosts: readonly SiteHost[],
  { program, puppet, folder }: SiteOptions,
): Promise<PuppetSite> {
  const pki = join(folder, 'pki');
  const authority = openAuthority(pki, { clock: systemClock });
  await authority.init('kick CA');
  await authority.issue({ name: CONTROLLER, role: 'controller', keyType: 'p256', days: 365 });
  const agents: ChildProcess[] = [];
  const targets: object[] = [];
  for (const { name, manifest } of hosts) {
    if (manifest === undefined) {
      targets.push({ name, uri: '127.0.0.1:8139' });
      continue;
    }
    await authority.issue({ name, role: 'agent', keyType: 'p256', days: 365 });
    const own = join(folder, name);
    const runner = await puppetFixture(own, puppet);
    const environment = join(own, 'puppet', 'codedir', 'environments', 'production');
    mkdirSync(environment, { recursive: true });
    writeFileSync(join(environment, 'environment.conf'), 'config_version = /bin/echo 4f2c81d\n');
    writeFileSync(join(own, 'site.pp'), `$dir = '${own}'\n${manifest}`);
    writeFileSync(join(own, 'agent.yaml'), JSON.stringify({ ...runner, controllers: [CONTROLLER] }));
    const words = ['agent', '--port', '0', '--bind', '127.0.0.1', '--config-dir', own, '--certname', name];
    const folders = ['--state-dir', join(own, 'state'), '--run-dir', join(own, 'run'), '--pki-dir', pki];
    const agent = spawn(process.execPath, [program, ...words, ...folders], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    agents.push(agent);
    targets.push({ name, uri: `127.0.0.1:${await portOf(agent)}` });
  }
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin', 'kick'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, {
    mode: 0o755,
  });
  mkdirSync(join(folder, 'etc'));
  writeFileSync(join(folder, 'etc', 'inventory.yaml'), JSON.stringify({ targets }));
  writeFileSync(
    join(folder, 'etc', 'controller.yaml'),
    JSON.stringify({ puppetdb: false, domain: 'example.com' }),
  );
  return {
    env: {
      ...process.env,
      PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
      TERM: 'xterm',
      KICK_CONFIG_DIR: join(folder, 'etc'),
      KICK_STATE_DIR: join(folder, 'controller'),
      KICK_PKI_DIR: pki,
      KICK_CERTNAME: CONTROLLER,
    },
    async stop() {
      const ended = agents.map((agent) => new Promise((resolve) => agent.once('exit', resolve)));
      for (const agent of agents) agent.kill('SIGTERM');
      await Promise.all(ended);
      // A run outlives its agent.
      for (const { runLock } of hosts.map(({ name }) => layoutOf('/', join(folder, name, 'run')))) {
        while (flockHolders(runLock).length > 0) await sleep(100);
      }
    },
  };
}

export interface SiteOptions {
  program: string;
  puppet: string;
  folder: string;
}

async function portOf({ stdout }: ChildProcess): Promise<number> {
  if (stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: stdout })) {
    const { msg, port } = JSON.parse(line) as { msg?: string; port?: number };
    if (msg !== 'listening' || port === undefined) continue;
    stdout.resume();
    return port;
  }
  throw new Error('an agent ended before it listened');
}
