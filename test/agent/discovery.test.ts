/** DESIGN 12, discovery, on the agent: who gets an answer, and what it says. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isController } from '../../src/agent/admission/checks.ts';
import { createAnswering } from '../../src/agent/discovery/answering.ts';
import { type FactsFound, judgeHost } from '../../src/agent/discovery/judge-host.ts';
import { ownVerdicts } from '../../src/agent/discovery/own-verdicts.ts';
import type { Identity } from '../../src/pki/identity.ts';
import { TYPES, type Type } from '../../src/protocol/algorithm.ts';
import { parseAnswer } from '../../src/protocol/discovery.ts';
import { decodeEnvelope } from '../../src/protocol/envelope.ts';
import { Refusal } from '../../src/protocol/refusal.ts';
import { sealAs } from '../../src/protocol/seal.ts';
import { type Clock, systemClock } from '../../src/util/clock.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { captureLog, STATUS } from '../transport/support.ts';

const ca = mintCa();
const controller = ca.controller();
const host = ca.agent('web1.example.com');
const FACTS = { os: { family: 'Debian', release: { major: '12' } }, n: 4, list: [1], role: 'web' };

function questionBy({ certname }: Identity, more: object = {}) {
  const iat = Math.floor(Date.now() / 1000);
  const to = { session: 'abc', iat, exp: iat + 30, asks: {} };
  return { v: 1, jti: randomUUID(), iss: certname, ...to, ...more };
}

async function asked(
  more: object = {},
  {
    by = controller,
    typ = TYPES.question as Type,
    facts = { facts: FACTS } as FactsFound,
    clock = systemClock as Clock,
  } = {},
) {
  const log = captureLog();
  const policy = { controllers: [{ name: controller.certname }], trustPpCliAuth: false };
  const service = {
    status: async () => ({ ...STATUS, classes: ['apache', 'apache::ssl'], time: Date.now() }),
  };
  const answering = createAnswering({
    ...{ identity: host, clock, log },
    verdictOn: ownVerdicts({ service, version: '1', facts: async () => facts }),
    async greet({ certificate }) {
      if (!isController(certificate, policy)) throw new Refusal('controller-not-allowed', 'no');
    },
  });
  const body = await sealAs(typ, questionBy(by, more), by);
  const answer = await answering.answer(body);
  const payload = answer && Buffer.from(decodeEnvelope(answer.body, TYPES.answer).parts.payload, 'base64url');
  return { answering, body, log, to: answer, says: payload && parseAnswer(payload) };
}

test('a controller gets an answer, which is bound to the question', async () => {
  const jti = randomUUID();
  const { to, says } = await asked({
    jti,
    asks: { facts: ['os.family=Debian', 'n>=4'], classes: ['Apache'] },
  });
  expect(to).toMatchObject({ controller: controller.certname, session: 'abc' });
  expect(says).toEqual({ v: 1, question: jti, iss: 'web1.example.com', is: 'yes' });
});

test('whoever is no controller of this host, or not of our CA, gets none', async () => {
  const stranger = ca.agent('other.example.com', { purposes: ['clientAuth', 'serverAuth'] });
  expect((await asked({}, { by: stranger })).to).toBeUndefined();
  expect((await asked({}, { by: mintCa().controller() })).to).toBeUndefined();
  expect((await asked({ iss: 'puppet.example.com' })).to).toBeUndefined();
  const revoking = mintCa();
  expect((await asked({}, { by: revoking.controller() })).log.lines).toHaveLength(1);
});

test('a signed request of another kind is no question', async () => {
  expect((await asked({}, { typ: TYPES.request })).to).toBeUndefined();
  expect((await asked({}, { typ: TYPES.answer })).to).toBeUndefined();
  const { body } = await asked();
  expect(() => decodeEnvelope(body)).toThrow(/not a "kick-request\+jws"/);
});

test('what is no question of a controller’s is judged by nobody: not by the helper of a listener either', async () => {
  let judged = 0;
  const answering = createAnswering({
    ...{ identity: host, clock: systemClock, log: captureLog() },
    async greet({ certificate }) {
      if (!Buffer.from(certificate).equals(controller.chain[0]?.raw as Buffer))
        throw new Refusal('controller-not-allowed', 'no');
    },
    async verdictOn() {
      judged += 1;
      return { is: 'yes' };
    },
  });
  const stranger = ca.agent('other.example.com', { purposes: ['clientAuth', 'serverAuth'] });
  for (const by of [stranger, mintCa().controller()])
    await answering.answer(await sealAs(TYPES.question, questionBy(by), by));
  await answering.answer(await sealAs(TYPES.request, questionBy(controller), controller));
  await answering.answer(Buffer.from('garbage'));
  expect(judged).toBe(0);
  const question = await sealAs(TYPES.question, questionBy(controller), controller);
  expect(await answering.answer(question)).toMatchObject({ controller: controller.certname });
  await answering.answer(question);
  expect(judged).toBe(1);
});

test('a question is answered once, and not when it could be anybody who repeats it', async () => {
  const { answering, body } = await asked();
  expect(await answering.answer(body)).toBeUndefined();
  const now = Math.floor(Date.now() / 1000);
  expect((await asked({ iat: now, exp: now + 3600 })).to).toBeUndefined();
  expect((await asked({ iat: now, exp: now - 1 })).to).toBeUndefined();
});

test('a host that is not named says nothing, and one that is excluded says no; whom it cannot tell, it takes for named', async () => {
  const role = async (meant: unknown, more: object = {}) => (await asked({ meant, ...more })).says?.is;
  expect(await role({ named: ['web[1-3].example.com'] })).toBe('yes');
  expect(await role({ named: ['db*', '/^web\\d/!web2.example.com'] })).toBe('yes');
  expect(await role({ named: ['web?'], domain: 'example.com' })).toBe('yes');
  expect(await role({ named: ['web?'] }, { all: true })).toBeUndefined();
  expect(await role({ named: [] }, { all: true })).toBeUndefined();
  expect(await role({ exclude: ['web1.example.com'] })).toBe('no');
  expect(await role({ named: ['db*'], exclude: ['web*'] })).toBeUndefined();
  expect(await role({ named: ['*'] }, { asks: { facts: ['role=db'] } })).toBeUndefined();
  const strange = [7, [], { named: 'web1' }, { named: ['@dmz'] }, { named: ['web['] }, { newer: true }];
  const tooMuch = [{ named: ['a[1-100][1-101]'] }, { named: ['*,'.repeat(101)] }];
  for (const meant of [...strange, ...tooMuch]) expect(await role(meant), JSON.stringify(meant)).toBe('yes');
});

test('clocks that differ too much are told', async () => {
  const hour = Math.floor(Date.now() / 1000) - 3600;
  expect((await asked({ iat: hour, exp: hour + 30 })).says).toMatchObject({
    is: 'unclear',
    why: expect.stringMatching(/^its clock is 1h.* ahead of ours/),
  });
});

test('hosts for which it is not so are silent, unless they are to say so', async () => {
  expect((await asked({ asks: { facts: ['os.family=RedHat'] } })).to).toBeUndefined();
  expect((await asked({ asks: { facts: ['os.family=RedHat'] }, all: true })).says).toMatchObject({
    is: 'no',
  });
});

const judged = (asks: unknown, facts: FactsFound = { facts: FACTS }) =>
  judgeHost(asks, {
    facts: async () => facts,
    status: async () => ({
      ...STATUS,
      classes: ['apache'],
      time: 10_000,
      lastRun: { status: 'failed', at: 1 },
    }),
    version: '1',
  });

test.each([
  [{}, 'yes'],
  [{ facts: ['role=web', 'os.release.major<13'] }, 'yes'],
  [{ facts: ['role~^w', 'role!=db'] }, 'yes'],
  [{ facts: ['nothing=1'] }, 'no'],
  [{ facts: ['list>1'] }, 'unclear'],
  [{ facts: ['list>1', 'role=db'] }, 'no'],
  [{ facts: ['role~(a+)+$', 'role=='] }, 'unclear'],
  [{ classes: ['::Apache'] }, 'yes'],
  [{ classes: ['apache', 'nginx'] }, 'no'],
  [{ last: ['changed', 'failed'] }, 'yes'],
  [{ last: ['unchanged'] }, 'no'],
  [{ last: ['stale'], olderThan: 5000 }, 'yes'],
  [{ last: ['stale'], olderThan: 50_000 }, 'no'],
  [{ moon: ['full'] }, 'unclear'],
  ['all', 'unclear'],
])('%j is %s', async (asks, is) => {
  expect(await judged(asks)).toMatchObject({ is });
});

test('facts that are not known are no reason to be chosen', async () => {
  expect(await judged({ facts: ['role!=db'] }, { why: 'not known yet' })).toEqual({
    is: 'unclear',
    why: 'not known yet',
  });
  expect(await judged({ facts: ['role!=db'], classes: ['nginx'] }, { why: 'not known yet' })).toEqual({
    is: 'no',
  });
});

test('a regular expression that would take for ever is unclear within a moment', async () => {
  const slow = await judged({ facts: ['role~^(a+)+$'] }, { facts: { role: `${'a'.repeat(40)}!` } });
  expect(slow).toMatchObject({ is: 'unclear', why: expect.stringMatching(/takes more than 0\.1 s/) });
});

test('conditions of any JSON have an answer, and are never true by accident', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.json({ maxDepth: 4 }).map((text) => JSON.parse(text)),
        odd(),
      ),
      async (asks) => {
        const { is, why = '' } = await judged(asks);
        if (is === 'yes') expect(asks).toEqual({ ...(asks as object) });
        expect(why.length).toBeLessThanOrEqual(400);
      },
    ),
  );
});

/** Nearly right. */
function odd(): fc.Arbitrary<unknown> {
  const texts = fc.array(fc.oneof(fc.string(), fc.constant('role=db'), fc.constant('os.family=Debian')));
  return fc.record(
    { facts: texts, classes: texts, last: texts, olderThan: fc.double() },
    { requiredKeys: [] },
  );
}
