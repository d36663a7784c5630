/** DESIGN 14: whoever has the listener can start, cancel, disable and enable nothing that is not signed for this host now. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandRunner } from '../../src/agent/runners/command-runner.ts';
import { boundedService } from '../../src/cli/agent/bounded-service.ts';
import { parseDenyList } from '../../src/pki/deny-list.ts';
import type { Identity } from '../../src/pki/identity.ts';
import { loadTrust } from '../../src/pki/load-identity.ts';
import { Refusal } from '../../src/protocol/refusal.ts';
import type { Request } from '../../src/protocol/request.ts';
import type { AgentService, Peer } from '../../src/transport/transport.ts';
import type { Clock } from '../../src/util/clock.ts';
import type { Log } from '../../src/util/log.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { ask, helperOf } from '../support/hostile-listener.ts';
import { tempFolder } from '../support/temp.ts';
import { captureLog } from '../transport/support.ts';
import { AGENT, ca, clockFromNow, controller, requestOf, sealed, startAgent } from './harness.ts';

const agentIdentity = ca.issue(AGENT, { role: 'agent' });
const certificateOf = ({ chain: [leaf] }: Identity) => leaf?.raw;

interface SaidBy {
  /** Who signs. */
  by?: Identity;
  /** Who is said to ask; defaults to the same. */
  as?: Identity;
  route?: string;
}

/** A helper whose runs are lines of a file. */
async function helper(options: { clock?: Clock; folder?: string; log?: Log } = {}) {
  const { folder = tempFolder(), ...rest } = options;
  const runs = join(folder, 'runs.txt');
  const paths = ca.write(join(folder, 'pki'), agentIdentity);
  const trust = await loadTrust(paths, { now: Date.now() });
  const runner = commandRunner({
    argv: ['/bin/sh', '-c', `echo ran >>'${runs}'; exit 2`],
    runEnvironment: {},
    disabledLock: join(folder, 'disabled.lock'),
  });
  const agent = await startAgent(folder, { runner, ...rest });
  const path = await helperOf(agent, trust, tempFolder());
  return {
    ...{ agent, trust, path, folder },
    /** As a listener that says that this one asks. */
    async say(request: Partial<Request>, { by = controller, as, route = '/v1/runs' }: SaidBy = {}) {
      const body = await sealed(requestOf(request as object), by);
      return ask(path, { url: route, certificate: certificateOf(as ?? by), body });
    },
    ran: () => (existsSync(runs) ? readFileSync(runs, 'utf8').split('\n').length - 1 : 0),
  };
}

test('a signed request that is fresh and for this host runs', async () => {
  const { say, ran } = await helper();
  const { status, text } = await say({});
  expect([status, ran()]).toEqual([200, 1]);
  expect(text).toContain('"outcome":"changed"');
});

test('the host itself, whose key the listener has, is no controller', async () => {
  const { say, ran, folder } = await helper();
  const { loadIdentity } = await import('../../src/pki/load-identity.ts');
  const own = await loadIdentity(ca.write(join(folder, 'pki'), agentIdentity), { now: Date.now() });
  expect(await say({ iss: AGENT }, { by: own })).toMatchObject({
    status: 403,
    code: 'controller-not-allowed',
  });
  // As the controller, with the host's signature; and the controller's certificate as who asks.
  expect(await say({}, { by: own })).toMatchObject({ code: 'controller-not-allowed' });
  expect(await say({}, { by: own, as: controller })).toMatchObject({ status: 403, code: 'peer-mismatch' });
  expect(ran()).toBe(0);
});

test('a controller of another CA, however it is marked, is nobody', async () => {
  const { say, ran, path } = await helper();
  const forged = await mintCa().identity(controller.certname, { role: 'controller' });
  expect(await say({}, { by: forged })).toMatchObject({ status: 403, code: 'peer-mismatch' });
  expect(await say({}, { by: forged, as: controller })).toMatchObject({ status: 403, code: 'peer-mismatch' });
  const certificate = certificateOf(forged);
  expect(await ask(path, { url: '/v1/status', certificate })).toMatchObject({ code: 'peer-mismatch' });
  expect(ran()).toBe(0);
});

