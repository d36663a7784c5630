/** Floods of connections at `kick serve`: who is signed in is served, also where the flood comes from their own address. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { realSite } from '../support/real-site.ts';
import { addUser, signIn, startServer, type WebServer } from './web-site.ts';

let server: WebServer;
let headers: Record<string, string>;

beforeAll(async () => {
  const site = await realSite(1, () => 'true');
  addUser(site, 'alice', '--role', 'viewer');
  server = await startServer(site);
  headers = await signIn(server, 'alice');
});

function held(sockets: Socket[]): Socket[] {
  for (const socket of sockets) socket.on('error', () => {}).resume();
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  return sockets;
}

/** Resolves once each is there, or has been put out. */
async function begun(sockets: Socket[], event: string): Promise<void> {
  const each = (socket: Socket) => new Promise((done) => socket.once(event, done).once('close', done));
  await Promise.all(sockets.map(each));
}

async function served(): Promise<number> {
  let count = 0;
  for (let index = 0; index < 15; index++) {
    const status = await server.ask('jobs', { headers }).then(
      (reply) => reply.status,
      () => 0,
    );
    if (status === 200) count += 1;
  }
  return count;
}

test.each([
  ["the operator's own address", 700, 1],
  ['250', 2200, 250],
])('silent connections from %s', async (_, count, addresses) => {
  const sockets = Array.from({ length: count }, (_, index) =>
    connect({
      ...{ port: server.port, host: '127.0.0.1' },
      localAddress: addresses === 1 ? '127.0.0.1' : `127.1.0.${(index % addresses) + 1}`,
    }),
  );
  await begun(held(sockets), 'connect');
  expect(await served()).toBe(15);
});

test('slow requests from the own address: a connection of whoever is signed in stays open, and new ones are served', async () => {
  const { port } = server;
  const say = (text: string) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.write(text);
    return socket;
  };
  const get = `GET /api/v1/session HTTP/1.1\r\nHost: x\r\nCookie: ${headers['Cookie']}\r\n\r\n`;
  const [own] = held([say(get)]);
  await once(own as Socket, 'data');
  const length =
    'POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{';
  for (let turn = 0; turn < 6; turn++) {
    const slow = held(Array.from({ length: 100 }, () => say(length)));
    await begun(slow, 'secureConnect');
  }
  expect(await served()).toBe(15);
  own?.write(get);
  const [again] = await once(own as Socket, 'data');
  expect(String(again)).toContain('200 OK');
});
