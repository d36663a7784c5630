/** A real nats-server on loopback, with TLS and the permissions that kick writes. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Cluster, natsServerConfig } from '../../src/transport/nats/server-config.ts';
import { freePort } from '../../tools/loopback.ts';
import type { MintedCa } from '../../tools/mint/mint-ca.ts';
import { tempFolder } from './temp.ts';

export interface NatsServer {
  /** `127.0.0.1:4222` */
  readonly address: string;
  readonly port: number;
  /** Sends a signal; KILL ends it as an outage does. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again, on the same port. */
  start(): Promise<void>;
}

export interface NatsServerOptions {
  ca: MintedCa;
  agents: readonly string[];
  controllers: readonly string[];
  cluster?: Cluster;
  /** Changes the configuration that kick writes. */
  edit?: (config: string) => string;
}

export const BROKER = 'localhost';

export async function startNats({
  ca,
  agents,
  controllers,
  cluster,
  edit = (config) => config,
}: NatsServerOptions): Promise<NatsServer> {
  const folder = tempFolder();
  const port = await freePort();
  const issued = ca.issue(BROKER, { role: 'agent', alternativeNames: [BROKER] });
  const paths = ca.write(join(folder, 'pki'), issued);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'nats.conf');
  const tls = { certificate: paths.certificate, key: paths.key, ca: paths.ca };
  writeFileSync(
    file,
    edit(natsServerConfig({ listen: `127.0.0.1:${port}`, tls, agents, controllers, cluster })).replace(
      'PORT',
      String(port),
    ),
  );
  let running: { kill: NatsServer['kill'] };
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
      async kill(signal) {
        child.kill(signal);
        await ended;
      },
    };
  };
  await start();
  onTestFinished(() => running.kill('SIGKILL'));
  return { address: `${BROKER}:${port}`, port, start, kill: (signal) => running.kill(signal) };
}
