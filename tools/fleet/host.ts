/** One simulated host: the real agent and listener on an address of its own, or what is wrong with it. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Shape } from '../../src/cli/demo/run-shape.ts';
import {
  type SimulatedHost,
  slowed,
  startSimulatedHost,
  withStreams,
} from '../../src/cli/demo/simulated-host.ts';
import type { Identity } from '../../src/pki/identity.ts';
import type { StoredEvent } from '../../src/protocol/event.ts';
import { tlsOptions } from '../../src/transport/tls/options.ts';
import type { AgentService, EventStream } from '../../src/transport/transport.ts';
import { type Clock, sleep, systemClock } from '../../src/util/clock.ts';
import { silentLog } from '../../src/util/log.ts';
import type { Fault } from './faults.ts';

const SKEW_MS = 3_600_000;
const FOR_EVER_MS = 2 ** 31 - 1;
/** As agents do. */
const RECONNECT_MS = 120_000;

export interface HostOptions {
  /** Its number in the fleet. */
  number: number;
  identity: Identity;
  address: string;
  /** 0: any that is free. */
  port: number;
  /** Its state, removed by its creator. */
  folder: string;
  shape: Shape;
  fault?: Fault | undefined;
  /** The broker at which it listens as well, `host:port`. */
  nats?: string | undefined;
}

export async function startHost(options: HostOptions): Promise<SimulatedHost> {
  const { fault, identity } = options;
  switch (fault) {
    case 'refuse':
      return { port: 0, accept: (stream) => void stream.destroy(), close: async () => {} };
    case 'reset':
      return bare(
        createServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
        options,
      );
    case 'hang-handshake':
      return bare(
        createServer((socket) => socket.resume()),
        options,
      );
    case 'garbage':
      return bare(
        createServer((socket) => socket.end('220 mail.example.com ESMTP ready\r\n')),
        options,
      );
    case 'nonsense':
      return bare(createTlsServer({ ...tlsOptions(identity), requestCert: true }, talkNonsense), options);
    default:
      return agentHost(options);
  }
}

async function agentHost(options: HostOptions): Promise<SimulatedHost> {
  const { number, address, fault, shape, nats, identity } = options;
  const host = await startSimulatedHost({
    ...options,
    policy: { controllers: [], trustPpCliAuth: true },
    bind: address,
    seed: shape.seed * 1_000_003 + number,
    clock: fault === 'skew' ? behind(SKEW_MS) : systemClock,
    ...(fault === 'hang-stream' && { limits: { aliveMs: FOR_EVER_MS } }),
    change: (agent) => faulty(agent, fault),
  });
  if (nats !== undefined) await listenAt(nats, { identity, host, facts: { fleet: { number } } });
  return host;
}

/** Resolves once it is connected: the fleet is ready then. */
async function listenAt(
  server: string,
  { identity, host, facts }: { identity: Identity; host: SimulatedHost; facts: object },
): Promise<void> {
  const { BrokerConnection } = await import('../../src/transport/nats/connection.ts');
  const { acceptStreams } = await import('../../src/transport/nats/acceptor.ts');
  const link = new BrokerConnection({ servers: [server], tls: true, identity, maxWaitMs: RECONNECT_MS });
  acceptStreams(link, identity.certname, (stream) => host.accept(stream));
  const { agent: service } = host;
  if (service !== undefined) {
    const { createAnswering } = await import('../../src/agent/discovery/answering.ts');
    const { answerQuestions } = await import('../../src/transport/nats/crowd.ts');
    const { ownVerdicts } = await import('../../src/agent/discovery/own-verdicts.ts');
    const verdictOn = ownVerdicts({ service, facts: async () => ({ facts }), version: 'fleet' });
    const { greet } = service;
    const answering = createAnswering({ identity, greet, verdictOn, clock: systemClock, log: silentLog });
    answerQuestions(link, identity.certname, (question) => answering.answer(question));
  }
  await link.ready({ withinMs: FOR_EVER_MS, signal: new AbortController().signal });
}

// ---------------------------------------------------------------- faults of an agent

function faulty(agent: AgentService, fault: Fault | undefined): AgentService {
  switch (fault) {
    case 'hang-stream':
      return withStreams(agent, hanging);
    case 'break': {
      let broken = false;
      return withStreams(agent, (stream) => {
        if (broken) return stream;
        broken = true;
        return breaking(stream);
      });
    }
    case 'slow':
      return slowed(agent);
    default:
      return agent;
  }
}

async function* hanging(stream: EventStream, signal: AbortSignal): AsyncGenerator<StoredEvent> {
  for await (const event of stream) {
    if (!['accepted', 'waiting', 'started'].includes(event.type)) break;
    yield event;
  }
  await sleep(FOR_EVER_MS, signal);
}

async function* breaking(stream: EventStream): AsyncGenerator<StoredEvent> {
  for await (const event of stream) {
    if (event.type !== 'accepted' && event.type !== 'waiting') throw new Error('broken on purpose');
    yield event;
  }
}

function behind(ms: number): Clock {
  return { now: () => Date.now() - ms, monotonic: () => performance.now() };
}

// ---------------------------------------------------------------- no agent at all

function talkNonsense(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  let asked = '';
  socket.on('data', (chunk: Buffer) => {
    const isHead = asked === '';
    asked += chunk.toString('latin1');
    if (isHead && /^expect: 100-continue/im.test(asked))
      return void socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    const line = '{"seq":"first","type":"accepted"}\n';
    socket.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ncontent-length: ${line.length}\r\n\r\n${line}`,
    );
  });
}

async function bare(server: Server, { address, port }: HostOptions): Promise<SimulatedHost> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => resolve());
  });
  const bound = server.address();
  return {
    port: bound !== null && typeof bound === 'object' ? bound.port : port,
    accept: (stream) => void stream.destroy(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