test('one that is revoked or denied here is nobody from the next request on, whatever the listener let in', async () => {
  const { say, ran, agent, trust } = await helper();
  const { ownVerdict } = await import('../../src/agent/admission/own-verdict.ts');
  const { systemClock } = await import('../../src/util/clock.ts');
  const denied = parseDenyList(controller.certname, 'test');
  agent.setVerify(ownVerdict({ ...trust, denied }, systemClock));
  expect(await say({})).toMatchObject({ status: 403, code: 'peer-mismatch' });
  const late = await ca.identity('late.example.com', { role: 'controller' });
  expect((await say({ iss: late.certname }, { by: late })).status).toBe(200);
  ca.revoke(late);
  agent.setVerify(ownVerdict({ ...trust, crls: [ca.crls()] }, systemClock));
  expect(await say({ iss: late.certname }, { by: late })).toMatchObject({
    status: 403,
    code: 'peer-mismatch',
  });
  expect(ran()).toBe(1);
});

test("another host's request, one that is too old, and one that was changed on the way are refused", async () => {
  const clock = clockFromNow();
  const { say, ran, path } = await helper({ clock });
  expect(await say({ aud: 'other.example.com' })).toMatchObject({ status: 403, code: 'audience' });
  const kept = requestOf();
  const body = await sealed(kept);
  const flipped = Uint8Array.from(body);
  const at = Buffer.from(body).indexOf('"signature":"') + 20;
  flipped[at] = flipped[at] === 0x41 ? 0x42 : 0x41;
  const certificate = certificateOf(controller);
  expect(await ask(path, { url: '/v1/runs', certificate, body: flipped })).toMatchObject({
    code: 'signature',
  });
  // Kept back until it is worth nothing, with the time that it was signed at.
  clock.forward(400_000);
  const headers = { date: new Date(kept.iat * 1000).toUTCString() };
  expect((await ask(path, { url: '/v1/runs', certificate, body, headers })).status).toBe(403);
  expect(await ask(path, { url: '/v1/runs', certificate, body })).toMatchObject({ code: 'expired' });
  expect(ran()).toBe(0);
});

test('a request that is sent again is one run, at once and after the helper was restarted', async () => {
  const first = await helper();
  const body = await sealed(requestOf());
  const said = { url: '/v1/runs', certificate: certificateOf(controller), body };
  const answers = await Promise.all([0, 1, 2].map(() => ask(first.path, said)));
  for (const { text } of answers) expect(text).toContain('"outcome":"changed"');
  await first.agent.stop();
  const second = await helper({ folder: first.folder });
  expect((await ask(second.path, said)).text).toContain('"outcome":"changed"');
  expect(second.ran()).toBe(1);
});

test('a command that is sent again is not carried out again, also after the helper was restarted', async () => {
  const first = await helper();
  const disable = await sealed(requestOf({ action: { op: 'disable', reason: 'maintenance' } }));
  const said = { url: '/v1/commands', certificate: certificateOf(controller), body: disable };
  expect((await ask(first.path, said)).text).toContain('"result":"done"');
  expect((await ask(first.path, said)).text).toContain('"result":"done"');
  expect((await first.say({ action: { op: 'enable' } }, { route: '/v1/commands' })).status).toBe(200);
  await first.agent.stop();
  const second = await helper({ folder: first.folder });
  expect(await ask(second.path, said)).toMatchObject({ status: 410, code: 'gone' });
  expect((await second.say({})).text).toContain('"outcome":"changed"');
});

test('it does not fill the log of the helper, whatever the reason of a refusal', async () => {
  const log = captureLog();
  const { say, path } = await helper({ log });
  const certificate = certificateOf(controller);
  const body = await sealed(requestOf({ aud: 'other.example.com' }));
  for (let index = 0; index < 30; index++) await ask(path, { url: '/v1/runs', certificate, body });
  expect(log.lines.filter(({ message }) => message === 'refused: audience')).toHaveLength(10);
  expect((await say({})).status).toBe(200);
});

test('many who ask for everything at once are answered a few at a time, and a controller among them', async () => {
  let [atOnce, most] = [0, 0];
  const service = boundedService(
    {
      status: async () => {
        most = Math.max(most, ++atOnce);
        await new Promise((resolve) => setImmediate(resolve));
        atOnce -= 1;
        throw new Refusal('stopping', 'a test');
      },
    } as Partial<AgentService> as AgentService,
    8,
  );
  const answers = await Promise.allSettled(Array.from({ length: 500 }, () => service.status({} as Peer)));
  expect(answers.map(({ status }) => status)).toEqual(Array(500).fill('rejected'));
  expect([most, atOnce]).toEqual([8, 0]);
});
