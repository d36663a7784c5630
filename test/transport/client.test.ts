import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Identity } from '../../src/pki/identity.ts';
import { Refusal } from '../../src/protocol/refusal.ts';
import type { SenderLimits } from '../../src/transport/https/limits.ts';
import { tlsOptions } from '../../src/transport/https/tls-options.ts';
import type { SendError, Sender } from '../../src/transport/transport.ts';
import { selfSigned, testCa } from './mint.ts';
import {
  accepted,
  anySignal,
  collect,
  failureOf,
  JOB,
  knock,
  listenOn,
  startAgent,
  startSender,
  targetAt,
} from './support.ts';

const ca = testCa();
const agentIdentity = ca.agent();
const controller = ca.controller();
const BODY = Buffer.from('{"protected":"x"}');
/** So that nothing is given up but what a test is about, however busy the machine is. */
const PATIENT = { connectMs: 600_000, continueMs: 600_000, answerMs: 600_000, silenceMs: 600_000 };

/** Until it is given up that the agent asks for the body. */
const ASKED = { continueMs: 300 };

type Call = (sender: Sender, port: number) => Promise<unknown>;
const submit: Call = (sender, port) => sender.submit(targetAt(port), BODY, anySignal());
const status: Call = (sender, port) => sender.status(targetAt(port), anySignal());

function fail(port: number, call: Call = submit, limits: Partial<SenderLimits> = {}): Promise<SendError> {
  return failureOf(call(startSender(controller, { limits: { ...PATIENT, ...limits } }), port));
}

// ---------------------------------------------------------------- before TLS

test('Sender says no-such-name for a name that does not resolve', async () => {
  const target = { certname: 'no-such.invalid', host: 'no-such.invalid', port: 8139 };
  const failure = await failureOf(startSender(controller).submit(target, BODY, anySignal()));
  expect(failure).toMatchObject({ failure: 'no-such-name', arrived: false });
  expect(failure.message).toContain('the name "no-such.invalid" does not resolve');
});

test('Sender says connection-refused when nothing listens', async () => {
  const server = createTcpServer();
  const port = await listenOn(server);
  await new Promise((resolve) => server.close(resolve));
  const failure = await fail(port);
  expect(failure).toMatchObject({ failure: 'connection-refused', arrived: false });
  expect(failure.message).toBe(`port ${port} of "127.0.0.1" refused: kick agent is not running`);
});

test('Sender says no-answer when nobody takes the connection', async () => {
  // A listener that never accepts: with its queue full the kernel answers no SYN, as a firewall does.
  const script = `require('net').createServer().listen(0, '127.0.0.1', 1, function () {
    process.stdout.write(this.address().port + '\\n', () => setImmediate(() => { for (;;); }));
  })`;
  const deaf = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void deaf.kill('SIGKILL'));
  const [line] = await once(deaf.stdout, 'data');
  deaf.kill('SIGSTOP');
  const port = Number(line);
  const queued = Array.from({ length: 4 }, () => knock(port));
  await Promise.race(queued.map(({ socket }) => once(socket, 'connect')));
  const failure = await fail(port, submit, { connectMs: 300 });
  expect(failure).toMatchObject({ failure: 'no-answer', arrived: false });
  expect(failure.message).toBe(`no answer on port ${port} of "127.0.0.1" within 300ms: firewall?`);
});

test('Sender says no-answer when the port is open and silent', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const server = createTcpServer();
  const failing = fail(await listenOn(server), submit, { connectMs: 300 });
  const [socket] = (await once(server, 'connection')) as [Socket];
  await once(socket, 'data'); // it has begun its handshake
  vi.advanceTimersByTime(300);
  const failure = await failing;
  expect(failure).toMatchObject({ failure: 'no-answer', arrived: false });
  expect(failure.message).toMatch(/is open but does not answer within 300ms$/);
});

test('Sender says broken when the connection is closed during the handshake', async () => {
  const port = await listenOn(createTcpServer((socket) => socket.once('data', () => socket.destroy())));
  expect(await fail(port)).toMatchObject({ failure: 'broken', arrived: false });
});

