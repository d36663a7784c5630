/** Agents that lie, drip, stop and prate (docs/security.md, "A: A hostile agent"): what the sender makes of them, and whether the request arrived. */
import { expect, test } from 'vitest';
import { ACCEPTED, CONTINUE, chunk, drip, END, liar, prater, STREAM, tlsServer } from './liars.ts';
import { BODY, type Call, controller, fail, status, submit } from './sending.ts';
import { accepted, anySignal, collect, JOB, serveUntilFinished, startSender, targetAt } from './support.ts';

/** Until it is given up that the agent asks for the body. */
const ASKED = { continueMs: 300 };

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
  const port = await serveUntilFinished(
    tlsServer({
      greet: (socket) => void socket.write(CONTINUE),
      answer: (socket) => drip(socket, STREAM),
    }),
  );
  expect(await fail(port, submit, { answerMs: 300 })).toMatchObject({ failure: 'no-answer', arrived: true });
});

test('Sender says broken, arrived, when the connection breaks after the body', async () => {
  const port = await serveUntilFinished(
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
  ['a refusal that is none', ['HTTP/1.1 403 No\r\ncontent-length: 12\r\n\r\n{"code":"!"}']],
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
  const budget = { bytes: 50_000, events: 1_000_000 };
  const says = await liar(STREAM, ...Array<string>(20).fill(events));
  const ask: Call = (sender, port) => sender.submit(targetAt(port), BODY, { signal: anySignal(), budget });
  expect(await fail(says, ask)).toMatchObject({ failure: 'too-much', arrived: true });
  expect(budget.bytes).toBeLessThan(0);
});

test('what an agent may send is counted over all connections of its host and job, whatever it is', async () => {
  const budget = { bytes: 1_000_000, events: 250 };
  const port = await prater(STREAM, chunk(ACCEPTED.repeat(100)), END);
  const sender = startSender(controller);
  const read = async () =>
    collect(await sender.resume(targetAt(port), { job: JOB, after: 0, signal: anySignal(), budget }));
  await expect(read()).resolves.toHaveLength(100);
  await expect(read()).resolves.toHaveLength(100);
  await expect(read()).rejects.toMatchObject({ failure: 'too-much' });
});

test('Sender stops reading a status of 100 MB', async () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000000\r\n\r\n';
  let sent = 0;
  const port = await serveUntilFinished(
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
  const port = await serveUntilFinished(
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
  const port = await serveUntilFinished(
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
  const events = await collect(
    await startSender(controller).submit(targetAt(port), BODY, { signal: anySignal() }),
  );
  expect(events).toEqual([accepted(), { type: 'alive' }, accepted()]);
});
