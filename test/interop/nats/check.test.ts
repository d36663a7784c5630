/** kick nats config --check: what a running server lacks, as a controller and as an agent see it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mintCa } from '../../../tools/mint/mint-ca.ts';
import { kickHere } from '../../support/kick-here.ts';
import { type NatsServerOptions, startNats } from '../../support/nats-server.ts';
import { tempFolder } from '../../support/temp.ts';

const CONTROLLER = 'puppet.example.com';
const AGENT = 'web1.example.com';
const ca = mintCa();

const start = (options: Partial<NatsServerOptions> = {}) =>
  startNats({ ca, agents: [AGENT, 'web2.example.com'], controllers: [CONTROLLER], ...options });

interface Parties {
  certname?: string;
  file?: 'controller.yaml' | 'agent.yaml';
  tls?: boolean;
}

/** Runs the check, with the server in the file of a controller or an agent. */
async function check(address: string | undefined, parties: Parties = {}, ...words: string[]) {
  const { certname = CONTROLLER, file = 'controller.yaml', tls = true } = parties;
  const folder = tempFolder();
  const [pki, etc] = [join(folder, 'pki'), join(folder, 'etc')];
  ca.write(pki, ca.issue(certname, { role: file === 'agent.yaml' ? 'agent' : 'controller' }));
  mkdirSync(etc);
  if (address !== undefined)
    writeFileSync(join(etc, file), JSON.stringify({ nats: { servers: [address], tls } }));
  const env = {
    ...{ KICK_CONFIG_DIR: etc, KICK_STATE_DIR: join(folder, 'state'), KICK_PKI_DIR: pki },
    KICK_CERTNAME: certname,
  };
  return kickHere(['nats', 'config', '--check', ...words], { env });
}

const agent: Parties = { certname: AGENT, file: 'agent.yaml' };

test.each([
  ['controller', {}],
  ['agent', agent],
])('what kick nats config writes lacks nothing for a %s', async (role, parties) => {
  const { address } = await start();
  const { code, out } = await check(address, parties);
  expect(out).not.toMatch(/LACKS/);
  expect(out).toContain(`${address}, as the ${role} `);
  expect(out).toMatch(/allows nothing that is for others/);
  expect(code).toBe(0);
});

const withoutUsers = (config: string) =>
  config.replace(/authorization \{[\s\S]*$/, '').replace('verify_and_map', 'verify');

test.each([
  ['has no permissions', {}, withoutUsers],
  ['has no permissions', agent, withoutUsers],
  [
    'does not let this controller publish on kick.v1.up.',
    {},
    (text: string) => text.replace(/"kick.v1.up.puppet[^"]*", /, ''),
  ],
  [
    'does not let this agent subscribe to kick.v1.dial.*.web1.example.com',
    agent,
    (text: string) => text.replace('"kick.v1.dial.*.web1.example.com", ', ''),
  ],
  [
    'lets us take the calls for another host',
    agent,
    (text: string) => text.replace('kick.v1.dial.*.web1.example.com', 'kick.v1.dial.>'),
  ],
  [
    'lets us answer in the name of another host',
    agent,
    (text: string) => text.replace('kick.v1.down.*.*.*.web1.example.com', 'kick.v1.down.>'),
  ],
  [
    'lets us listen to everything',
    {},
    (text: string) => text.replace('subscribe: ["kick.v1.down', 'subscribe: [">", "kick.v1.down'),
  ],
  [
    'serves clients without TLS, too',
    {},
    (text: string) =>
      text
        .replace('verify_and_map: true', 'verify_and_map: true')
        .replace('tls {', 'allow_non_tls: true\ntls {'),
  ],
  [
    'max_payload must be at least',
    {},
    (text: string) => text.replace('max_payload: 65536', 'max_payload: 20000'),
  ],
])('a server that %s', async (what, parties, edit) => {
  const { address } = await start({ edit });
  const { code, out } = await check(address, parties);
  expect(out).toContain(what);
  expect(code).toBe(1);
});

test('a server that knows no user for us, one that is not there, one without TLS, one of another CA', async () => {
  const { address } = await start({ controllers: [] });
  const stranger = await check(address);
  expect(stranger.out).toMatch(
    /it knows no user "puppet.example.com".*\n +write its configuration with kick nats config/,
  );
  const gone = await check('localhost:1');
  expect(gone.out).toMatch(/LACKS {2}nothing listens there/);
  const open = await start({ edit: () => 'listen: 127.0.0.1:PORT\n' });
  expect((await check(open.address)).out).toMatch(/the server has no TLS/);
  expect(await check(open.address, { tls: false })).toMatchObject({
    code: 1,
    out: expect.stringMatching(/without TLS, on this machine only[\s\S]*has no permissions/),
  });
  const other = await start({ ca: mintCa() });
  expect((await check(other.address)).code).toBe(1);
  for (const { code } of [stranger, gone]) expect(code).toBe(1);
});

test('--format json; no server is named anywhere', async () => {
  const { address } = await start();
  const { out } = await check(address, {}, '--format', 'json');
  const [one] = JSON.parse(out);
  expect(one).toMatchObject({ server: address, role: 'controller' });
  expect(one.checks.map(({ check: name }: { check: string }) => name)).toEqual([
    ...['connection', 'version', 'tls', 'max_payload', 'own-subjects', 'foreign-subjects'],
  ]);
  const none = await check(undefined);
  expect(none).toMatchObject({
    code: 2,
    err: expect.stringMatching(/neither controller.yaml nor agent.yaml names any/),
  });
});
