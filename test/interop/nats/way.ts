/** An agent and a controller that know each other, and a broker between them. */
import { onTestFinished } from 'vitest';
import type { Identity } from '../../../src/pki/identity.ts';
import { anyReach } from '../../../src/transport/https/client/any-reach.ts';
import type { HttpsSenderOptions } from '../../../src/transport/https/client/client.ts';
import { acceptStreams } from '../../../src/transport/nats/acceptor.ts';
import { BrokerConnection } from '../../../src/transport/nats/connection.ts';
import { NatsDialler } from '../../../src/transport/nats/dialler.ts';
import { mintCa } from '../../../tools/mint/mint-ca.ts';
import {
  type AgentOptions,
  anySignal,
  type CapturedLog,
  captureLog,
  startAgent,
  startSender,
} from '../../transport/support.ts';

export const ca = mintCa();
export const agentIdentity = ca.agent();
export const controller = ca.controller();
export const PARTIES = { ca, agents: [agentIdentity.certname], controllers: [controller.certname] };
export const TARGET = { certname: agentIdentity.certname, host: '127.0.0.1', port: 1, via: 'nats' as const };

interface ConnectOptions {
  tls?: boolean | undefined;
}

/** A connection with short waits, closed when the test has finished. */
export function connectTo(
  address: string,
  identity: Identity,
  { tls = true }: ConnectOptions = {},
): { link: BrokerConnection; log: CapturedLog } {
  const log = captureLog();
  const link = new BrokerConnection({ servers: [address], tls, identity, maxWaitMs: 50, log });
  onTestFinished(() => link.close());
  return { link, log };
}

export const soon = (link: BrokerConnection) => link.ready({ withinMs: 600_000, signal: anySignal() });

/** An agent that listens at a broker. */
export async function agentAt(address: string, { tls, ...options }: AgentOptions & ConnectOptions = {}) {
  const agent = await startAgent(agentIdentity, options);
  const { link, log } = connectTo(address, agentIdentity, { tls });
  acceptStreams(link, agentIdentity.certname, (stream) => agent.listener.accept(stream));
  await soon(link);
  return { ...agent, link, brokerLog: log };
}

/** A controller's sender through a broker. `broker`: as whom it connects there; defaults to `identity`. */
export function senderAt(
  address: string,
  {
    identity = controller,
    broker = identity,
    tls,
    ...options
  }: Partial<HttpsSenderOptions> & ConnectOptions & { broker?: Identity } = {},
) {
  const { link } = connectTo(address, broker, { tls });
  const sender = startSender(identity, {
    reach: (direct) => anyReach({ ...direct, streams: new NatsDialler(link, identity.certname) }),
    ...options,
  });
  return { sender, link };
}