test('Sender says garbage when the port speaks something else', async () => {
  const port = await listenOn(createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
  expect(await fail(port)).toMatchObject({ failure: 'garbage', arrived: false });
});

test('Sender says garbage when the port speaks TLS 1.2 only', async () => {
  const port = await listenOn(tlsServer({ tls: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } }));
  expect(await fail(port)).toMatchObject({ failure: 'garbage', arrived: false });
});

// ---------------------------------------------------------------- whose certificate

async function failWith(server: Identity, client: Identity = controller): Promise<SendError> {
  const port = await listenOn(tlsServer({ identity: server }));
  const failure = await failureOf(startSender(client).submit(targetAt(port), BODY, anySignal()));
  expect(failure).toMatchObject({ failure: 'certificate', arrived: false });
  return failure;
}

test('Sender names the host whose certificate of our CA it met', async () => {
  const { message } = await failWith(ca.agent('other.example.com'));
  expect(message).toBe('the certificate there is that of "other.example.com"');
});

test('Sender does not take a certificate for its DNS names alone', async () => {
  const both = ca.agent('other.example.com', {
    alternativeNames: ['other.example.com', 'agent.example.com'],
  });
  expect((await failWith(both)).message).toContain('"other.example.com"');
});

test('Sender takes a certificate with the certname among several DNS names', async () => {
  const several = ca.agent('agent.example.com', { alternativeNames: ['puppet', 'agent.example.com'] });
  const { message } = await fail(await listenOn(tlsServer({ identity: several })), submit, ASKED);
  expect(message).toBe('kick agent does not answer within 300ms'); // so it was asked
});

test('Sender does not take a certificate without the DNS name', async () => {
  const without = ca.agent('agent.example.com', { alternativeNames: ['*.example.com'] });
  expect((await failWith(without)).message).toContain('DNS names');
});

test.each([
  [['agent.example.com', 'agent.example.com']],
  [['other.example.com', 'agent.example.com']],
  [['agent.example.com\n']],
  [['agent.example.com\0.evil.example']],
])('Sender does not take a certificate with the common names %j', async (commonNames) => {
  await failWith(ca.agent('agent.example.com', { commonNames }));
});

test('Sender does not repeat a name that is no certname', async () => {
  const { message } = await failWith(ca.agent('agent.example.com', { commonNames: ['Evil "host"'] }));
  expect(message).not.toContain('Evil');
});

test('Sender says so when the certificate is not of our CA', async () => {
  for (const server of [testCa({ name: 'Other' }).agent(), testCa().agent(), selfSigned(agentIdentity)]) {
    expect((await failWith(server)).message).toContain('not of our CA');
  }
});

test('Sender says so when the certificate has expired or is not valid yet', async () => {
  const old = ca.agent('agent.example.com', { notAfter: Date.now() - 1000 });
  expect((await failWith(old)).message).toBe('the certificate there has expired');
  const early = ca.agent('agent.example.com', { notBefore: Date.now() + 3_600_000 });
  expect((await failWith(early)).message).toContain('not valid yet');
});

test('Sender says so when the certificate is revoked', async () => {
  const own = testCa();
  const server = own.agent();
  own.revoke(server);
  expect((await failWith(server, own.controller())).message).toBe('the certificate there is revoked');
});

test("Sender says so when a controller's certificate serves", async () => {
  expect((await failWith(ca.controller('agent.example.com'))).message).toContain('not for a server');
});

test('Sender says so when its own CRL is out of date', async () => {
  const old = testCa({ crlDays: -1 });
  expect((await failWith(old.agent(), old.controller())).message).toContain('our CRL is out of date');
});

test('Sender refuses an identity without CA or CRL', () => {
  expect(() => startSender({ ...controller, ca: [] })).toThrow(expect.objectContaining({ code: 'identity' }));
  expect(() => startSender({ ...controller, crls: [] })).toThrow(
    expect.objectContaining({ code: 'identity' }),
  );
});

