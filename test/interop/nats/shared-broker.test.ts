/** The senders of a process share one connection to a broker, which is kept for the next one, or closed at once. */
import { expect, test } from 'vitest';
import { createSenderOpener } from '../../../src/cli/open-sender.ts';
import { startNats } from '../../support/nats-server.ts';
import { anySignal, STATUS } from '../../transport/support.ts';
import { agentAt, controller, PARTIES, TARGET } from './way.ts';

const HOURS = 3_600_000;

async function site() {
  const server = await startNats({
    ...PARTIES,
    edit: (config) => config.replace('max_connections: 65536', 'max_connections: 3'),
  });
  await agentAt(server.address);
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
