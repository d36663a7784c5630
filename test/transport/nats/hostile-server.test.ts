/** Whatever sits behind the address of a broker: it costs the host little, it is told what it is, and is tried again. */
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, onTestFinished, test, vi } from 'vitest';
import { BrokerConnection } from '../../../src/transport/nats/connection.ts';
import { openConnection } from '../../../src/transport/nats/open-connection.ts';
import { listenOn } from '../../../tools/loopback.ts';
import { mintCa } from '../../../tools/mint/mint-ca.ts';
import { captureLog } from '../support.ts';

const ca = mintCa();
const identity = ca.controller();

const infoOf = (more: object = {}) =>
  `INFO ${JSON.stringify({ version: '2.9.10', max_payload: 65_536, headers: true, ...more })}\r\n`;

interface FakeServer {
  address: string;
  /** How many connections there were, and are. */
  count(): { all: number; open: number };
}

async function fakeServer(serve: (socket: Socket) => void): Promise<FakeServer> {
  let all = 0;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    all += 1;
    open.add(socket);
    socket.on('error', () => {}).on('close', () => open.delete(socket));
    serve(socket);
  });
  const port = await listenOn(server);
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { address: `127.0.0.1:${port}`, count: () => ({ all, open: open.size }) };
}

/** Lets a client in as nats-server does, and then does `next`; every PING before that has its answer. */
function welcome(next: (socket: Socket) => void, pings = 1): (socket: Socket) => void {
  return (socket) => {
    let left = pings;
    socket.write(infoOf());
    socket.on('data', (bytes: Buffer) => {
      for (const _ of bytes.toString('latin1').matchAll(/PING\r\n/g)) {
        left -= 1;
        if (left >= 0) socket.write('PONG\r\n');
        if (left === 0) next(socket);
      }
    });
  };
}