// ---------------------------------------------------------------- our certificate, their answer

test.each([
  ['another CA', () => testCa({ name: 'Other' }).controller()],
  ['a certificate for servers only', () => ca.controller('c.example.com', { purposes: ['serverAuth'] })],
])('Sender says not-trusted when the agent ends the connection over %s', async (_what, make) => {
  const { target, calls } = await startAgent(agentIdentity);
  const client = { ...make(), ca: agentIdentity.ca, crls: agentIdentity.crls };
  for (const call of [submit, status]) {
    const failure = await failureOf(call(startSender(client), target.port));
    expect(failure).toMatchObject({ failure: 'not-trusted', arrived: false });
  }
  expect(calls).toEqual([]);
});

test('Sender says not-trusted when its certificate is revoked at the agent', async () => {
  const own = testCa();
  const client = own.controller();
  own.revoke(client);
  const { target } = await startAgent(own.agent());
  expect(await failureOf(submit(startSender(client), target.port))).toMatchObject({
    failure: 'not-trusted',
    arrived: false,
  });
});

test('Sender says refused, with the code and its meaning', async () => {
  const { target } = await startAgent(agentIdentity, {
    service: { submit: () => Promise.reject(new Refusal('clock-skew', 'x', { time: 99 })) },
  });
  expect(await failureOf(submit(startSender(controller), target.port))).toMatchObject({
    failure: 'refused',
    arrived: false,
    refusal: { code: 'clock-skew', time: 99 },
    message: "the two hosts' clocks differ by more than a minute",
  });
});

test('Sender sends no body to an agent that refuses it by its length', async () => {
  const { target, calls } = await startAgent(agentIdentity);
  const big = Buffer.alloc(40_000);
  const failure = await failureOf(startSender(controller).submit(target, big, anySignal()));
  expect(failure).toMatchObject({ failure: 'refused', arrived: false, refusal: { code: 'too-large' } });
  expect(calls).toEqual([]);
});

test('Sender does not know whether a request arrived that met an internal error', async () => {
  const { target } = await startAgent(agentIdentity, {
    service: { submit: () => Promise.reject(new Error('boom')) },
  });
  const failure = await failureOf(submit(startSender(controller), target.port));
  expect(failure).toMatchObject({ failure: 'refused', arrived: true, refusal: { code: 'internal' } });
});

// ---------------------------------------------------------------- agents that lie (facts, row 26)

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const STREAM = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n';
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const ACCEPTED = `${JSON.stringify(accepted())}\n`;
const END = '0\r\n\r\n';

/** A TLS server of our CA that answers as it likes: `greet` to the head, `answer` to the body. */
function tlsServer({
  identity = agentIdentity,
  greet,
  answer,
  tls = {},
}: {
  identity?: Identity;
  greet?: (socket: TLSSocket) => void;
  answer?: (socket: TLSSocket) => void;
  tls?: TlsOptions;
}): Server {
  return createTlsServer({ ...tlsOptions(identity), ...tls }, (socket) => {
    socket.on('error', () => {});
    let seen = '';
    let greeted = false;
    socket.on('data', (data) => {
      seen += data.toString('latin1');
      if (!greeted && seen.includes('\r\n\r\n')) {
        greeted = true;
        greet?.(socket);
      }
      if (seen.includes(BODY.toString())) answer?.(socket);
    });
  });
}

/** A server that asks for the body and then says this. */
function liar(...says: (string | Buffer)[]): Promise<number> {
  return listenOn(
    tlsServer({
      greet: (socket) => void socket.write(CONTINUE),
      answer: (socket) => {
        for (const text of says) socket.write(text);
      },
    }),
  );
}

/** A server that says this to whatever is asked. */
function prater(...says: string[]): Promise<number> {
  return listenOn(
    tlsServer({
      greet: (socket) => {
        for (const text of says) socket.write(text);
      },
    }),
  );
}

