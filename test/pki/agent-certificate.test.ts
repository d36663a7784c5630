/** What `kick pki` gives an agent: a certificate to serve with and to connect outwards with, and no power over others. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { ownPaths } from '../../src/config/identity.ts';
import { openAuthority } from '../../src/pki/authority.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { systemClock } from '../../src/util/clock.ts';
import { agentCommand } from '../../tools/agent-process.ts';
import { listenOn } from '../../tools/loopback.ts';
import { kickNow } from '../support/kick.ts';
import { startRealAgent } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

const [AGENT, OTHER, CONTROLLER] = ['web1.example.com', 'web2.example.com', 'deploy.example.com'];

async function issued() {
  const dir = tempFolder();
  const authority = openAuthority(dir, { clock: systemClock });
  await authority.init('Our CA');
  for (const name of [AGENT, OTHER]) {
    await authority.issue({ name, role: 'agent', keyType: 'p256', days: 60 });
  }
  await authority.issue({ name: CONTROLLER, role: 'controller', keyType: 'p256', days: 60 });
  return {
    dir,
    certificateOf: (name: string) => join(dir, 'certs', `${name}.pem`),
    identity: (name: string) => loadIdentity(ownPaths(dir, name), { now: Date.now() }),
  };
}

test('an agent connects outwards to a server that asks for certificates, as a broker does', async () => {
  const { dir, certificateOf } = await issued();
  const material = (name: string) => ({
    key: readFileSync(join(dir, 'private_keys', `${name}.pem`)),
    cert: readFileSync(certificateOf(name)),
    ca: readFileSync(join(dir, 'certs', 'ca.pem')),
  });
  const broker = createServer({ ...material(OTHER), requestCert: true, rejectUnauthorized: true });
  onTestFinished(() => void broker.close());
  const port = await listenOn(broker);
  const came = once(broker, 'secureConnection') as Promise<[TLSSocket]>;
  const socket = connect({ ...material(AGENT), port, host: '127.0.0.1', servername: OTHER });
  onTestFinished(() => void socket.destroy());
  const [accepted] = await came;
  expect([accepted.authorized, accepted.getPeerCertificate().subject.CN]).toEqual([true, AGENT]);
});

test("an agent's certificate gives no orders to another agent and learns nothing from it", async () => {
  const { dir, identity } = await issued();
  const folder = tempFolder();
  const ran = join(folder, 'ran');
  writeFileSync(
    join(folder, 'agent.yaml'),
    JSON.stringify({ runner: 'command', command: ['/bin/touch', ran] }),
  );
  writeFileSync(join(folder, 'controller.yaml'), 'puppetdb: false\n');
  const { port } = await startRealAgent(agentCommand({ configDir: folder, pkiDir: dir, certname: AGENT }));
  const { key, chain, ca } = await identity(OTHER);
  const asked = get({
    ...{ host: '127.0.0.1', port, path: '/v1/status', servername: AGENT },
    ...{ key: key.export({ type: 'pkcs8', format: 'pem' }), cert: chain.map(String), ca: ca.map(String) },
  });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  expect(answer.statusCode).toBe(403);
  const uri = `127.0.0.1:${port}`;
  writeFileSync(join(folder, 'inventory.yaml'), JSON.stringify({ targets: [{ name: AGENT, uri }] }));
  const kick = (certname: string, ...words: string[]) =>
    kickNow([
      ...[...words, '--config-dir', folder, '--pki-dir', dir],
      ...['--certname', certname, '--state-dir', join(folder, certname)],
    ]);
  for (const command of [
    ['run', AGENT],
    ['disable', AGENT, '--reason', 'x'],
    ['cancel', AGENT],
    ['status', AGENT],
  ]) {
    const { code, out, err } = kick(OTHER, ...command);
    expect([code, out + err], command.join(' ')).toEqual([
      3,
      expect.stringContaining('controller-not-allowed'),
    ]);
  }
  expect(() => readFileSync(ran)).toThrow(/ENOENT/);
  expect(kick(CONTROLLER, 'run', AGENT, '--quiet')).toEqual({ code: 0, out: '', err: '' });
  expect(readFileSync(ran, 'utf8')).toBe('');
});
