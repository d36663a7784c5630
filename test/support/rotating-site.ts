/** Real agents as processes, a controller, and certificates that change under their runs. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownPaths } from '../../src/config/identity.ts';
import type { Identity } from '../../src/pki/identity.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import { agentCommand } from '../../tools/agent-process.ts';
import type { MintedCa } from '../../tools/mint/mint-ca.ts';
import { anySignal, type RealAgent, startRealAgent } from './real-agent.ts';
import { tempFolder } from './temp.ts';

export const CONTROLLER = 'puppet.example.com';

export interface RotatingHost extends RealAgent {
  /** The folder of its certificates. */
  readonly pki: string;
  readonly journal: () => string[];
  /** Whether it answers who asks as that. */
  answers(as: Identity): Promise<boolean>;
}

export interface RotatingSite {
  readonly hosts: readonly RotatingHost[];
  /** The folder of the controller's certificates. */
  readonly pki: string;
  readonly env: Readonly<Record<string, string>>;
  /** Lets the runs end. */
  release(): void;
  /** The controller as its files are now. */
  controller(): Promise<Identity>;
}

/** Runs note `begin`, wait for `release`, and note `end`. */
export async function rotatingSite(ca: MintedCa, names: readonly string[]): Promise<RotatingSite> {
  const folder = tempFolder();
  const released = join(folder, 'released');
  const hosts = await Promise.all(
    names.map((name) => startHost(ca, { folder: join(folder, name), name, released })),
  );
  const [pki, etc] = [join(folder, 'pki'), join(folder, 'etc')];
  ca.write(pki, ca.issue(CONTROLLER));
  mkdirSync(etc);
  const targets = hosts.map(({ target: { certname, port } }) => ({
    name: certname,
    uri: `127.0.0.1:${port}`,
  }));
  writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify({ targets }));
  writeFileSync(join(etc, 'controller.yaml'), JSON.stringify({ puppetdb: false }));
  const env = {
    ...{ KICK_CONFIG_DIR: etc, KICK_STATE_DIR: join(folder, 'state') },
    ...{ KICK_PKI_DIR: pki, KICK_CERTNAME: CONTROLLER },
  };
  const paths = ownPaths(pki, CONTROLLER);
  return {
    ...{ hosts, pki, env },
    release: () => writeFileSync(released, ''),
    controller: () => loadIdentity(paths, { now: Date.now() }),
  };
}

async function startHost(
  ca: MintedCa,
  { folder, name, released }: { folder: string; name: string; released: string },
): Promise<RotatingHost> {
  const [etc, pki, journal] = [join(folder, 'etc'), join(folder, 'pki'), join(folder, 'journal')];
  mkdirSync(etc, { recursive: true });
  ca.write(pki, ca.issue(name, { role: 'agent' }));
  const run = join(folder, 'run.sh');
  const wait = `while [ ! -e '${released}' ] && [ -d '${folder}' ]; do sleep 0.05; done`;
  const script = `#!/bin/sh\necho begin >> '${journal}'\n${wait}\necho end >> '${journal}'\n`;
  writeFileSync(run, script, { mode: 0o755 });
  writeFileSync(join(etc, 'agent.yaml'), JSON.stringify({ runner: 'command', command: [run] }));
  const folders = { stateDir: join(folder, 'state'), runDir: join(folder, 'rundir'), configDir: etc };
  const agent = await startRealAgent(agentCommand({ ...folders, pkiDir: pki, certname: name, port: 0 }));
  const target = { certname: name, host: '127.0.0.1', port: agent.port };
  return {
    ...agent,
    ...{ target, pki },
    journal: () => (existsSync(journal) ? readFileSync(journal, 'utf8').trim().split('\n') : []),
    async answers(identity) {
      const sender = httpsSender({ identity });
      try {
        await sender.status(target, { signal: anySignal() });
        return true;
      } catch {
        return false;
      } finally {
        sender.close();
      }
    },
  };
}
