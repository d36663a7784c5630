/** The senders of a process share one connection to a broker, which is kept for the next one, or closed at once. */
import { expect, test } from 'vitest';
import { createAnswering } from '../../../src/agent/discovery/answering.ts';
import { ownVerdicts } from '../../../src/agent/discovery/own-verdicts.ts';
import { createSenderOpener } from '../../../src/cli/open-sender.ts';
import { discover } from '../../../src/controller/fleet/discover.ts';
import { answerQuestions } from '../../../src/transport/nats/crowd.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { silentLog } from '../../../src/util/log.ts';
import { startNats } from '../../support/nats-server.ts';
import { anySignal, STATUS } from '../../transport/support.ts';
import { agentAt, agentIdentity, controller, PARTIES, TARGET } from './way.ts';

const HOURS = 3_600_000;

/** The agent has one of the connections. */
async function site(connections = 3) {
  const server = await startNats({
    ...PARTIES,
    edit: (config) => config.replace('max_connections: 65536', `max_connections: ${connections}`),
  });
  const { link } = await agentAt(server.address);
  const facts = async () => ({ facts: {} });
  const verdictOn = ownVerdicts({ service: { status: async () => STATUS }, facts, version: '1' });
  const own = { identity: agentIdentity, greet: async () => {}, verdictOn };
  const answering = createAnswering({ ...own, clock: systemClock, log: silentLog });
  answerQuestions(link, agentIdentity.certname, (question) => answering.answer(question));
  return { identity: controller, nats: { servers: [server.address], tls: true } };
}

test('a broker that takes three connections serves any number of senders', async () => {
  const options = await site();
  const opener = createSenderOpener({ keepMs: HOURS });
  const senders = await Promise.all([1, 2, 3, 4, 5, 6].map(() => opener.openSender(options)));
  const answers = await Promise.all(senders.map((one) => one.status(TARGET, { signal: anySignal() })));
  expect(answers).toEqual(Array(6).fill(STATUS));
  for (const sender of senders) sender.close();
  const next = await opener.openSender(options);
  expect(await next.status(TARGET, { signal: anySignal() })).toEqual(STATUS);
  await opener.close();
  next.close();
});

test('without a time to keep it, the next sender makes its own', async () => {
  const options = await site();
  const opener = createSenderOpener({ keepMs: 0 });
  for (let round = 0; round < 3; round++) {
    const sender = await opener.openSender(options);
    expect(await sender.status(TARGET, { signal: anySignal() })).toEqual(STATUS);
    sender.close();
  }
});

test('whoever discovers and whoever sends share it, and questions do not hear the answers to others', async () => {
  const options = await site(2);
  const opener = createSenderOpener({ keepMs: HOURS });
  const sender = await opener.openSender(options);
  expect(await sender.status(TARGET, { signal: anySignal() })).toEqual(STATUS);
  for (let round = 0; round < 3; round++) {
    const both = await Promise.all([opener.openCrowd(options), opener.openCrowd(options)]);
    const ask = { identity: controller, clock: systemClock, expected: [TARGET.certname] };
    const found = await Promise.all(both.map(({ crowd }) => discover({}, { ...ask, crowd })));
    const heard = { forged: 0, repeated: 0, tooMany: 0 };
    for (const { answers, ignored } of found)
      expect([[...answers.keys()], ignored]).toEqual([[TARGET.certname], heard]);
    for (const { close } of both) close();
  }
  sender.close();
  await opener.close();
});
