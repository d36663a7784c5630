/** A small site on loopback: real agents that run `puppet apply`, each with every folder of Puppet's below its own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layoutOf } from '../../src/agent/layout.ts';
import { puppetFixture } from '../../src/cli/demo/demo-runs.ts';
import { sleep } from '../../src/util/clock.ts';
import { flockHolders } from '../../src/util/proc.ts';
import { type AgentProcess, agentCommand, startAgentProcess } from '../../tools/agent-process.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { PROGRAM } from '../../tools/program.ts';

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

/** The caller removes `folder`. */
export async function puppetSite(hosts: readonly SiteHost[], options: SiteOptions): Promise<PuppetSite> {
  const { folder } = options;
  const pki = join(folder, 'pki');
  const ca = mintCa({ name: 'kick CA' });
  ca.write(pki, ca.issue(CONTROLLER));
  const agents: AgentProcess[] = [];
  const targets: object[] = [];
  for (const { name, manifest } of hosts) {
    if (manifest === undefined) {
      targets.push({ name, uri: '127.0.0.1:8139' });
      continue;
    }
    ca.write(pki, ca.issue(name, { role: 'agent' }));
    const agent = await startAgent({ name, manifest, pki }, options);
    agents.push(agent);
    targets.push({ name, uri: `127.0.0.1:${agent.port}` });
  }
  return {
    env: writeController(options, { pki, targets }),
    async stop() {
      await Promise.all(agents.map((agent) => agent.kill()));
      // A run outlives its agent.
      for (const { runLock } of hosts.map(({ name }) => layoutOf('/', join(folder, name, 'run')))) {
        while (flockHolders(runLock).length > 0) await sleep(100);
      }
    },
  };
}

async function startAgent(
  { name, manifest, pki }: { name: string; manifest: string; pki: string },
  { puppet, folder }: SiteOptions,
): Promise<AgentProcess> {
  const own = join(folder, name);
  const runner = await puppetFixture(own, puppet);
  const environment = join(own, 'puppet', 'codedir', 'environments', 'production');
  mkdirSync(environment, { recursive: true });
  writeFileSync(join(environment, 'environment.conf'), 'config_version = /bin/echo 4f2c81d\n');
  writeFileSync(join(own, 'site.pp'), `$dir = '${own}'\n${manifest}`);
  writeFileSync(join(own, 'agent.yaml'), JSON.stringify({ ...runner, controllers: [CONTROLLER] }));
  return startAgentProcess(agentCommand({ configDir: own, pkiDir: pki, certname: name }));
}

/** Writes what `kick` needs. Returns the environment in which it finds that. */
function writeController(
  { folder }: SiteOptions,
  { pki, targets }: { pki: string; targets: readonly object[] },
): PuppetSite['env'] {
  const [bin, etc] = [join(folder, 'bin'), join(folder, 'etc')];
  mkdirSync(bin);
  writeFileSync(join(bin, 'kick'), `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`, {
    mode: 0o755,
  });
  mkdirSync(etc);
  writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify({ targets }));
  writeFileSync(join(etc, 'controller.yaml'), JSON.stringify({ puppetdb: false, domain: 'example.com' }));
  return {
    ...process.env,
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    TERM: 'xterm',
    KICK_CONFIG_DIR: etc,
    KICK_STATE_DIR: join(folder, 'controller'),
    KICK_PKI_DIR: pki,
    KICK_CERTNAME: CONTROLLER,
  };
}

export interface SiteOptions {
  puppet: string;
  folder: string;
}
