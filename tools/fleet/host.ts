/** One simulated host: the real agent and listener on an address of its own, or what is wrong with it. */
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { version } from '../../src/cli/version.ts';
import { expiryOf } from '../../src/pki/expiry.ts';
import type { Identity } from '../../src/pki/identity.ts';
import type { DoctorFacts } from '../../src/protocol/doctor.ts';
import type { StoredEvent } from '../../src/protocol/event.ts';
import type { ListenerLimits } from '../../src/transport/https/limits.ts';
import { listenHttps } from '../../src/transport/https/listener/listener.ts';
import { tlsOptions } from '../../src/transport/tls/options.ts';
import type { AgentService, EventStream } from '../../src/transport/transport.ts';
import { type Clock, sleep, systemClock } from '../../src/util/clock.ts';
import { silentLog } from '../../src/util/log.ts';
import { openAgentIn } from '../open-agent-in.ts';
import type { Fault } from './faults.ts';
import { randomFrom, type Shape } from './shape.ts';
import { type LatestRun, simulatedRunner, simulatedSteps } from './simulated-run.ts';

/** Ten thousand listeners in a few processes must not look at their idle connections every second. */
const LIMITS: Partial<ListenerLimits> = { checkEveryMs: 10_000, closeMs: 500 };

const SLOW_MS = 2000;
const SKEW_MS = 3_600_000;
const FOR_EVER_MS = 2 ** 31 - 1;

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
}

export interface SimulatedHost {
  /** Where it listens; 0 where nothing does. */
  readonly port: number;
  close(): Promise<void>;
}

export async function startHost(options: HostOptions): Promise<SimulatedHost> {
  const { fault, identity } = options;
  switch (fault) {
    case 'refuse':
      return { port: 0, close: async () => {} };
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
  const { number, identity, address, port, folder, shape, fault } = options;
  const latest: LatestRun = {};
  const agent = await openAgentIn(folder, {
    certname: identity.certname,
    runner: simulatedRunner(latest, shape.isTold && join(folder, 'disabled.lock')),
    version: version(),
    clock: fault === 'skew' ? behind(SKEW_MS) : systemClock,
    queueSize: 100,
    steps: simulatedSteps(shape, { random: randomFrom(shape.seed * 1_000_003 + number), latest }),
    doctor: async () => factsOf(identity),
  });
  const listener = await listenHttps(faulty(agent, fault), {
    identity,
    port,
    bind: address,
    log: silentLog,
    limits: { ...LIMITS, ...(fault === 'hang-stream' && { aliveMs: FOR_EVER_MS }) },
  });
  return {
    port: listener.port,
    async close() {
      await agent.stop();
      await listener.close();
    },
  };
}

/** Of a simulated host there is nothing else to examine. */
function factsOf(identity: Identity): DoctorFacts {
  const { certificate, crl } = expiryOf(identity);
  return {
    certificateEnds: certificate,
    folders: [],
    schedulers: [],
    ...(crl !== undefined && { crlEnds: crl }),
  };
}

// ---------------------------------------------------------------- faults of an agent

function faulty(agent: AgentService, fault: Fault | undefined): AgentService {
  const through = (change: (stream: EventStream, signal: AbortSignal) => EventStream): AgentService => ({
    submit: async (body, peer) => {
      const open = await agent.submit(body, peer);
      return (signal) => change(open(signal), signal);
    },
    events: async (from, peer) => {
      const open = await agent.events(from, peer);
      return (signal) => change(open(signal), signal);
    },
    status: (peer, question) => agent.status(peer, question),
    command: (body, peer) => agent.command(body, peer),
    isController: (certificate) => agent.isController(certificate),
    greet: (peer) => agent.greet(peer),
  });
  switch (fault) {
    case 'hang-stream':
      return through(hanging);
    case 'break': {
      let broken = false;
      return through((stream) => {
        if (broken) return stream;
        broken = true;
        return breaking(stream);
      });
    }
    case 'slow': {
      const slow = through(slowly);
      const submit: AgentService['submit'] = async (body, peer) => {
        await sleep(SLOW_MS);
        return slow.submit(body, peer);
      };
      return { ...slow, submit };
    }
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

async function* slowly(stream: EventStream, signal: AbortSignal): AsyncGenerator<StoredEvent> {
  for await (const event of stream) {
    await sleep(SLOW_MS / 10, signal);
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
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