test('Sender gives up, not arrived, on an agent that never asks for the body', async () => {
  const failure = await fail(await prater(), submit, ASKED);
  expect(failure).toMatchObject({ failure: 'no-answer', arrived: false });
  expect(failure.message).toBe('kick agent does not answer within 300ms');
});

test('Sender gives up, arrived, on an agent that takes the body and says nothing', async () => {
  const failure = await fail(await liar(), submit, { answerMs: 300 });
  expect(failure).toMatchObject({ failure: 'no-answer', arrived: true });
});

test('Sender gives up on an agent that drips its headers', async () => {
  const port = await listenOn(
    tlsServer({
      greet: (socket) => void socket.write(CONTINUE),
      answer: (socket) => drip(socket, STREAM),
    }),
  );
  expect(await fail(port, submit, { answerMs: 300 })).toMatchObject({ failure: 'no-answer', arrived: true });
});

test('Sender says broken, arrived, when the connection breaks after the body', async () => {
  const port = await listenOn(
    tlsServer({ greet: (socket) => void socket.write(CONTINUE), answer: (socket) => void socket.destroy() }),
  );
  expect(await fail(port)).toMatchObject({ failure: 'broken', arrived: true });
});

test.each<[string, (string | Buffer)[]]>([
  ['no HTTP', ['220 ready\r\n\r\n']],
  ['a 200 without a type', ['HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n']],
  ['a web page', ['HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<p/>']],
  ['an end that cannot be seen', ['HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n\r\n', ACCEPTED]],
  ['a redirect', ['HTTP/1.1 302 Found\r\nlocation: https://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n']],
  ['an unknown refusal', ['HTTP/1.1 403 No\r\ncontent-length: 16\r\n\r\n{"code":"later"}']],
  ['a refusal that is no JSON', ['HTTP/1.1 502 Bad\r\ncontent-length: 3\r\n\r\n{"c']],
  ['a header of 9 kB', [`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(9000)}\r\n\r\n`]],
  ['another protocol', ['HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n']],
  ['lines that are no JSON', [STREAM, chunk('hello\n')]],
  ['lines that are no events', [STREAM, chunk(ACCEPTED), chunk('{"type":"accepted"}\n')]],
  ['an event with a bad number', [STREAM, chunk('{"seq":0,"at":1,"type":"accepted","version":"1"}\n')]],
  [
    'an outcome that is not its own',
    [STREAM, chunk('{"seq":1,"at":1,"type":"finished","outcome":"lost","endedAt":1}\n')],
  ],
  ['bytes that are no UTF-8', [STREAM, Buffer.from('320d0aff0a0d0a', 'hex')]],
  ['an endless line', [STREAM, chunk('x'.repeat(70_000))]],
  ['a line that is too long', [STREAM, chunk(`${'x'.repeat(70_000)}\n`)]],
])('Sender says garbage to an agent that answers %s', async (_what, says) => {
  const failure = await fail(await liar(...says));
  expect(failure).toMatchObject({ failure: 'garbage', arrived: true });
  expect(failure.message).toMatch(/^not what kick agent says: /);
});

test('Sender says garbage, not arrived, to an agent that accepts before it has the body', async () => {
  expect(await fail(await prater(STREAM, chunk(ACCEPTED), END))).toMatchObject({
    failure: 'garbage',
    arrived: false,
  });
});

test('Sender stops reading a stream that has more than its bytes', async () => {
  const events = chunk(ACCEPTED.repeat(100));
  const failure = await fail(await liar(STREAM, ...Array<string>(20).fill(events)), submit, {
    streamBytes: 50_000,
  });
  expect(failure).toMatchObject({ failure: 'garbage', arrived: true });
});

test('Sender stops reading a status of 100 MB', async () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000000\r\n\r\n';
  let sent = 0;
  const port = await listenOn(
    tlsServer({
      greet: (socket) => {
        socket.write(head);
        const block = Buffer.alloc(1_000_000, 0x20);
        const more = () => {
          if (socket.destroyed || sent >= 100) return;
          sent++;
          socket.write(block, more);
        };
        more();
      },
    }),
  );
  expect(await fail(port, status)).toMatchObject({ failure: 'garbage', arrived: false });
  expect(sent).toBeLessThan(50);
});

