/** DESIGN 14 with brokers: the listener has the connection to them, and the helper decides and answers as it does by the port. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { discover } from '../../../src/controller/fleet/discover.ts';
import { NatsCrowd } from '../../../src/transport/nats/crowd.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { NAME } from '../../support/real-agent.ts';
import { listenerAtBroker, type SeparatedSite, separatedSite } from './separated-site.ts';
import { soon } from './way.ts';

const quick = { command: ['/bin/sh', '-c', 'echo applied; exit 2'] };

/** Both halves, once the listener is at the broker. */
async function started(site: SeparatedSite) {
  const helper = await site.startHelper();
  const listener = await listenerAtBroker(site);
  return { helper, listener };
}

const statusOf = async (site: SeparatedSite) => {
  const { out } = await site.kick('status', '--all', '--format', 'json');
  return JSON.parse(out)[0];
};

test('a host without a port is asked and kicked through the broker, and says how it is connected', async () => {
  const site = await separatedSite(quick);
  await started(site);
  expect(await statusOf(site)).toMatchObject({
    certname: NAME,
    waiting: 0,
    broker: { server: site.server.address, reconnects: 0, certificateEnds: expect.any(Number) },
  });
  const { out, code } = await site.kick('--all', '--format', 'json');
  expect(code).toBe(0);
  expect(JSON.parse(out).hosts).toMatchObject([{ certname: NAME, outcome: 'changed' }]);
  const disabled = await site.kick('disable', '--all', '--reason', 'a test');
  expect(disabled.code).toBe(0);
  expect(await statusOf(site)).toMatchObject({ disabled: { reason: expect.stringContaining('a test') } });
});

test('by its port it tells of a broker that it has lost', async () => {
  const site = await separatedSite({ ...quick, listen: true });
  await started(site);
  const signal = new AbortController().signal;
  const status = () => site.sender.status(site.target(), { signal });
  expect(await status()).toMatchObject({ broker: { server: site.server.address } });
  await site.server.kill('SIGKILL');
  await expect.poll(async () => (await status()).broker).toMatchObject({ reason: expect.any(String) });
  expect((await status()).broker?.server).toBeUndefined();
});

test('a question is judged by the helper, which knows the host, and answered by the listener, which has the key', async () => {
  const site = await separatedSite(quick);
  await started(site);
  const { link } = site.connect();
  const crowd = new NatsCrowd(link, site.controller.certname);
  const ask = { identity: site.controller, crowd, clock: systemClock, expected: [NAME] };
  // Where both halves are slow, silence is longer than a controller waits.
  const saidTo = async (asks: Parameters<typeof discover>[0]) => {
    for (;;) {
      const answer = (await discover(asks, ask)).answers.get(NAME);
      if (answer !== undefined) return answer;
    }
  };
  expect(await saidTo({})).toMatchObject({ is: 'yes' });
  expect(await saidTo({ last: ['changed'] })).toMatchObject({ is: 'no' });
  expect((await site.kick('--all')).code).toBe(0);
  expect(await saidTo({ last: ['changed'] })).toMatchObject({ is: 'yes' });
  expect(await saidTo({ facts: ['os.family=Debian'] })).toMatchObject({
    is: 'unclear',
    why: expect.stringContaining('its runner is not Puppet'),
  });
});

test.each(['listener', 'helper', 'broker', 'listener and helper'])(
  'kill -9 of %s during a run: it goes on, and the controller has its outcome',
  async (which) => {
    const site = await separatedSite({});
    const [gate, begun] = [join(site.folder, 'gate'), join(site.folder, 'begun')];
    const script = `echo begin >>'${begun}'; while test ! -e '${gate}'; do sleep 0.05; done; echo late; exit 2`;
    const nats = { servers: [site.server.address] };
    site.configure({ command: ['/bin/sh', '-c', script], listen: false, nats });
    const halves = await started(site);
    const kicked = site.kick('--all', '--format', 'jsonl');
    await expect.poll(() => existsSync(begun)).toBe(true);
    if (which.includes('listener')) await halves.listener.kill('SIGKILL');
    if (which.includes('helper')) await halves.helper.kill('SIGKILL');
    if (which.includes('broker')) await site.server.kill('SIGKILL');
    writeFileSync(gate, '');
    if (which.includes('broker')) await site.server.start();
    if (which.includes('helper')) await site.startHelper();
    if (which.includes('listener')) await site.startListener();
    const { code, out } = await kicked;
    expect(code).toBe(0);
    expect(out).toMatch(/"outcome":"changed"/);
    expect(out).toMatch(/late/);
    expect(readFileSync(begun, 'utf8')).toBe('begin\n');
  },
);

test('a helper that is not there is no end: the request has not arrived, and is sent again', async () => {
  const site = await separatedSite(quick);
  await listenerAtBroker(site);
  const kicked = site.kick('--all', '--deadline', '10m', '--format', 'json');
  const { link } = site.connect();
  await soon(link);
  await site.startHelper();
  const { code, out } = await kicked;
  expect(code).toBe(0);
  expect(JSON.parse(out).hosts).toMatchObject([{ outcome: 'changed' }]);
});
