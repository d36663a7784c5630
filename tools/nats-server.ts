/** A real nats-server on loopback, with TLS and the permissions that kick writes. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, natsServerConfig } from '../src/transport/nats/server-config.ts';
import { freePort } from './loopback.ts';
import type { MintedCa } from './mint/mint-ca.ts';

export interface NatsServer {
  /** `127.0.0.1:4222` */
  readonly address: string;
  readonly port: number;
  pid(): number;
  /** Sends a signal; KILL ends it as an outage does. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again, on the same port. */
  start(): Promise<void>;
}

export interface ServerTls {
  certificate: string;
  key: string;
  ca: string;
}

export interface NatsServerOptions {
  /** For its configuration and certificates; removed by its owner. */
  folder: string;
  /** Makes its certificate. */
  ca?: MintedCa;
  /** Or paths of one for `localhost`. */
  tls?: ServerTls;
  agents: readonly string[];
  controllers: readonly string[];
  cluster?: Cluster;
  /** Changes the configuration that kick writes. */
  edit?: (config: string) => string;
}

export const BROKER = 'localhost';

export async function startNatsServer({
  folder,
  ca,
  tls = certify(folder, ca),
  agents,
  controllers,
  cluster,
  edit = (config) => config,
}: NatsServerOptions): Promise<NatsServer> {
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'nats.conf');
  writeFileSync(
    file,
    edit(natsServerConfig({ listen: `127.0.0.1:${port}`, tls, agents, controllers, cluster })).replace(
      'PORT',
      String(port),
    ),
  );
  let running: { pid: number; kill: NatsServer['kill'] };
  const start = async () => {
    const child = spawn('nats-server', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`nats-server ended: ${said}`)));
      child.stderr.on('data', (text: Buffer) => {
        said += text.toString();
        if (said.includes('Server is ready')) resolve();
      });
    });
    running = {
      pid: child.pid ?? 0,
      async kill(signal) {
        child.kill(signal);
        await ended;
      },
    };
  };
  await start();
  return {
    pid: () => running.pid,
    address: `${BROKER}:${port}`,
    port,
    start,
    kill: (signal) => running.kill(signal),
  };
}

function certify(folder: string, authority: MintedCa | undefined): ServerTls {
  if (authority === undefined) throw new Error('a broker needs a certificate');
  const issued = authority.issue(BROKER, { role: 'agent', alternativeNames: [BROKER] });
  const { certificate, key, ca } = authority.write(join(folder, 'pki'), issued);
  return { certificate, key, ca };
}
