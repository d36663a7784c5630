/** A leaf node, as docs/nats.md has it: agents connect to the server of their site, which connects to the one of the controllers. */
import { expect, test } from 'vitest';
import { freePort } from '../../../tools/loopback.ts';
import { BROKER, startNats } from '../../support/nats-server.ts';
import { anySignal, failureOf, STATUS } from '../../transport/support.ts';
import { agentAt, PARTIES, senderAt, TARGET } from './way.ts';

const signal = anySignal();

/** What the server of a site may do at the hub: what its agents may. */
const SITE_USER = `{user: "${BROKER}", permissions: {
  publish: ["kick.v1.down.>", "kick.v1.answer.>", "kick.v1.here.>"]
  subscribe: ["kick.v1.dial.>", "kick.v1.up.>", "kick.v1.who.*"]}}`;

/** The paths of a configuration's own files. */
const filesOf = (config: string) => config.match(/^ {2}(cert|key|ca)_file: .*$/gm)?.join('\n') ?? '';

const hub = (port: number) => (config: string) =>
  `${config.replace('users: [', `users: [\n${SITE_USER}`)}
leafnodes {
  listen: "127.0.0.1:${port}"
  tls {
    ${filesOf(config)}
    verify_and_map: true
  }
}`;

const site = (port: number) => (config: string) =>
  `${config}
leafnodes { remotes: [ {
  url: "tls://${BROKER}:${port}"
  tls {
    ${filesOf(config)}
  }
} ] }`;

test('an agent at the server of its site is reached from the hub; one that is not there is told apart at once', async () => {
  const port = await freePort();
  const { address } = await startNats({ ...PARTIES, agents: [], edit: hub(port) });
  const local = await startNats({ ...PARTIES, controllers: [], edit: site(port) });
  const { sender } = senderAt(address);
  const absent = { ...TARGET, certname: 'gone.example.com' };
  expect(await failureOf(sender.status(absent, { signal }))).toMatchObject({ failure: 'connection-refused' });
  await agentAt(local.address);
  // The servers find each other, and tell each other of subscriptions, in their own time.
  await expect.poll(() => sender.status(TARGET, { signal }).catch(() => undefined)).toEqual(STATUS);
  await local.kill('SIGKILL');
  await expect
    .poll(() => failureOf(sender.status(TARGET, { signal })).catch(() => undefined))
    .toMatchObject({ failure: 'connection-refused', arrived: false });
});
