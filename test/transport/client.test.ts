/** The sender: every way in which a connection fails has a sentence of its own, and the caller can go away at any stage. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { prater, tlsServer } from './liars.ts';
import { agentIdentity, BODY, controller, fail, submit } from './sending.ts';
import {
  accepted,
  anySignal,
  collect,
  failureOf,
  JOB,
  knock,
  serveUntilFinished,
  startAgent,
  startSender,
  targetAt,
} from './support.ts';

/** Until it is given up that the agent asks for the body. */
const _ASKED = { continueMs: 300 };

test('Sender says no-such-name for a name that does not resolve', async () => {
  const target = { certname: 'no-such.invalid', host: 'no-such.invalid', port: 8139 };
  const failure = await failureOf(startSender(controller).submit(target, BODY, { signal: anySignal() }));
  expect(failure).toMatchObject({ failure: 'no-such-name', arrived: false });
  expect(failure.message).toContain('the name "no-such.invalid" does not resolve');
});

test('Sender says connection-refused when nothing listens', async () => {
  const server = createTcpServer();
  const port = await serveUntilFinished(server);
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
  const failing = fail(await serveUntilFinished(server), submit, { connectMs: 300 });
  const [socket] = (await once(server, 'connection')) as [Socket];
  await once(socket, 'data'); // it has begun its handshake
  vi.advanceTimersByTime(300);
  const failure = await failing;
  expect(failure).toMatchObject({ failure: 'no-answer', arrived: false });
  expect(failure.message).toMatch(/is open but does not answer within 300ms$/);
});

test('Sender says broken when the connection is closed during the handshake', async () => {
  const port = await serveUntilFinished(
    createTcpServer((socket) => socket.once('data', () => socket.destroy())),
  );
  expect(await fail(port)).toMatchObject({ failure: 'broken', arrived: false });
});

test('Sender says garbage when the port speaks something else', async () => {
  const port = await serveUntilFinished(createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
  expect(await fail(port)).toMatchObject({ failure: 'garbage', arrived: false });
});

test('Sender says garbage when the port speaks TLS 1.2 only', async () => {
  const port = await serveUntilFinished(tlsServer({ tls: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } }));
  expect(await fail(port)).toMatchObject({ failure: 'garbage', arrived: false });
});

test('Sender says aborted when the signal is there already, or comes at any stage', async () => {
  const done = new AbortController();
  done.abort();
  const sender = startSender(controller);
  expect(await failureOf(sender.submit(targetAt(1), BODY, { signal: done.signal }))).toMatchObject({
    failure: 'aborted',
    arrived: false,
  });
  const silent = await serveUntilFinished(createTcpServer());
  for (const port of [silent, await prater()]) {
    const abort = new AbortController();
    const failure = failureOf(sender.submit(targetAt(port), BODY, { signal: abort.signal }));
    setTimeout(() => abort.abort(), 100);
    expect(await failure).toMatchObject({ failure: 'aborted', arrived: false });
  }
});

test('Sender serves many hosts with one signal and leaves nothing behind', async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error) => warnings.push(warning);
  process.on('warning', warn);
  const { target } = await startAgent(agentIdentity, {
    limits: { handshakes: 1000, handshakesAtOnce: 1000 },
    service: {
      events: async () =>
        async function* () {
          yield accepted();
        },
    },
  });
  const sender = startSender(controller);
  const signal = anySignal();
  const work = Array.from({ length: 100 }, async () =>
    collect(await sender.resume(target, { job: JOB, after: 0, signal })),
  );
  expect((await Promise.all(work)).flat()).toHaveLength(100);
  process.off('warning', warn);
  expect(warnings).toEqual([]);
});
