/** What one side of kick says to the other. */
import { sign } from 'node:crypto';
import * as v from 'valibot';
import { isMeant } from '../../../src/agent/discovery/is-meant.ts';
import { judgeHost } from '../../../src/agent/discovery/judge-host.ts';
import { ALGORITHMS, TYPES } from '../../../src/protocol/algorithm.ts';
import { AsksSchema, parseAnswer, parseQuestion } from '../../../src/protocol/discovery.ts';
import { DoctorSchema } from '../../../src/protocol/doctor.ts';
import {
  checkSize,
  decodeEnvelope,
  leafOf,
  parseRequest,
  verifySignature,
} from '../../../src/protocol/envelope.ts';
import { decodeEvent, encodeEvent, MAX_EVENT_BYTES, type StoredEvent } from '../../../src/protocol/event.ts';
import { decodeNewerEvent, type OtherEnd } from '../../../src/protocol/newer-event.ts';
import { Refusal, RefusalSchema } from '../../../src/protocol/refusal.ts';
import { MAX_ANSWER_BYTES, MAX_REQUEST_BYTES } from '../../../src/protocol/request.ts';
import { sealAs } from '../../../src/protocol/seal.ts';
import { CommandReplySchema, StatusSchema } from '../../../src/protocol/status.ts';
import { JsonError, parseJson } from '../../../src/util/json.ts';
import { type Decoder, isOf, json, within } from './decoder.ts';
import { fixedCa } from './fixed-ca.ts';
import { AGENT, AT, CONTROLLER, EVENTS, REQUESTS, RUN, STATUS, UUID } from './samples.ts';

const asJson = (value: unknown) => Buffer.from(JSON.stringify(value));

const envelope: Decoder = {
  name: 'envelope',
  about: 'a signed request (JWS): the agent, of anybody who connects',
  async open() {
    const { key, controller } = fixedCa();
    const chain = [controller];
    const [request] = REQUESTS;
    const body = JSON.parse(
      Buffer.from(await sealAs(TYPES.request, request ?? {}, { key, chain })).toString(),
    ) as {
      protected: string;
      payload: string;
    };
    const header = JSON.parse(Buffer.from(body.protected, 'base64url').toString()) as { x5c: string[] };
    /** Signed, whatever is in it, so that it is read to its end. */
    const signed = (header: string, payload: string) => {
      const bytes = Buffer.from(`${header}.${payload}`);
      const signature = sign(null, bytes, key).toString('base64url');
      return asJson({ protected: header, payload, signature });
    };
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
    const withHeader = (bytes: Uint8Array) => signed(text(bytes), body.payload);
    const withPayload = (bytes: Uint8Array) => signed(body.protected, text(bytes));
    const withLeaf = (der: Uint8Array) =>
      withHeader(asJson({ ...header, x5c: [Buffer.from(der).toString('base64'), ...header.x5c] }));
    return {
      samples: [
        json(body),
        within(header, withHeader),
        ...REQUESTS.map((one) => within(one, withPayload)),
        { shape: 'der', bytes: controller.raw, wrap: withLeaf },
      ],
      async decode(input) {
        checkSize(input);
        const decoded = decodeEnvelope(input);
        return parseRequest(await verifySignature(decoded, leafOf(decoded)), '0.1.0');
      },
      isDeclared: isOf(Refusal),
      words: [...ALGORITHMS, ...Object.values(TYPES), 'x5c', 'none', 'HS256', 'crit'],
      maxBytes: MAX_REQUEST_BYTES,
    };
  },
};

const request: Decoder = {
  name: 'request',
  about: 'what is signed: the agent, of a controller',
  open: () => ({
    samples: REQUESTS.map(json),
    decode: (input) => parseRequest(input, '0.1.0'),
    isDeclared: isOf(Refusal),
    encode: asJson,
    maxBytes: MAX_REQUEST_BYTES,
  }),
};

const events: Decoder = {
  name: 'event',
  about: 'a line of a stream of events: the controller, of an agent',
  open: () => ({
    samples: EVENTS.map(json),
    decode: decodeEvent,
    isDeclared: isOf(JsonError, v.ValiError),
    encode: (value) =>
      'seq' in (value as object) ? Buffer.from(encodeEvent(value as StoredEvent).trimEnd()) : undefined,
    maxBytes: MAX_EVENT_BYTES,
  }),
};

