/** What travels between controller and agent: requests and events are read as ever, and junk is refused. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeEnvelope, leafOf, parseRequest, verifySignature } from '../../src/protocol/envelope.ts';
import { decodeEvent, encodeEvent, MAX_EVENT_BYTES, type StoredEvent } from '../../src/protocol/event.ts';
import {
  AGENT_OUTCOMES,
  exitCodeOf,
  isSuccess,
  OUTCOME_NAMES,
  OUTCOMES,
} from '../../src/protocol/outcome.ts';
import { Refusal } from '../../src/protocol/refusal.ts';
import { canonicalAction, type Request, type RunAction } from '../../src/protocol/request.ts';
import { seal } from '../../src/protocol/seal.ts';
import type { KeyType } from '../../tools/mint/keys.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';

const VECTORS = join(import.meta.dirname, 'vectors');
const ca = mintCa();

async function open(body: Uint8Array): Promise<Request> {
  const envelope = decodeEnvelope(body);
  return parseRequest(await verifySignature(envelope, leafOf(envelope)), '0.0.0');
}

test.each(readdirSync(VECTORS).filter((name) => name.startsWith('request-')))(
  'the fixed vector %s is opened as ever',
  async (name) => {
    const { envelope, request } = JSON.parse(readFileSync(join(VECTORS, name), 'utf8'));
    expect(await open(Buffer.from(envelope))).toEqual(request);
  },
);

test('the fixed events are read as ever', () => {
  const lines = readFileSync(join(VECTORS, 'events.ndjson'), 'utf8').trim().split('\n');
  expect(lines.map((line) => decodeEvent(Buffer.from(line)))).toEqual(lines.map((line) => JSON.parse(line)));
});

const uuid = fc.uuid({ version: 7 });
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_:.-]{0,20}$/);
const yes = fc.constant(true as const);
const action: fc.Arbitrary<RunAction> = fc.record(
  {
    op: fc.constant('run' as const),
    noop: fc.boolean(),
    tags: fc.array(tag, { minLength: 1, maxLength: 5 }),
    skipTags: fc.array(tag, { minLength: 1, maxLength: 5 }),
    environment: fc.stringMatching(/^[A-Za-z0-9_]{1,20}$/),
    useCachedCatalog: yes,
    usecacheonfailure: yes,
    ignoreschedules: yes,
    debug: yes,
    showDiff: yes,
    runTimeout: fc.integer({ min: 1, max: 86_400 }),
  },
  { requiredKeys: ['op'] },
);
const request: fc.Arbitrary<Request> = fc.record({
  v: fc.constant(1 as const),
  jti: uuid,
  job: uuid,
  attempt: fc.integer({ min: 1, max: 9999 }),
  iss: fc.constant('puppet.example.com'),
  aud: fc.stringMatching(/^[a-z0-9]{1,10}(\.[a-z0-9]{1,10}){0,3}$/),
  iat: fc.integer({ min: 0, max: 4_000_000_000 }),
  exp: fc.integer({ min: 0, max: 4_000_000_000 }),
  action,
  by: fc.record({ user: fc.string({ maxLength: 30 }), uid: fc.nat(), host: fc.string({ maxLength: 30 }) }),
});

test.each<KeyType>(['p256', 'rsa-2048', 'ed25519'])(
  'what was sealed with %s opens as it was',
  async (keyType) => {
    const made = ca.issue('puppet.example.com', { keyType });
    const signer = { key: createPrivateKey(made.key), chain: [new X509Certificate(made.certificate)] };
    await fc.assert(
      fc.asyncProperty(request, async (value) => {
        expect(await open(await seal(value, signer))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 40 },
    );
  },
);

test('a key that is too small, or of another kind, does not sign', async () => {
  const made = ca.issue('puppet.example.com', { keyType: 'rsa-1024' });
  const signer = { key: createPrivateKey(made.key), chain: [new X509Certificate(made.certificate)] };
  const [value] = fc.sample(request, 1);
  if (value === undefined) throw new Error('no sample');
  await expect(seal(value, signer)).rejects.toThrow(TypeError);
});

test('decodeEnvelope throws nothing but a Refusal, whatever comes', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 500 }),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        try {
          decodeEnvelope(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      },
    ),
  );
});

test('canonicalAction does not depend on the order of keys or tags', () => {
  fc.assert(
    fc.property(action, (value) => {
      const turned = Object.fromEntries(Object.entries(value).reverse()) as RunAction;
      if (turned.tags) turned.tags = [...turned.tags].reverse();
      expect(canonicalAction(turned)).toBe(canonicalAction(value));
    }),
  );
});

test('the exit code is 1 before 3 before 4 before 0', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...OUTCOME_NAMES)), (outcomes) => {
      const exits = outcomes.map((name) => OUTCOMES[name].exit);
      const expected = [1, 3, 4].find((exit) => exits.includes(exit as 1)) ?? 0;
      expect(exitCodeOf(outcomes)).toBe(expected);
    }),
  );
});

test('a success is exit code 0, and an agent never says that it is unreachable', () => {
  for (const name of OUTCOME_NAMES) expect(isSuccess(name)).toBe(OUTCOMES[name].exit === 0);
  expect(AGENT_OUTCOMES).not.toContain('unreachable');
});

test('decodeEvent is bounded in bytes and depth, and does not take what no agent says', () => {
  const event: StoredEvent = { type: 'accepted', version: '1', seq: 1, at: 1 };
  expect(decodeEvent(Buffer.from(encodeEvent(event)))).toEqual(event);
  const bad = [
    `{"type":"accepted","version":"${'x'.repeat(MAX_EVENT_BYTES)}","seq":1,"at":1}`,
    `{"type":"accepted","version":${'['.repeat(100)}${']'.repeat(100)},"seq":1,"at":1}`,
    '{"type":"finished","outcome":"unreachable","endedAt":1,"seq":1,"at":1}',
    '{"type":"accepted","version":"1","seq":0,"at":1}',
    'null',
    '',
  ];
  for (const line of bad) expect(() => decodeEvent(Buffer.from(line)), line.slice(0, 60)).toThrow();
});

test('an envelope of thousands of broken entries is refused in a line, before any of them is looked at', () => {
  const header = { alg: 'ES256', typ: 'kick-request+jws', x5c: Array(5400).fill('!') };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = JSON.stringify({ protected: part(header), payload: part({}), signature: 'AAAA' });
  const error = refusalOf(Buffer.from(body));
  expect(error.code).toBe('malformed');
  expect(error.message.length).toBeLessThan(200);
});

test('each part of an envelope has one spelling: bits that decoding ignores are refused', () => {
  const { envelope } = JSON.parse(readFileSync(join(VECTORS, 'request-p256.json'), 'utf8'));
  const parts = JSON.parse(envelope) as Record<string, string>;
  for (const part of ['protected', 'payload', 'signature']) {
    const others = spellings(parts[part] ?? '');
    expect(others).not.toEqual([]);
    for (const other of others) {
      const error = refusalOf(Buffer.from(JSON.stringify({ ...parts, [part]: other })));
      expect(error.code).toBe('malformed');
    }
  }
});

test('the detail of a refusal is at most 1000 characters', () => {
  expect(new Refusal('malformed', 'x'.repeat(100_000)).message).toHaveLength(1000);
});

function refusalOf(body: Uint8Array): Refusal {
  try {
    decodeEnvelope(body);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

/** Other texts that decode to the same bytes. */
function spellings(text: string): string[] {
  const bytes = Buffer.from(text, 'base64url');
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const others = [...letters].map((letter) => text.slice(0, -1) + letter);
  return [...others, `${text}=`, `${text}A`].filter(
    (other) => other !== text && Buffer.from(other, 'base64url').equals(bytes),
  );
}