test('Sender gives up on a status that does not end', async () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{';
  const failure = await fail(await prater(head), status, { answerMs: 300 });
  expect(failure).toMatchObject({ failure: 'no-answer' });
});

test('Sender says garbage to a status of another shape', async () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';
  expect(await fail(await prater(head), status)).toMatchObject({ failure: 'garbage' });
});

test('a stream that falls silent is broken', async () => {
  const failure = await fail(await liar(STREAM, chunk(ACCEPTED)), submit, { silenceMs: 300 });
  expect(failure).toMatchObject({ failure: 'broken', arrived: true, message: 'nothing heard for 300ms' });
});

test('a stream that drips without ever ending a line is broken', async () => {
  const port = await listenOn(
    tlsServer({
      greet: (socket) => void socket.write(CONTINUE),
      answer: (socket) => {
        socket.write(STREAM + chunk(ACCEPTED));
        drip(socket, chunk('x').repeat(100));
      },
    }),
  );
  expect(await fail(port, submit, { silenceMs: 300 })).toMatchObject({ failure: 'broken', arrived: true });
});

test('a stream is broken when it ends without its last chunk', async () => {
  const port = await listenOn(
    tlsServer({
      greet: (socket) => void socket.write(CONTINUE),
      answer: (socket) => void socket.end(STREAM + chunk(ACCEPTED)),
    }),
  );
  expect(await fail(port)).toMatchObject({ failure: 'broken', arrived: true });
});

test('a stream is broken when it ends within a line', async () => {
  expect(await fail(await liar(STREAM, chunk(ACCEPTED), chunk('{"type"'), END))).toMatchObject({
    failure: 'broken',
  });
});

test('a stream is put together from pieces of any size', async () => {
  const pieces = [...`${ACCEPTED}{"type":"alive"}\n${ACCEPTED}`].map(chunk);
  const port = await liar(STREAM, ...pieces, END);
  const events = await collect(await startSender(controller).submit(targetAt(port), BODY, anySignal()));
  expect(events).toEqual([accepted(), { type: 'alive' }, accepted()]);
});

// ---------------------------------------------------------------- the caller

test('Sender says aborted when the signal is there already, or comes at any stage', async () => {
  const done = new AbortController();
  done.abort();
  const sender = startSender(controller);
  expect(await failureOf(sender.submit(targetAt(1), BODY, done.signal))).toMatchObject({
    failure: 'aborted',
    arrived: false,
  });
  const silent = await listenOn(createTcpServer());
  for (const port of [silent, await prater()]) {
    const abort = new AbortController();
    const failure = failureOf(sender.submit(targetAt(port), BODY, abort.signal));
    setTimeout(() => abort.abort(), 100);
    expect(await failure).toMatchObject({ failure: 'aborted', arrived: false });
  }
});

test('Sender serves many hosts with one signal and leaves nothing behind', async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error) => warnings.push(warning);
  process.on('warning', warn);
  const { target } = await startAgent(agentIdentity, {
    limits: { handshakes: 1000, handshakesPerAddress: 1000 },
    service: {
      events: async () =>
        async function* () {
          yield accepted();
        },
    },
  });
  const sender = startSender(controller);
  const signal = anySignal();
  const work = Array.from({ length: 100 }, async () => collect(await sender.resume(target, JOB, 0, signal)));
  expect((await Promise.all(work)).flat()).toHaveLength(100);
  process.off('warning', warn);
  expect(warnings).toEqual([]);
});

function drip(socket: Socket, text: string): void {
  const letters = [...text];
  const timer = setInterval(() => {
    const next = letters.shift();
    if (next === undefined || socket.destroyed) clearInterval(timer);
    else socket.write(next);
  }, 20);
  socket.on('close', () => clearInterval(timer));
}
