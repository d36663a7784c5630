/** A real Puppet on loopback for the tests: `puppet-lab` beside this file does it, this is its face. */
import { type ExecFileException, execFile, spawn } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../tools/loopback.ts';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';

const SCRIPT = fileURLToPath(new URL('puppet-lab', import.meta.url));

/** Keys of class lab: see `puppet-lab --help`. */
export type LabKey = 'message' | 'fail_resource' | 'fail_catalog' | 'sleep' | 'hold' | 'noisy' | 'extra';

/** What a worker needs to know of the lab that the global setup has brought up. */
export interface LabPlace {
  dir: string;
  /** Where the Puppet server listens, on 127.0.0.1. */
  port: number;
  /** Where PuppetDB listens, on localhost, if there is one. */
  puppetDbPort?: number;
}

export interface Lab extends LabPlace {
  /** `agent1` has the certname `agent1.lab`. */
  certnameOf(agent: string): string;
  /** The agent's folder: conf, var, ssl, log, managed. */
  dirOf(agent: string): string;
  /** The absolute path of a command that is `puppet` for this agent. */
  puppetOf(agent: string): string;
  sslOf(agent: string): string;
  /** The same for the Puppet server, whose certificate is `puppet.lab`. */
  readonly serverPuppet: string;
  readonly serverSsl: string;
  set(agent: string, key: LabKey, value: string | number | boolean): Promise<void>;
  unset(agent: string, key?: LabKey): Promise<void>;
  /** A signed certificate that is not an agent's; it lies in `serverSsl`. */
  cert(name: string): Promise<void>;
  /** Revokes a certificate; the server's own CRL (`serverSsl`/crl.pem) follows at once, the agents' do not. */
  revoke(name: string): Promise<void>;
  /** Stops everything that was started and removes the folder. */
  remove(): Promise<void>;
}

/** Brings up a server and `agent1` … `agentN`, each with its certificate. About 30 seconds for three. */
export async function startLab({
  agents,
  puppetDb = false,
}: {
  agents: number;
  puppetDb?: boolean;
}): Promise<Lab> {
  const { path: dir } = throwawayFolder({ prefix: 'kick-lab-' });
  // PostgreSQL runs as a user of its own, and must get at its folder.
  if (puppetDb) chmodSync(dir, 0o711);
  const puppetDbPort = await freePort();
  const lab = openLab({ dir, port: await freePort(), ...(puppetDb && { puppetDbPort }) });
  const ports = { LAB_PDB_PORT: String(puppetDbPort), LAB_PG_PORT: String(await freePort()) };
  guard(lab);
  try {
    await labCommand(lab, ['up', String(agents), ...(puppetDb ? ['--puppetdb'] : [])], ports);
  } catch (error) {
    await lab.remove();
    throw error;
  }
  return lab;
}

/** Takes the lab down even where we are killed: it sees its input end when we are gone, however we went. */
function guard({ dir }: LabPlace): void {
  const script = 'cat >/dev/null; exec "$0" down --purge';
  const child = spawn('sh', ['-c', script, SCRIPT], {
    detached: true,
    env: { ...process.env, LAB_DIR: dir },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
}

/** The lab that is up in this place. */
export function openLab(place: LabPlace): Lab {
  const { dir } = place;
  const certnameOf = (agent: string) => `${agent}.lab`;
  const dirOf = (agent: string) => join(dir, 'agents', certnameOf(agent));
  const command = (...args: string[]) => labCommand(place, args);
  return {
    ...place,
    certnameOf,
    dirOf,
    puppetOf: (agent) => join(dirOf(agent), 'puppet'),
    sslOf: (agent) => join(dirOf(agent), 'ssl'),
    serverPuppet: join(dir, 'server', 'puppet'),
    serverSsl: join(dir, 'server', 'ssl'),
    set: (agent, key, value) => command('set', agent, key, String(value)),
    unset: (agent, key) => command('unset', agent, ...(key === undefined ? [] : [key])),
    cert: (name) => command('cert', name),
    revoke: (name) => command('revoke', name),
    async remove() {
      await command('down', '--purge');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function labCommand({ dir, port }: LabPlace, args: string[], more: NodeJS.ProcessEnv = {}): Promise<void> {
  // The length of the agents' keys changes nothing but the time that it takes to make them.
  const env = { ...process.env, LAB_DIR: dir, LAB_PORT: String(port), LAB_KEYLENGTH: '2048', ...more };
  return new Promise((resolve, reject) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string) => {
      if (error === null) resolve();
      else reject(new Error(`puppet-lab ${args.join(' ')}: exit ${error.code}\n${stdout}${stderr}`));
    };
    execFile(SCRIPT, args, { env, timeout: 1_800_000 }, done);
  });
}
