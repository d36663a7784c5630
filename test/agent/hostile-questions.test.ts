/** DESIGN 14, discovery: whoever has the listener learns of this host what a controller has asked of it, and nothing by asking itself. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { ownVerdict } from '../../src/agent/admission/own-verdict.ts';
import { ownVerdicts } from '../../src/agent/discovery/own-verdicts.ts';
import { createReceiver } from '../../src/agent/discovery/receive-questions.ts';
import { parseDenyList } from '../../src/pki/deny-list.ts';
import type { Identity, Trust } from '../../src/pki/identity.ts';
import { TYPES, type Type } from '../../src/protocol/algorithm.ts';
import { sealAs } from '../../src/protocol/seal.ts';
import { silentLog } from '../../src/util/log.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { ask, serveHere } from '../support/hostile-listener.ts';
import { tempFolder } from '../support/temp.ts';
import { AGENT, ca, clockFromNow, command, controller, startAgent } from './harness.ts';

const here = await ca.identity(AGENT, { role: 'agent' });

/** A helper that answers questions. */
async function helper(trust: Trust = here) {
  const clock = clockFromNow();
  const agent = await startAgent(tempFolder(), { runner: command('true'), clock });
  agent.setVerify(ownVerdict(trust, clock));
  const answer = ownVerdicts({ service: agent, facts: async () => ({ facts: { a: 1 } }), version: '1' });
  // Each tenth of a second that the test takes would let one more through.
  let paced = 0;
  const still = { ...clock, monotonic: () => paced };
  const receiver = createReceiver({ trust, greet: agent.greet, answer, clock: still, log: silentLog });
  const { path } = await serveHere(agent, tempFolder(), { judge: receiver.receive });
  return {
    clock,
    nextSecond: () => {
      paced += 1000;
    },
    async say(by: Identity, { typ = TYPES.question as Type, body = question(by, clock.now(), typ) } = {}) {
      return ask(path, { url: '/v1/questions', body: await body });
    },
  };
}

function question(by: Identity, now: number, typ: Type = TYPES.question): Promise<Uint8Array> {
  const iat = Math.floor(now / 1000);
  const asks = { facts: ['a=1'] };
  const to = { session: 'abc', iat, exp: iat + 30, asks };
  return sealAs(typ, { v: 1, jti: randomUUID(), iss: by.certname, ...to }, by);
}

test('a controller’s question is answered, once', async () => {
  const { say, clock } = await helper();
  const body = question(controller, clock.now());
  expect((await say(controller, { body })).text).toContain('{"is":"yes"}');
  expect((await say(controller, { body })).status).toBe(204);
});

test('what the listener asks with the key that it has, or made up, has no answer', async () => {
  const { say } = await helper();
  const forged = await mintCa().identity(controller.certname, { role: 'controller' });
  for (const by of [here, forged]) expect((await say(by)).status).toBe(204);
  expect((await say(controller, { typ: TYPES.request })).status).toBe(204);
  expect((await say(controller, { body: Promise.resolve(Buffer.from('garbage')) })).status).toBe(204);
});

test('one who is denied here has none, whatever the listener let in', async () => {
  const { say } = await helper({ ...here, denied: parseDenyList(controller.certname, 'test') });
  expect((await say(controller)).status).toBe(204);
});

test('more questions than ten a second are not looked at', async () => {
  const { say, nextSecond } = await helper();
  const statuses: number[] = [];
  for (let index = 0; index < 30; index++) statuses.push((await say(controller)).status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(20);
  nextSecond();
  expect((await say(controller)).status).toBe(200);
});