/** Writes the same for as long as somebody reads. */
function pour(socket: Socket, text: string): void {
  const bytes = Buffer.from(text);
  const more = () => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

function connectTo(address: string, { tls = false } = {}) {
  const log = captureLog();
  const link = new BrokerConnection({ servers: [address], tls, identity, maxWaitMs: 50, log });
  onTestFinished(() => link.close());
  link.subscribe('kick.v1.dial.x', () => {});
  return { link, log };
}

const LONG = 'a'.repeat(70_000);

test.each<[string, string, (socket: Socket) => void]>([
  ['answers with HTTP', 'it is no NATS server', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['sends a line without end', 'it sends a line that is too long', (socket) => pour(socket, LONG)],
  ['greets at length', 'it sends a line that is too long', (socket) => socket.write(infoOf({ id: LONG }))],
  ['has no version', 'it is no NATS server', (socket) => socket.write(infoOf({ version: 'new' }))],
  ['greets with no object', 'it is no NATS server', (socket) => socket.write('INFO nothing\r\n')],
  [
    'takes short messages only',
    'it takes messages of 1000 bytes: max_payload must be at least 36864',
    (socket) => socket.write(infoOf({ max_payload: 1000 })),
  ],
  ['requires TLS', 'the server requires TLS', (socket) => socket.write(infoOf({ tls_required: true }))],
  ['closes at once', 'it closed the connection', (socket) => socket.end()],
  ['says nonsense when it knows us', 'it is no NATS server', welcome((socket) => socket.write('QQQ\r\n'))],
  [
    'announces a message of 60 MB',
    'it sends a message of 60000000 bytes',
    welcome((socket) => socket.write('MSG a 1 60000000\r\n')),
  ],
  [
    'sends more than it announced',
    'it sends a message of another length',
    welcome((socket) => socket.write('MSG a 1 2\r\nabcde\r\n')),
  ],
  [
    'sends headers longer than the message',
    'it is no NATS server',
    welcome((socket) => socket.write('HMSG a 1 9 2\r\nab\r\n')),
  ],
  [
    'refuses without end',
    'it sends a line that is too long',
    welcome((socket) => pour(socket, `-ERR ${LONG}`)),
  ],
  [
    'changes into another',
    'it is no NATS server',
    welcome((socket) => socket.write('INFO {"version":1}\r\n')),
  ],
  ['goes before it answers', 'it closed the connection', welcome((socket) => socket.destroy())],
])('a server that %s: "%s", and it is tried again', async (_, reason, serve) => {
  const said = vi.spyOn(console, 'log');
  const { address, count } = await fakeServer(serve);
  const { link, log } = connectTo(address);
  await expect.poll(() => link.status().reason).toBe(reason);
  await expect.poll(() => count().all).toBeGreaterThan(2);
  await link.close();
  await expect.poll(() => count().open).toBe(0);
  // The same reason is one line, however often it is tried.
  expect(log.lines).toHaveLength(1);
  expect(said).not.toHaveBeenCalled();
});

test('a server that breaks off after it has let us in', async () => {
  const { address, count } = await fakeServer(welcome((socket) => socket.write('QQQ\r\n'), 2));
  const { link } = connectTo(address);
  await expect
    .poll(() => link.status())
    .toMatchObject({ state: 'connecting', reason: 'it is no NATS server' });
  await expect.poll(() => count().all).toBeGreaterThan(2);
});

test('a server that says nothing is left after its time, and its connection is closed', async () => {
  const { address, count } = await fakeServer(() => {});
  const attempt = openConnection(address, { secureContext: undefined, name: 'kick', timeoutMs: 50 });
  await expect(attempt).rejects.toThrow(/timeout/i);
  await expect.poll(() => count()).toEqual({ all: 1, open: 0 });
});

test('what comes behind the greeting is not taken for what comes by TLS', async () => {
  const { address } = await fakeServer((socket) =>
    socket.write(`${infoOf({ tls_required: true })}MSG kick.v1.dial.x 1 0\r\n\r\n`),
  );
  const { link } = connectTo(address, { tls: true });
  await expect.poll(() => link.status().reason).toBe('it is no NATS server');
});

test('a server that speaks TLS 1.2 only is told apart', async () => {
  const { cert, key } = {
    cert: identity.chain.map(String).join(''),
    key: identity.key.export({ type: 'pkcs8', format: 'pem' }),
  };
  const secure = createTlsServer({ cert, key, maxVersion: 'TLSv1.2' }).on('tlsClientError', () => {});
  const { address } = await fakeServer((socket) => {
    socket.write(infoOf({ tls_required: true }));
    secure.emit('connection', socket);
  });
  const { link } = connectTo(address, { tls: true });
  await expect.poll(() => link.status().reason).toBe('it does not speak TLS 1.3');
});

test('a server that denies without end does not fill the log', async () => {
  let denied = 0;
  const { address } = await fakeServer(
    welcome((socket) => {
      for (let number = 0; number < 1000; number++)
        socket.write(`-ERR 'Permissions Violation for Publish to "s${number}"'\r\n`);
    }, 2),
  );
  const { link, log } = connectTo(address);
  link.onDenied(() => {
    denied += 1;
  });
  await expect.poll(() => denied).toBe(1000);
  expect(log.lines.length).toBeLessThan(30);
});

test('a flood takes no more than its share of the time', async () => {
  const { address } = await fakeServer(welcome((socket) => pour(socket, 'MSG a 1 2\r\nab\r\n'.repeat(2000))));
  const connection = await openConnection(address, { secureContext: undefined, name: 'kick', share: 0.05 });
  onTestFinished(() => connection.close());
  // Of the turns that are over, each with its rest; of the one that lasts.
  let [busyMs, turnMs, isNewTurn] = [0, 0, true];
  const startedAt = performance.now();
  await new Promise<void>((resolve) => {
    connection.subscribe('a', {
      callback() {
        if (isNewTurn) {
          [busyMs, turnMs, isNewTurn] = [busyMs + turnMs, 0, false];
          setTimeout(() => (isNewTurn = true));
          if (busyMs > 50) resolve();
        }
        const since = performance.now();
        while (performance.now() - since < 0.01);
        turnMs += performance.now() - since;
      },
    });
  });
  expect(performance.now() - startedAt).toBeGreaterThan(5 * busyMs);
});
