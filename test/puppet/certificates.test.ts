/** Puppet's own certificates: who may kick, and what is left of it once a certificate is revoked. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AGENTS } from './agents.ts';
import { controllerFor, kickCommand, outcomesOf, type RunningAgent, startAgent, useLab } from './harness.ts';
import { catalogsOf, messageOn, newMessage, puppetConf } from './runs.ts';

const lab = useLab();
const [agent] = AGENTS.certificates;
const certname = lab.certnameOf(agent);
const DEPLOY = 'deploy.lab';
let running: RunningAgent;

beforeAll(async () => {
  await lab.cert(DEPLOY);
  await lab.cert('stranger.lab');
  running = await startAgent(lab, agent, { yaml: `controllers: [${DEPLOY}]\n` });
});

afterAll(() => running.end('SIGTERM'));

/** A controller with the certificate `name` of the Puppet CA, in Puppet's own layout. */
function controllerWith(name: string, ssl = lab.serverSsl) {
  const as = ['--pki-dir', ssl, '--certname', name];
  return controllerFor(lab, [running], { home: join(lab.dir, `controller-${name}`), as });
}

/** The server's certificates and CRL as they are now, to be a controller that has not heard of what follows. */
function copyOfServerSsl(name: string): string {
  const path = join(lab.dir, `server-ssl-${name}`);
  cpSync(lab.serverSsl, path, { recursive: true });
  return path;
}

// In this order: what is revoked stays revoked.

test('kick is refused to a certificate that is neither an administrator nor named in agent.yaml', async () => {
  const before = catalogsOf(lab, agent);

  const result = await controllerWith('stranger.lab').kick(certname);

  expect(outcomesOf(result)).toEqual({ [agent]: 'refused' });
  expect(result.exit).toBe(3);
  expect(result.stdout).toContain('controller-not-allowed');
  expect(catalogsOf(lab, agent)).toBe(before);
});

test('kick serves a controller named in agent.yaml until its certificate is revoked', async () => {
  const unaware = controllerWith(DEPLOY, copyOfServerSsl('before-deploy'));
  const message = await newMessage(lab, agent);
  expect(outcomesOf(await unaware.kick(certname))).toEqual({ [agent]: 'changed' });

  await lab.revoke(DEPLOY);
  await bringCrlToAgent();
  await newMessage(lab, agent);
  const result = await unaware.kick(certname);

  expect(outcomesOf(result)).toEqual({ [agent]: 'unreachable' });
  expect(result.exit).toBe(3);
  expect(messageOn(lab, agent)).toBe(message);

  const aware = await controllerWith(DEPLOY).kick(certname);
  expect(aware.exit).not.toBe(0);
  expect(messageOn(lab, agent)).toBe(message);
});

const hasRenewal = !execFileSync('puppet', ['--version'], { encoding: 'utf8' }).startsWith('7.');

test.skipIf(!hasRenewal)(
  'a certificate that Puppet renews is served from then on, without a restart',
  async () => {
    puppetConf(lab, agent, 'hostcert_renewal_interval = 20y');
    const controller = controllerWith('puppet.lab');
    const before = await servedSerial();
    const loaded = running.logged('the new certificate', ({ msg }) => msg.startsWith('certificates'));

    const result = await controller.kick(certname);

    expect(result.exit, result.stdout).toBe(0);
    await loaded;
    expect(await servedSerial()).not.toBe(before);
    expect(await servedSerial()).toBe(serialIn(join(lab.sslOf(agent), 'certs', `${certname}.pem`)));
    const next = await controller.kick(certname);
    expect(next.exit, next.stdout).toBe(0);
  },
);

test("an agent whose own certificate is revoked fails, and is unreachable once the controller's CRL says so", async () => {
  const before = messageOn(lab, agent);
  const oldSsl = copyOfServerSsl('before-agent');
  await lab.revoke(agent);
  await newMessage(lab, agent);

  const unaware = await controllerWith('puppet.lab', oldSsl).kick(certname);
  expect(outcomesOf(unaware)).toEqual({ [agent]: 'failed' });
  expect(unaware.exit).toBe(1);
  expect(messageOn(lab, agent)).toBe(before);

  const aware = await controllerWith('puppet.lab').kick(certname);
  expect(outcomesOf(aware)).toEqual({ [agent]: 'unreachable' });
  expect(aware.stdout).toMatch(/revoked/);
});

test("kick nats config names whom Puppet's CA has signed, and not whose certificate is revoked", async () => {
  const home = join(lab.dir, 'controller-nats-config');
  const words = ['nats', 'config', '--puppet', lab.serverPuppet, '--broker', 'puppet.lab'];
  const { exit, stdout, stderr } = await kickCommand(home, ...words);
  expect(exit, stderr).toBe(0);
  const users = [...stdout.matchAll(/\{user: "([^"]+)"/g)].map(([, name]) => name);
  expect(users).toEqual(expect.arrayContaining(['puppet.lab', 'stranger.lab']));
  for (const name of [DEPLOY, certname]) expect(users).not.toContain(name);
  expect(stderr).toMatch(/of Puppet's CA; [2-9]\d* revoked names left out/);
});

/** The serial number of the certificate that kick agent identifies itself by. */
async function servedSerial(): Promise<string | undefined> {
  const socket = connect({ host: '127.0.0.1', port: running.port, rejectUnauthorized: false });
  // It has no certificate of ours, and hangs up: after it has shown its own.
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  const serial = socket.getPeerX509Certificate()?.serialNumber;
  socket.destroy();
  return serial;
}

function serialIn(path: string): string {
  return new X509Certificate(readFileSync(path)).serialNumber;
}

/** As Puppet's daily refresh does; SIGHUP spares the test the few seconds until the agent looks by itself. */
async function bringCrlToAgent(): Promise<void> {
  const loaded = running.logged('the new CRL', ({ msg }) => msg === 'certificates and CRLs reloaded');
  cpSync(join(lab.serverSsl, 'crl.pem'), join(lab.sslOf(agent), 'crl.pem'));
  running.signal('SIGHUP');
  await loaded;
}
