/** HTTP, in both directions. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { encodeEvent, MAX_EVENT_BYTES } from '../../../src/protocol/event.ts';
import { MAX_ANSWER_BYTES, MAX_REQUEST_BYTES } from '../../../src/protocol/request.ts';
import { readJson } from '../../../src/transport/https/client/answer-reader.ts';
import { readEvents } from '../../../src/transport/https/client/event-reader.ts';
import { type Answer, exchange } from '../../../src/transport/https/client/exchange.ts';
import { handedOnPeer, handOn } from '../../../src/transport/https/helper/handed-on.ts';
import { HttpProblem } from '../../../src/transport/https/listener/refusal-status.ts';
import { readBody } from '../../../src/transport/https/listener/request-body.ts';
import { EVENTS_TYPE, JSON_TYPE, REQUEST_TYPE } from '../../../src/transport/https/media-types.ts';
import { SendError, wholeBudget } from '../../../src/transport/transport.ts';
import { type Decoder, isOf, json, textSample } from './decoder.ts';
import { AGENT, EVENTS, REQUESTS, STATUS } from './samples.ts';

/** A connection whose other end says this at once, and then hangs up; `isOpen`: only later. */
function saying(bytes: Uint8Array, { isOpen = false } = {}): Duplex {
  const socket = new Duplex({
    read() {},
    write: (_chunk, _encoding, done) => done(),
  });
  socket.on('error', () => {});
  for (let at = 0; at < bytes.length; at += 16_384) socket.push(bytes.subarray(at, at + 16_384));
  if (!isOpen) socket.push(null);
  return socket;
}

const LIMITS = { continueMs: 5000, answerMs: 5000, headerBytes: 16_384, answerBytes: MAX_ANSWER_BYTES };
const TARGET = { certname: AGENT, host: AGENT, port: 8139 };

const ask = (input: Uint8Array, body?: Uint8Array): Promise<Answer> =>
  exchange(
    saying(input) as unknown as TLSSocket,
    { method: body === undefined ? 'GET' : 'POST', path: '/v1/status', ...(body !== undefined && { body }) },
    { target: TARGET, limits: LIMITS },
  );

const head = (type: string, length: number, more = '') =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n${more}\r\n`;

const WORDS = [
  ...[
    'HTTP/1.1 ',
    '100 Continue\r\n\r\n',
    '200 OK',
    '101',
    '\r\n',
    'transfer-encoding: chunked\r\n',
    'content-length: 5\r\n',
  ],
  ...['0\r\n\r\n', 'ffffffff\r\n', 'connection: upgrade\r\n', 'trailer: x\r\n', 'content-encoding: gzip\r\n'],
];

const answer: Decoder = {
  name: 'http-answer',
  about: "an HTTP answer with a document: the controller, of whatever is at an agent's address",
  open() {
    const body = JSON.stringify(STATUS);
    const chunked = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n`;
    return {
      samples: [
        textSample(head(JSON_TYPE, body.length) + body),
        textSample(chunked),
        {
          ...json(STATUS),
          wrap: (inner) => Buffer.concat([Buffer.from(head(JSON_TYPE, inner.length)), inner]),
        },
      ],
      async decode(input) {
        const { response, sent } = await ask(input);
        return readJson(response, { sent, limits: LIMITS });
      },
      isDeclared: isOf(SendError),
      words: WORDS,
      maxBytes: MAX_ANSWER_BYTES,
    };
  },
};

const stream: Decoder = {
  name: 'http-events',
  about: "an HTTP answer with events: the controller, of whatever is at an agent's address",
  open() {
    const lines = EVENTS.map(encodeEvent).join('');
    const start = 'HTTP/1.1 100 Continue\r\n\r\n';
    return {
      samples: [
        textSample(start + head(EVENTS_TYPE, lines.length) + lines),
        {
          ...{ shape: 'lines', bytes: Buffer.from(lines) },
          wrap: (inner) => Buffer.concat([Buffer.from(start + head(EVENTS_TYPE, inner.length)), inner]),
        },
      ],
      async decode(input) {
        const { response } = await ask(input, Buffer.from('{}'));
        const seen: unknown[] = [];
        const budget = wholeBudget();
        const limits = { silenceMs: 5000, eventBytes: MAX_EVENT_BYTES, budget };
        for await (const event of readEvents(response, limits)) seen.push(event);
        return seen;
      },
      isDeclared: isOf(SendError),
      words: WORDS,
      maxBytes: 256 << 10,
    };
  },
};

const asked: Decoder = {
  name: 'http-request',
  about: 'an HTTP request and its body: the agent, of anybody who connects',
  open() {
    let settle: (result: { value?: unknown; error?: unknown }) => void = () => {};
    const server: Server = createServer((request, response) => {
      void bodyOf(request, response).then(
        (value) => settle({ value }),
        (error: unknown) => settle({ error }),
      );
    });
    server.on('checkContinue', (request, response) => void server.emit('request', request, response));
    server.on('clientError', (_error, socket) => socket.destroy());
    const body = JSON.stringify(REQUESTS[0]);
    const line = 'POST /v1/requests HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n';
    return {
      samples: [
        textSample(`${line}content-type: ${REQUEST_TYPE}\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
      ],
      decode: (input) =>
        new Promise((resolve, reject) => {
          const socket = saying(input, { isOpen: true });
          settle = ({ value, error }) => (error === undefined ? resolve(value) : reject(error as Error));
          // Whatever is no request ends the connection.
          socket.once('close', () => setImmediate(() => resolve(undefined)));
          server.emit('connection', socket);
          // Whoever hangs up while it is read wants no answer.
          setImmediate(() => setImmediate(() => socket.push(null)));
        }),
      isDeclared: isOf(HttpProblem),
      words: [
        ...WORDS,
        'GET /v1/status?classes=1 HTTP/1.1',
        'expect: ',
        'content-encoding: ',
        'content-length: 1e3\r\n',
      ],
      maxBytes: MAX_REQUEST_BYTES,
    };
  },
};

const DATE = 'Sat, 28 Nov 2026 09:00:00 GMT';

const handedOn: Decoder = {
  name: 'handed-on',
  about: 'who asks: a helper, of a listener that is not believed',
  open: () => ({
    samples: [
      json(handOn({ certificate: Buffer.from('a certificate'), address: '192.0.2.1' }, { date: DATE })),
      json(handOn({ certificate: Buffer.alloc(4000, 7), address: '2001:db8::1' }, {})),
    ],
    decode(input) {
      const headers: unknown = parsedOr(input, {});
      return handedOnPeer({ headers } as IncomingMessage);
    },
    isDeclared: isOf(HttpProblem),
    words: ['kick-peer', 'kick-address', '=', '===='],
  }),
};

/** Node's headers: values of text. */
function parsedOr(input: Uint8Array, other: object): object {
  try {
    const value = Object.entries(JSON.parse(Buffer.from(input).toString()) as object);
    return Object.fromEntries(value.filter(([, text]) => typeof text === 'string'));
  } catch {
    return other;
  }
}

async function bodyOf(request: IncomingMessage, response: Parameters<typeof readBody>[1]): Promise<number> {
  try {
    return (await readBody(request, response, MAX_REQUEST_BYTES)).length;
  } finally {
    response.end();
  }
}

export const HTTP: readonly Decoder[] = [answer, stream, asked, handedOn];
