/** Streams over two subjects: whole, in order, with back pressure, and broken by whatever a broker does to a message. */
import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readFrame, writeFrame } from '../../../src/transport/nats/frame.ts';
import { answerToUnknown, NatsStream, WINDOW_BYTES } from '../../../src/transport/nats/stream.ts';

type Deliver = (message: Uint8Array, deliver: (message: Uint8Array) => void) => void;

const faithful: Deliver = (message, deliver) => deliver(message);

/** Two ends, and a broker between them that hands on messages in later turns. */
function pair(broker: Deliver = faithful) {
  const closed = { left: 0, right: 0 };
  const end = (name: 'left' | 'right', other: () => NatsStream) =>
    new NatsStream({
      send: (message) => setImmediate(() => broker(message, (one) => other().receive(one))),
      onClose: () => {
        closed[name] += 1;
      },
      remoteAddress: 'nats:test',
      remotePort: 1,
    });
  const left: NatsStream = end('left', () => right);
  const right: NatsStream = end('right', () => left);
  const errors: { left?: string; right?: string } = {};
  left.on('error', (error) => {
    errors.left = error.message;
  });
  right.on('error', (error) => {
    errors.right = error.message;
  });
  const over = Promise.all([left, right].map((one) => new Promise((resolve) => one.once('close', resolve))));
  return { left, right, errors, closed, over };
}

/** What the n-th message of a stream is replaced by: none, two, another. */
function changing(number: number, change: (message: Uint8Array) => Uint8Array[]): Deliver {
  let count = 0;
  return (message, deliver) => {
    count += 1;
    for (const one of count === number ? change(message) : [message]) deliver(one);
  };
}

/** Unlike `for await`, without destroying it at the end of what is read. */
function read(stream: NatsStream): Promise<Buffer> {
  const parts: Buffer[] = [];
  return new Promise((resolve) => {
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => resolve(Buffer.concat(parts)));
  });
}

test('a megabyte arrives whole in both directions, and both ends close', async () => {
  const { left, right, errors, closed, over } = pair();
  const [up, down] = [randomBytes(1 << 20), randomBytes((1 << 20) + 7)];
  left.end(up);
  right.end(down);
  const [atRight, atLeft] = await Promise.all([read(right), read(left)]);
  expect(atRight.equals(up)).toBe(true);
  expect(atLeft.equals(down)).toBe(true);
  await over;
  expect(errors).toEqual({});
  expect(closed).toEqual({ left: 1, right: 1 });
});

test('a reader that does not read holds the writer at one window', async () => {
  let bytes = 0;
  const { left, right } = pair((message, deliver) => {
    const frame = readFrame(message);
    if (frame?.type === 'data') bytes += frame.data.byteLength;
    deliver(message);
  });
  left.write(randomBytes(1 << 20));
  await expect.poll(() => bytes).toBe(WINDOW_BYTES);
  // Messages are handed on in the next turn: whatever else was allowed would come now.
  for (let turns = 0; turns < 100; turns++) await nextTurn();
  expect(bytes).toBe(WINDOW_BYTES);
  right.resume();
  await expect.poll(() => bytes).toBe(1 << 20);
  left.destroy();
});

test('what was sent before an orderly end is read, though the sender closes at once', async () => {
  const { left, right, errors } = pair();
  const sent = randomBytes(200_000);
  left.resume();
  left.end(sent, () => left.destroy());
  await new Promise((resolve) => left.once('close', resolve));
  // A slow reader, which also writes to who is gone.
  right.write('late');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await read(right)).equals(sent)).toBe(true);
  expect(errors).toEqual({});
});

const damages: Record<string, (message: Uint8Array) => Uint8Array[]> = {
  lost: () => [],
  repeated: (message) => [message, message],
  'of another number': (message) => [Buffer.from(message).fill(9, 1, 5)],
  'of no type': (message) => [Buffer.concat([Buffer.of(77), message.subarray(1)])],
  empty: () => [new Uint8Array(0)],
};

for (const [name, change] of Object.entries(damages)) {
  test(`a message that is ${name} breaks both ends`, async () => {
    const { left, right, errors, over } = pair(changing(3, change));
    left.on('data', () => {});
    right.on('data', () => {});
    left.write(randomBytes(200_000));
    await over;
    expect(Object.keys(errors).length).toBeGreaterThan(0);
  });
}

test('two messages in the wrong order break both ends', async () => {
  let held: Uint8Array | undefined;
  let count = 0;
  const { left, right, errors, over } = pair((message, deliver) => {
    count += 1;
    if (count === 2) {
      held = message;
      return;
    }
    deliver(message);
    if (held !== undefined) deliver(held);
    held = undefined;
  });
  left.on('data', () => {});
  right.on('data', () => {});
  left.write(randomBytes(200_000));
  await over;
  expect(errors.right).toMatch(/^message 3 came instead of 2$/);
  expect(errors.left).toMatch(/the other end broke the stream: message 3 came instead of 2/);
});

test('a peer that sends more than it may, or grants more than was used, is cut off', async () => {
  const sending = pair();
  for (let number = 1; number <= 20; number++) {
    sending.right.receive(writeFrame({ type: 'data', data: new Uint8Array(32 << 10) }, number));
  }
  await sending.over;
  expect(sending.errors.right).toBe('more came than was allowed');
  const granting = pair();
  granting.right.receive(writeFrame({ type: 'credit', bytes: 1 }, 1));
  await granting.over;
  expect(granting.errors.right).toBe('more credit than was used');
});

test('any bytes are a frame that writes back as the same bytes, or no frame', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const frame = readFrame(bytes);
      if (frame === undefined) return;
      const { number, ...rest } = frame;
      if (rest.type === 'reset') return; // a reason need not be UTF-8
      expect(Buffer.from(writeFrame(rest, number)).equals(bytes)).toBe(true);
    }),
    { numRuns: 5000 },
  );
});

test('random messages end a stream and never throw', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (messages) => {
      const { right } = pair(() => {});
      for (const message of messages) right.receive(message);
      right.destroy();
    }),
    { numRuns: 2000 },
  );
});

test('a reset is never answered with a reset', () => {
  expect(answerToUnknown(writeFrame({ type: 'reset', reason: 'x' }, 0))).toBeUndefined();
  expect(answerToUnknown(Buffer.of(1, 2))).toBeUndefined();
  const answer = answerToUnknown(writeFrame({ type: 'probe' }, 7));
  expect(answer && readFrame(answer)).toMatchObject({ type: 'reset', number: 0 });
});
