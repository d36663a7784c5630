/** An agent at a broker under floods: of whoever may use the broker, of another host, of the broker itself. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Identity } from '../src/pki/identity.ts';
import { TYPES } from '../src/protocol/algorithm.ts';
import { sealAs } from '../src/protocol/seal.ts';
import { anyReach } from '../src/transport/https/client/any-reach.ts';
import { httpsSender } from '../src/transport/https/client/client.ts';
import { BrokerConnection } from '../src/transport/nats/connection.ts';
import { NatsDialler } from '../src/transport/nats/dialler.ts';
import { writeFrame } from '../src/transport/nats/frame.ts';
import { controllerToken } from '../src/transport/nats/subjects.ts';
import type { Sender } from '../src/transport/transport.ts';
import { agentCommand } from '../tools/agent-process.ts';
import { isInstalled } from '../tools/installed.ts';
import { listenOn } from '../tools/loopback.ts';
import { type MintedCa, mintCa } from '../tools/mint/mint-ca.ts';
import { startNatsServer } from '../tools/nats-server.ts';
import { PROGRAM } from '../tools/program.ts';
import { during, type Flooding, PATIENCE_MS } from './flooding.ts';
import { type Row, startAsUnit } from './measure.ts';

const AGENT = 'agent.bench';
const CONTROLLER = 'puppet.bench';
const MOST = 30;

type Publish = [subject: string, reply?: string, base64?: string];

interface NatsFlood {
  what: string;
  perSecond: number;
  publish: readonly Publish[];
  /** How many there are of NAME. */
  names?: number;
}

/** What opens a stream in a controller's name, and the first bytes in it. */
function stream(controller: string, bytes?: Buffer): Publish[] {
  const tail = `${controller}.flood.NUMBER.${AGENT}`;
  const dial: Publish = [`kick.v1.dial.${controller}.${AGENT}`, `kick.v1.down.${tail}`];
  if (bytes === undefined) return [dial];
  const frame = Buffer.from(writeFrame({ type: 'data', data: bytes }, 1));
  return [dial, [`kick.v1.up.${tail}`, `kick.v1.down.${tail}`, frame.toString('base64')]];
}

/** The first bytes of a ClientHello that never ends. */
const HELLO = Buffer.from('16030100f8010000f40303', 'hex');

async function floods(other: Identity): Promise<NatsFlood[]> {
  const own = controllerToken(CONTROLLER);
  const noise = Buffer.alloc(2000, 7).toString('base64');
  const now = Math.floor(Date.now() / 1000);
  const question = await sealAs(
    TYPES.question,
    { v: 1, jti: randomUUID(), iss: other.certname, session: 'x', iat: now, exp: now + 30, asks: {} },
    { key: other.key, chain: other.chain },
  );
  return [
    {
      what: '400 streams a second in 500 names, silent',
      perSecond: 400,
      names: 500,
      publish: stream('cNAME'),
    },
    { what: "400 a second in the controller's name, silent", perSecond: 400, publish: stream(own) },
    {
      what: '400 a second that begin a handshake, in 500 names',
      ...{ perSecond: 400, names: 500, publish: stream('cNAME', HELLO) },
    },
    {
      what: "400 a second that begin one, in the controller's name",
      ...{ perSecond: 400, publish: stream(own, HELLO) },
    },
    {
      what: '4,000 messages of 2 kB a second to streams that are none',
      ...{ perSecond: 4000, publish: [[`kick.v1.up.${own}.x.NUMBER.${AGENT}`, 'x', noise]] },
    },
    {
      what: '4,000 questions a second that are none',
      ...{ perSecond: 4000, publish: [[`kick.v1.who.${own}`, 'x', noise]] },
    },
    {
      what: "400 questions a second, signed by another host's key",
      ...{ perSecond: 400, publish: [[`kick.v1.who.${own}`, 'x', Buffer.from(question).toString('base64')]] },
    },
  ];
}

export async function* floodsNatsRows(folder: string): AsyncGenerator<Row> {
  if (!isInstalled('nats-server')) {
    yield { what: 'floods at a broker', value: '-', beside: 'not measured: no nats-server', promised: '-' };
    return;
  }
  const own = join(folder, 'floods-nats');
  mkdirSync(own, { recursive: true });
  const ca = mintCa();
  const pkiDir = join(own, 'pki');
  ca.write(pkiDir, ca.issue(AGENT, { role: 'agent' }));
  const place = { own, pkiDir, controller: await ca.identity(CONTROLLER) };
  const other = await ca.identity('web9.bench', { role: 'agent' });
  const parties = { ca, agents: [AGENT, other.certname], controllers: [CONTROLLER] };
  // One that lets anybody do anything: what a broker with permissions refuses costs it, and no agent.
  const edit = () => 'listen: 127.0.0.1:PORT\n';
  const broker = await startNatsServer({ folder: join(own, 'nats'), ...parties, edit });
  try {
    for (const flood of await floods(other)) {
      const { what, ...settings } = flood;
      const start = () => natsFlood({ ...settings, port: broker.port });
      yield await againstAgent(place, { what, address: broker.address, start, via: 'nats' });
    }
  } finally {
    await broker.kill('SIGKILL');
  }
  yield await underBroker(place);
  yield await againstController(place, ca);
}

