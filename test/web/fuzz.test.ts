/** Requests made from the table of routes, sound and broken: whatever comes, no answer is the server's own fault. */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { realSite, type Site } from '../support/real-site.ts';
import { type Judge, readJudge } from './document.ts';
import { writePeople } from './people.ts';
import { type Reply, signIn, startServer, type WebServer } from './web-site.ts';

/** 10,000 at the desk: `KICK_FUZZ=10000 npx vitest run --project unit test/web/fuzz.test.ts`. */
const REQUESTS = Number(process.env['KICK_FUZZ'] ?? 300);
const AT_ONCE = 25;

// biome-ignore lint/suspicious/noExplicitAny: a JSON schema is data
type Schema = any;

const odd = fc.oneof(
  fc.constantFrom(
    null,
    true,
    -1,
    0,
    1e308,
    2 ** 53,
    '',
    ' ',
    '\0',
    '../..',
    '%zz',
    '🦶',
    '__proto__',
    [],
    {},
  ),
  fc.jsonValue({ maxDepth: 3 }),
);

const words = fc.oneof(
  fc.constantFrom(
    'web1',
    'web[1-2]',
    'web*',
    '@all',
    '@none',
    '/we(b/',
    'a&b',
    '!web1',
    '10%',
    '1',
    'last',
    'x=1',
  ),
  fc.string({ maxLength: 40 }),
);

/** Values that a schema of the document allows, mostly. */
function madeOf(schema: Schema = {}): fc.Arbitrary<unknown> {
  const sound = soundOf(schema);
  return fc.oneof({ weight: 12, arbitrary: sound }, { weight: 1, arbitrary: odd });
}

function soundOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map(madeOf));
  const [first] = (schema.allOf ?? []).filter(
    (one: Schema) => one.properties !== undefined || one.items?.type,
  );
  if (first !== undefined) return soundOf(first);
  if (schema.type === 'object') return objectOf(schema);
  if (schema.type === 'array') return fc.array(madeOf(schema.items), { maxLength: 3 });
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'integer' || schema.type === 'number') {
    const { minimum = 0, maximum = 1000 } = schema;
    return fc.oneof(fc.integer({ min: minimum, max: Math.min(maximum, minimum + 50) }), fc.constant(maximum));
  }
  if (schema.pattern !== undefined) return fc.oneof(words, fc.stringMatching(/^[a-z0-9]{1,8}$/));
  return words;
}

function objectOf({ properties = {}, required = [] }: Schema): fc.Arbitrary<object> {
  const entries = Object.entries<Schema>(properties).map(([name, one]) => [name, madeOf(one)] as const);
  const known = fc.record(Object.fromEntries(entries), { requiredKeys: required });
  const more = fc.dictionary(fc.string({ maxLength: 10 }), odd, { maxKeys: 1 });
  return fc.oneof(
    { weight: 10, arbitrary: known },
    { weight: 1, arbitrary: fc.tuple(known, more).map(([one, other]) => ({ ...one, ...other })) },
  );
}

interface Made {
  name: string;
  method: string;
  path: string;
  raw: string;
  headers: Record<string, string>;
}

const header = fc.constantFrom<Record<string, string>>(
  ...[{}, {}, {}, { 'Last-Event-ID': '5' }, { 'Last-Event-ID': '-1' }, { 'Idempotency-Key': 'k' }],
  ...[{ 'Content-Type': 'text/plain' }, { 'Content-Type': 'application/json; charset=x' }, { Cookie: 'a=b' }],
  ...[{ Authorization: 'Bearer kick_x' }, { Origin: 'null' }, { 'Idempotency-Key': ' ' }],
);

function requestsOf(document: Schema, known: readonly string[]): fc.Arbitrary<Made> {
  // Without one it is another route's address.
  const parameter = fc
    .oneof(fc.constantFrom(...known), words, fc.constantFrom('%00', '%zz', '%2e%2e', '..%2f'))
    .filter((one) => one !== '');
  const all = Object.entries<Schema>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Schema>(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  return fc.constantFrom(...all).chain(({ path, method, operation }) => {
    const { operationId: name, parameters = [], requestBody } = operation;
    const query = Object.fromEntries(
      parameters
        .filter((one: Schema) => one.in === 'query')
        .map((one: Schema) => [one.name, madeOf(one.schema)]),
    );
    const body = requestBody?.content['application/json'].schema;
    return fc
      .record({
        params: fc.array(parameter, { minLength: 2, maxLength: 2 }),
        query: fc.record(query, { requiredKeys: [] }),
        body: body === undefined ? fc.constant(undefined) : madeOf(body),
        cut: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(5) }),
        header,
      })
      .map((made) => {
        let at = 0;
        const filled = path.replaceAll(/\{\w+\}/g, () => encoded(made.params[at++] ?? ''));
        const question = Object.entries(made.query).map(([key, one]) => `${key}=${encoded(String(one))}`);
        const json = JSON.stringify(made.body) ?? '';
        return {
          name,
          method: method.toUpperCase(),
          path: `${filled.slice(1)}${question.length > 0 ? `?${question.join('&')}` : ''}`,
          raw: json.slice(0, json.length - made.cut),
          headers: made.header,
        };
      });
  });
}

const encoded = (text: string) => (/^[%.\w]+$/.test(text) ? text : encodeURIComponent(text));

let site: Site;
let server: WebServer;
let judge: Judge;

beforeAll(async () => {
  site = await realSite(1, () => 'exit 0');
  site.controllerYaml({ puppetdb: false });
  writePeople(site, { admin: { role: 'admin' } });
  server = await startServer(site);
  judge = await readJudge(server);
});

test('no request is answered with 5xx, and every answer is in the document', async () => {
  const session = await signIn(server, 'admin');
  const ask = ({ name, method, path, raw, headers }: Made): Promise<Reply> => {
    const type = raw === '' ? {} : { 'Content-Type': 'application/json' };
    // Nobody signs in again and again: attempts are limited.
    const who = name === 'signOut' ? {} : session;
    // The stream of a job that never ends never ends.
    const there = name === 'streamJob' ? `jobs/${job}/events` : path;
    return server.ask(there, { method, raw, headers: { ...who, ...type, ...headers } });
  };
  const { job } = (await server.ask('jobs', { body: { choice: { hosts: ['web1'] } }, headers: session }))
    .json;
  const known = [job, 'last', 'web1.example.com'];
  const check = async (made: Made) => {
    const reply = await ask(made);
    expect({ made, is5xx: reply.status >= 500 }, reply.text).toEqual({ made, is5xx: false });
    const isRouted = reply.json?.code !== 'wrong-origin' && reply.status !== 405;
    if (isRouted) expect(judge.verdict(made.name, reply)).toBeUndefined();
  };
  // Several at once: some wait for hosts that nobody knows.
  const several = fc.array(requestsOf(judge.document, known), { minLength: AT_ONCE, maxLength: AT_ONCE });
  await fc.assert(
    fc.asyncProperty(several, async (all) => void (await Promise.all(all.map(check)))),
    { numRuns: Math.ceil(REQUESTS / AT_ONCE), endOnFailure: true },
  );
  expect((await server.ask('/healthz')).text).toBe('ok\n');
});
