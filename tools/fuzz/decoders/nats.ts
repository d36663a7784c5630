/** The messages of a broker. */
import { type Frame, type NumberedFrame, readFrame, writeFrame } from '../../../src/transport/nats/frame.ts';
import { answerToUnknown, NatsStream } from '../../../src/transport/nats/stream.ts';
import {
  answerer,
  controllerOf,
  dialler,
  greeter,
  parseStream,
} from '../../../src/transport/nats/subjects.ts';
import { type Decoder, type Sample, textSample } from './decoder.ts';

const FRAMES: readonly Frame[] = [
  { type: 'accept' },
  { type: 'data', data: Buffer.from('some bytes of TLS') },
  { type: 'credit', bytes: 131_072 },
  { type: 'end' },
  { type: 'reset', reason: 'closed' },
  { type: 'probe' },
];

const frame: Decoder = {
  name: 'nats-frame',
  about: 'a message of a stream: both sides, of a broker',
  open: () => ({
    samples: FRAMES.map((one, at): Sample => ({ shape: 'bytes', bytes: writeFrame(one, at + 1) })),
    decode(input) {
      const read = readFrame(input);
      answerToUnknown(input);
      return read;
    },
    encode(value) {
      const read = value as NumberedFrame | undefined;
      // Its reason is cut at a byte, whatever it cuts through.
      return read === undefined || read.type === 'reset' ? undefined : writeFrame(read, read.number);
    },
  }),
};

/** Messages behind each other, each after its length. */
const joined = (messages: readonly Uint8Array[]) =>
  Buffer.concat(messages.flatMap((one) => [Buffer.from([one.length >> 8, one.length & 0xff]), one]));

function* messagesIn(input: Buffer): Generator<Buffer> {
  for (let at = 0; at + 2 <= input.length; ) {
    const length = input.readUInt16BE(at);
    yield input.subarray(at + 2, at + 2 + length);
    at += 2 + length;
  }
}

const natsStream: Decoder = {
  name: 'nats-stream',
  about: 'the messages of a stream, one after the other: both sides, of a broker',
  open: () => ({
    samples: [
      { shape: 'bytes', bytes: joined(FRAMES.map((one, at) => writeFrame(one, at + 1))) },
      {
        shape: 'bytes',
        bytes: joined(
          Array.from({ length: 4 }, (_, at) =>
            writeFrame({ type: 'data', data: Buffer.alloc(9, at) }, at + 1),
          ),
        ),
      },
    ],
    async decode(input) {
      let said = 0;
      let read = 0;
      const over = new Promise<void>((resolve) => {
        const options = { remoteAddress: 'nats', remotePort: 0, send: () => void said++, onClose: resolve };
        const made = new NatsStream(options);
        made.on('error', () => {});
        made.on('data', (chunk: Buffer) => {
          read += chunk.length;
        });
        made.write('what is asked');
        for (const message of messagesIn(input)) made.receive(message);
        made.destroy();
      });
      await over;
      return { isBounded: said <= input.length + 10 && read <= input.length };
    },
    maxBytes: 512 << 10,
  }),
};

const subject: Decoder = {
  name: 'nats-subject',
  about: 'the subject of a message: both sides, of a broker',
  open: () => ({
    samples: [
      ...['kick.v1.up.puppet~example~com.s1.7.agent.example.com', 'kick.v1.down.c.s.1.a', 'kick.v1.here.a.b'],
      ...['kick.v1.answer.c.s.agent.example.com', 'kick.v1.dial.puppet~example.agent'],
    ].map(textSample),
    decode(input) {
      const text = input.toString('utf8');
      return [parseStream(text), answerer(text), greeter(text), controllerOf(dialler(text) ?? '')];
    },
    words: ['kick', 'v1', '.', '*', '>', '~', 'up', 'down', 'dial', 'answer'],
  }),
};

export const NATS: readonly Decoder[] = [frame, natsStream, subject];
