/** Discovery through a real nats-server: real agents judge themselves, and nothing that a broker makes up counts. */
import { expect, test } from 'vitest';
import { createAnswering } from '../../../src/agent/discovery/answering.ts';
import type { FactsFound } from '../../../src/agent/discovery/judge-host.ts';
import { ownVerdicts } from '../../../src/agent/discovery/own-verdicts.ts';
import { discover } from '../../../src/controller/fleet/discover.ts';
import type { Identity } from '../../../src/pki/identity.ts';
import { TYPES } from '../../../src/protocol/algorithm.ts';
import { parseQuestion } from '../../../src/protocol/discovery.ts';
import { decodeEnvelope } from '../../../src/protocol/envelope.ts';
import { sealAs } from '../../../src/protocol/seal.ts';
import { acceptStreams } from '../../../src/transport/nats/acceptor.ts';
import { answerQuestions, NatsCrowd } from '../../../src/transport/nats/crowd.ts';
import { answerer, QUESTIONS } from '../../../src/transport/nats/subjects.ts';
import type { AgentService, Crowd } from '../../../src/transport/transport.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { mintCa } from '../../../tools/mint/mint-ca.ts';
import { startNats } from '../../support/nats-server.ts';
import { captureLog, STATUS } from '../../transport/support.ts';
import { ca, connectTo, controller, soon } from './way.ts';

/** May do anything at the broker, as the broker itself may. */
const ROGUE = 'rogue.example.com';
const unbound = (config: string) =>
  config.replace(/(user: "rogue\.example\.com"), permissions: .*\}\}/, '$1}');

const NAMES = ['web1.example.com', 'web2.example.com', 'db1.example.com'];
const service: Pick<AgentService, 'greet' | 'status'> = { greet: async () => {}, status: async () => STATUS };

interface Member {
  facts?: FactsFound;
  identity?: Identity;
  service?: typeof service;
}

/** Agents that answer questions, and take no streams. */
async function agentsAt(address: string, members: Record<string, Member>) {
  const log = captureLog();
  for (const [certname, member] of Object.entries(members)) {
    const { facts = { facts: {} }, identity = ca.agent(certname), service: own = service } = member;
    const { link } = connectTo(address, identity);
    const verdictOn = ownVerdicts({ service: own, facts: async () => facts, version: '1' });
    const answering = createAnswering({ identity, greet: own.greet, verdictOn, clock: systemClock, log });
    answerQuestions(link, certname, (question) => answering.answer(question));
    acceptStreams(link, certname, (stream) => void stream.destroy());
    await soon(link);
  }
  return log;
}

async function site(members: Record<string, Member>) {
  const { address } = await startNats({
    ca,
    agents: [...NAMES, ROGUE],
    controllers: [controller.certname],
    edit: unbound,
  });
  const log = await agentsAt(address, members);
  const { link } = connectTo(address, controller);
  const crowd = new NatsCrowd(link, controller.certname);
  return { address, log, crowd, ask: { identity: controller, crowd, clock: systemClock } };
}

const family = (value: string): Member => ({ facts: { facts: { os: { family: value } } } });

test('those for whom it is so answer; with hosts that are expected, all do, and the silent are named', async () => {
  const { ask } = await site({ 'web1.example.com': family('Debian'), 'web2.example.com': family('RedHat') });
  const some = await discover({ facts: ['os.family=Debian'] }, ask);
  expect([...some.answers.keys()]).toEqual(['web1.example.com']);
  const all = await discover({ facts: ['os.family=Debian'] }, { ...ask, expected: NAMES });
  expect([...all.answers.values()].map(({ certname, is }) => [certname, is]).sort()).toEqual([
    ['web1.example.com', 'yes'],
    ['web2.example.com', 'no'],
  ]);
  expect(all).toMatchObject({
    silent: ['db1.example.com'],
    absent: new Set(['db1.example.com']),
    expected: 3,
    ignored: { forged: 0, repeated: 0 },
  });
});

test('a host that is at the broker and keeps silent is not taken for one that is not there', async () => {
  const { ask } = await site({
    'web1.example.com': {},
    'web2.example.com': { service: { ...service, greet: () => Promise.reject(new Error('not this one')) } },
  });
  const found = await discover({}, { ...ask, expected: NAMES });
  expect(found.silent).toEqual(['web2.example.com', 'db1.example.com']);
  expect([...found.absent]).toEqual(['db1.example.com']);
});

test('what a hostile broker makes of it: forged and repeated answers count for nothing, repeated questions get none', async () => {
  const { ask, address, log } = await site({ 'web1.example.com': family('Debian') });
  const rogue = connectTo(address, ca.agent(ROGUE)).link;
  const answersToAll = 'kick.v1.answer.>';
  const other = mintCa();
  const questions: Uint8Array[] = [];
  rogue.subscribe(answersToAll, ({ subject, data }) => {
    if (questions.length !== 1 || answerer(subject) !== 'web1.example.com') return;
    questions.push(data);
    // Its own answer again, and as that of others.
    for (const certname of ['web1.example.com', 'web2.example.com', 'db1.example.com'])
      rogue.publish(subject.replace('web1.example.com', certname), data);
  });
  rogue.subscribe(QUESTIONS, ({ subject, data, reply = '' }) => {
    if (questions.length > 0) return;
    questions.push(data);
    rogue.publish(subject, data);
    void forge(data, reply);
  });
  async function forge(question: Uint8Array, reply: string) {
    const { parts } = decodeEnvelope(question, TYPES.question);
    const { jti } = parseQuestion(Buffer.from(parts.payload, 'base64url'));
    for (const by of [
      other.agent('web2.example.com'),
      { ...ca.agent(ROGUE), certname: 'web2.example.com' },
    ]) {
      const answer = { v: 1, question: jti, iss: 'web2.example.com', is: 'yes' };
      rogue.publish(reply.replace('nobody', 'web2.example.com'), await sealAs(TYPES.answer, answer, by));
    }
  }
  await soon(rogue);
  // Until all six have come, and a little longer for those that should not.
  const over = new AbortController();
  let heard = 0;
  const crowd: Crowd = {
    session: ask.crowd.session,
    ready: (wait) => ask.crowd.ready(wait),
    ask: (question, listener) =>
      ask.crowd.ask(question, {
        ...listener,
        onAnswer(certname, body) {
          listener.onAnswer(certname, body);
          heard += 1;
          if (heard === 6) setTimeout(() => over.abort(), 300);
        },
      }),
  };
  const patient = { ...ask, crowd, expected: NAMES, waitMs: 600_000, signal: over.signal };
  const found = await discover({ facts: ['os.family=Debian'] }, patient);
  expect([...found.answers.keys()]).toEqual(['web1.example.com']);
  expect(found.silent).toEqual(['web2.example.com', 'db1.example.com']);
  expect(found.ignored).toEqual({ forged: 4, repeated: 1, tooMany: 0 });
  expect(log.lines).toEqual([]);
});

test('without agents, and without a permission, it is said why', async () => {
  const { ask } = await site({});
  expect(await discover({}, ask)).toMatchObject({ answers: new Map(), expected: undefined });
  const { address } = await startNats({ ca, agents: NAMES, controllers: [controller.certname], edit: dumb });
  const { link } = connectTo(address, controller);
  const crowd = new NatsCrowd(link, controller.certname);
  await expect(discover({}, { ...ask, crowd })).rejects.toThrow(
    /the broker does not let controller\.example\.com publish on kick\.v1\.who\.controller~example~com/,
  );
});

/** Nobody may ask. */
const dumb = (config: string) => config.replace(/, "kick\.v1\.who\.[^"*]*"/g, '');