const newerEvents: Decoder = {
  name: 'newer-event',
  about: 'a line of a stream of events that is none of this version: the controller, of an agent',
  open: () => ({
    samples: [...EVENTS, { seq: 9, at: AT, type: 'finished', outcome: 'later' }].map(json),
    decode: decodeNewerEvent,
    isDeclared: isOf(JsonError),
    encode: (value) => {
      const event = value as StoredEvent | OtherEnd | undefined;
      if (event === undefined) return undefined;
      return asJson(event.type === 'other-end' ? { ...event, type: 'finished' } : event);
    },
    maxBytes: MAX_EVENT_BYTES,
  }),
};

/** Answers that are a document each. */
const document = (
  name: string,
  about: string,
  schema: v.GenericSchema,
  values: readonly unknown[],
): Decoder => ({
  name,
  about,
  open: () => ({
    samples: values.map(json),
    decode: (input) => v.parse(schema, parseJson(input, { maxBytes: MAX_ANSWER_BYTES })),
    isDeclared: isOf(JsonError, v.ValiError),
    encode: asJson,
    maxBytes: MAX_ANSWER_BYTES,
  }),
});

const REFUSALS = [{ code: 'clock-skew', version: '1', runner: 'command', time: AT / 1000 }];
const REPLIES = [{ result: 'held', message: 'somebody else disabled it' }, { message: 'done' }];

const ASKS = {
  ...{
    facts: ['os.family=Debian', 'n>=4', 'deep.a[0].b~^x'],
    classes: ['apache'],
    last: ['failed', 'stale'],
  },
  ...{ where: ['os.family=Debian and not (class(apache) or n<4)'], olderThan: 3_600_000 },
};
const QUESTION = {
  ...{
    v: 1,
    jti: UUID,
    iss: CONTROLLER,
    session: 'a-Z_0',
    iat: AT / 1000,
    exp: AT / 1000 + 30,
    asks: ASKS,
    all: true,
  },
};
const ANSWER = { v: 1, question: UUID, iss: AGENT, is: 'unclear', why: 'it is not known' };

const signed = (
  name: string,
  about: string,
  parse: (bytes: Uint8Array) => unknown,
  value: unknown,
): Decoder => ({
  name,
  about,
  open: () => ({
    samples: [json(value)],
    decode: parse,
    isDeclared: isOf(Refusal),
    encode: asJson,
    maxBytes: MAX_REQUEST_BYTES,
  }),
});

const FACTS = { os: { family: 'Debian' }, n: 4, deep: { a: [{ b: 'xyz' }] }, text: 'a'.repeat(40), id: RUN };

const asks: Decoder = {
  name: 'asks',
  about: 'the conditions of a question to all hosts, and their judgement: the agent, of a controller',
  open: () => ({
    samples: [json(ASKS), json({ facts: ['text~^a+b', 'n<5'] }), json({ where: ['id~^01 or class(a::b)'] })],
    decode(input) {
      const value = parseJson(input, { maxBytes: MAX_REQUEST_BYTES });
      v.parse(AsksSchema, value);
      return judgeHost(value, {
        facts: async () => ({ facts: FACTS }),
        status: async () => STATUS,
        version: '0.1.0',
      });
    },
    isDeclared: isOf(JsonError, v.ValiError),
    words: ['os', 'family', 'deep.a[0].b', '~', '=', '!=', '>=', 'and', 'or', 'not', 'class('],
    maxBytes: MAX_REQUEST_BYTES,
  }),
};

const MEANT = {
  named: ['web[1-3],@dmz', '/^agent/', '*.example.com'],
  exclude: ['web2'],
  domain: 'example.com',
};

const meant: Decoder = {
  name: 'meant',
  about: 'whom a question names: the agent, of a controller',
  open: () => ({
    samples: [json(MEANT), json({ named: ['agent!x&*'] })],
    decode: (input) => isMeant(parseJson(input, { maxBytes: MAX_REQUEST_BYTES }), AGENT),
    isDeclared: isOf(JsonError),
    words: ['[1-3]', ',', '!', '&', '^', '@', '*', '/', '"', '(a+)+$'],
    maxBytes: MAX_REQUEST_BYTES,
  }),
};

export const PROTOCOL: readonly Decoder[] = [
  envelope,
  request,
  events,
  newerEvents,
  document('status', "an agent's status: the controller, of an agent", StatusSchema, [STATUS]),
  document('doctor', 'what kick doctor is told of a host', DoctorSchema, [STATUS.doctor]),
  document('reply', 'what became of a command: the controller, of an agent', CommandReplySchema, REPLIES),
  document('refusal', 'why an agent refuses: the controller, of an agent', RefusalSchema, REFUSALS),
  signed('question', 'who is there: the agent, of a controller', parseQuestion, QUESTION),
  signed('answer', 'I am: the controller, of an agent', parseAnswer, ANSWER),
  ...[asks, meant],
];
