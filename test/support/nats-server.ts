/** A real nats-server for a test, which ends with it. */
import { onTestFinished } from 'vitest';
import {
  type NatsServer,
  type NatsServerOptions as ServerOptions,
  startNatsServer,
} from '../../tools/nats-server.ts';
import { tempFolder } from './temp.ts';

export { BROKER, type NatsServer } from '../../tools/nats-server.ts';

export type NatsServerOptions = Omit<ServerOptions, 'folder'>;

export async function startNats(options: NatsServerOptions): Promise<NatsServer> {
  const server = await startNatsServer({ folder: tempFolder(), ...options });
  onTestFinished(() => server.kill('SIGKILL'));
  return server;
}
