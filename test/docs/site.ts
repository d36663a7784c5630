/** The hosts that the documents speak of: agents in this process, whose runs are simulated, and the real command line. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Shape } from '../../src/cli/demo/run-shape.ts';
import { startHost } from '../../tools/fleet/host.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { kickHere } from '../support/kick-here.ts';
import { tempFolder } from '../support/temp.ts';

export interface DocumentedSite {
  kick(words: readonly string[]): ReturnType<typeof kickHere>;
  /** A folder for what commands write. */
  folder: string;
}

const CONTROLLER = 'puppet.example.com';
const HOSTS = [
  ...['web1', 'web2', 'web3', 'db1'],
  ...Array.from({ length: 20 }, (_, index) => `web${String(index + 1).padStart(2, '0')}`),
].map((name) => `${name}.example.com`);

/** The one whose runs fail. */
const FAILING = 'web07.example.com';

const FACTS = {
  os: { family: 'Debian', release: { full: '12.10' } },
  mounts: { '/boot': { size: 4 } },
  disks: ['sda'],
};

const GROUPS = [
  { name: 'dmz', targets: HOSTS.slice(4, 10) },
  { name: 'maintenance', targets: ['db1.example.com'] },
  { name: 'laptops', targets: HOSTS.slice(10, 12) },
];

export async function documentedSite(): Promise<DocumentedSite> {
  const folder = tempFolder();
  const [pki, etc] = [join(folder, 'pki'), join(folder, 'etc')];
  const ca = mintCa();
  ca.write(pki, ca.issue(CONTROLLER));
  const targets = await Promise.all(
    HOSTS.map(async (name, index) => {
      const host = await startHost({
        number: index,
        identity: ca.agent(name),
        address: '127.0.0.1',
        port: 0,
        folder: join(folder, name),
        shape: shapeOf(name),
      });
      onTestFinished(() => host.close());
      return { name, uri: `127.0.0.1:${host.port}`, facts: FACTS };
    }),
  );
  mkdirSync(etc);
  writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify({ targets, groups: GROUPS }));
  writeFileSync(join(etc, 'controller.yaml'), JSON.stringify({ puppetdb: false, domain: 'example.com' }));
  const env = {
    KICK_CONFIG_DIR: etc,
    KICK_STATE_DIR: join(folder, 'state'),
    KICK_PKI_DIR: pki,
    KICK_CERTNAME: CONTROLLER,
  };
  return { folder, kick: (words) => kickHere(words, { env }) };
}

function shapeOf(name: string): Shape {
  const outcome = name === FAILING ? 'failed' : 'unchanged';
  return { times: { kind: 'fixed', ms: 1 }, outcomes: [[outcome, 1]], logLines: 0, seed: 1 };
}