function natsFlood(settings: object): Flooding {
  const script = join(import.meta.dirname, 'nats-flood.mjs');
  const flooder = spawn(process.execPath, [script, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { begun: once(flooder.stdout, 'data'), end: () => void flooder.kill('SIGKILL') };
}

interface Place {
  own: string;
  pkiDir: string;
  controller: Identity;
}

interface Against {
  what: string;
  /** The broker's. */
  address: string;
  via: 'nats' | 'direct';
  start: () => Flooding;
}

async function againstAgent(
  { own, pkiDir, controller }: Place,
  { what, address, via, start }: Against,
): Promise<Row> {
  const nats = { servers: [address], tls: false };
  writeFileSync(join(own, 'agent.yaml'), JSON.stringify({ runner: 'command', command: ['/bin/true'], nats }));
  const agent = await startAsUnit(agentCommand({ configDir: own, pkiDir, certname: AGENT }, [PROGRAM]));
  const link = new BrokerConnection({ servers: [address], tls: false, identity: controller, maxWaitMs: 50 });
  const sender = senderOf(link, controller);
  const target = { certname: AGENT, host: '127.0.0.1', port: agent.port, via };
  try {
    return await during(
      what,
      {
        what: 'kick agent at a broker',
        ...{ pid: agent.pid, port: agent.port, most: MOST },
        ask: () => sender.status(target, { signal: AbortSignal.timeout(PATIENCE_MS) }),
      },
      start,
    );
  } finally {
    sender.close();
    await link.close();
    await agent.kill();
  }
}

function senderOf(link: BrokerConnection, identity: Identity): Sender {
  return httpsSender({
    ...{ identity, connectTimeoutMs: 5000 },
    reach: (direct) => anyReach({ ...direct, streams: new NatsDialler(link, identity.certname) }),
  });
}

/** It says as much as it can, for as long as anybody reads; the questions come by the port. */
async function underBroker(place: Place): Promise<Row> {
  const sockets = new Set<Socket>();
  let isPouring = false;
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => void sockets.delete(socket)));
    socket.write('INFO {"version":"2.9.10","max_payload":1048576,"headers":true}\r\n');
    socket.on('data', (bytes: Buffer) => {
      for (const _ of bytes.toString('latin1').matchAll(/PING\r\n/g)) socket.write('PONG\r\n');
    });
    socket.on('drain', () => isPouring && pour(socket));
  });
  const port = await listenOn(server);
  const end = () => {
    isPouring = false;
  };
  const start = (): Flooding => {
    isPouring = true;
    for (const socket of sockets) pour(socket);
    return { begun: Promise.resolve(), end };
  };
  try {
    const what = 'whatever it sends, asked by its port';
    return await againstAgent(place, { what, address: `127.0.0.1:${port}`, via: 'direct', start });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

const POURED = Buffer.from(`MSG kick.v1.up.c.s.1.${AGENT} 1 r 200\r\n${'x'.repeat(200)}\r\n`.repeat(300));

function pour(socket: Socket): void {
  for (let count = 0; count < 100 && socket.write(POURED); count++);
}

/** Another host may say that it is here, as often as it likes. */
async function againstController({ own, pkiDir, controller }: Place, ca: MintedCa): Promise<Row> {
  const name = 'web9.bench';
  const { key, certificate } = ca.issue(name, { role: 'agent' });
  const pem = join(own, 'other.pem');
  writeFileSync(pem, key + certificate, { mode: 0o600 });
  const authority = join(own, 'ca.pem');
  writeFileSync(authority, ca.certificates);
  const parties = { ca, agents: [AGENT, name], controllers: [CONTROLLER] };
  const broker = await startNatsServer({ folder: join(own, 'permissions'), ...parties });
  const nats = { servers: [broker.address] };
  writeFileSync(join(own, 'agent.yaml'), JSON.stringify({ runner: 'command', command: ['/bin/true'], nats }));
  const agent = await startAsUnit(agentCommand({ configDir: own, pkiDir, certname: AGENT }, [PROGRAM]));
  const link = new BrokerConnection({ ...nats, tls: true, identity: controller, maxWaitMs: 50 });
  const sender = senderOf(link, controller);
  const target = { certname: AGENT, host: '127.0.0.1', port: 1, via: 'nats' as const };
  const publish: Publish[] = [
    [`kick.v1.here.${name}`, 'x', Buffer.alloc(2000, 7).toString('base64')],
    [`kick.v1.down.${controllerToken(CONTROLLER)}.s.NUMBER.${name}`],
  ];
  try {
    return await during(
      "2,000 times a second all that another host's account may say to it",
      {
        what: 'a controller at a broker',
        ...{ pid: process.pid, port: 0, most: MOST },
        ask: () => sender.status(target, { signal: AbortSignal.timeout(PATIENCE_MS) }),
      },
      () => natsFlood({ port: broker.port, perSecond: 2000, publish, pem, ca: authority }),
    );
  } finally {
    sender.close();
    await link.close();
    await agent.kill();
    await broker.kill('SIGKILL');
  }
}
