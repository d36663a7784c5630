/** The hosts that the documents speak of: agents in this process, whose runs are simulated, and the real command line. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { onTestFinished } from 'vitest';
import { commandFirst } from '../../src/cli/command-first.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { reportError } from '../../src/cli/report-error.ts';
import { startHost } from '../fleet/host.ts';
import type { Shape } from '../fleet/shape.ts';
import { mintCa } from '../support/minted-ca.ts';
import { tempFolder } from '../support/temp.ts';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

export interface DocumentedSite {
  kick(words: readonly string[]): Promise<Ran>;
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
];

export async function documentedSite(): Promise<DocumentedSite> {
  const folder = tempFolder();
  const [pki, etc] = [join(folder, 'pki'), join(folder, 'etc')];
  const ca = mintCa();
  await ca.write(pki, CONTROLLER, ca.issue(CONTROLLER));
  const targets = await Promise.all(
    HOSTS.map(async (name, index) => {
      const address = `127.9.0.${index + 1}`;
      const host = await startHost({
        number: index,
        identity: await ca.identity(name, { role: 'agent', ppCliAuth: false }),
        address,
        port: 18_140,
        folder: join(folder, name),
        shape: shapeOf(name),
      });
      onTestFinished(() => host.close());
      return { name, uri: `${address}:18140`, facts: FACTS };
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
  return { folder, kick: (words) => kick(words, env) };
}

function shapeOf(name: string): Shape {
  const outcome = name === FAILING ? 'failed' : 'unchanged';
  return { times: { kind: 'fixed', ms: 1 }, outcomes: [[outcome, 1]], logLines: 0, seed: 1 };
}

/** As cli/program.ts does it, with what would be printed in hand. */
async function kick(words: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  const ran: Ran = { code: 0, out: '', err: '' };
  const terminal = {
    isTty: false,
    color: false,
    columns: () => 80,
    out(text: string) {
      ran.out += text;
    },
    err(text: string) {
      ran.err += text;
    },
  };
  const exit = (code: number) => {
    ran.code = code;
  };
  try {
    const program = await makeProgram({ terminal, env, exit });
    const sorted = await commandFirst(words, async (name) =>
      program.commands.find((one) => one.name() === name),
    );
    await program.parseAsync(sorted, { from: 'user' });
  } catch (error) {
    exit(error instanceof CommanderError ? error.exitCode * 2 : reportError(error, terminal, env));
  }
  return ran;
}
