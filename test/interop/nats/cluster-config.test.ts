/** A cluster as kick nats config writes it: agents and controllers at different servers, and no host may pose as a server. */
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import type { Identity } from '../../../src/pki/identity.ts';
import { tlsOptions } from '../../../src/transport/tls/options.ts';
import { freePort } from '../../../tools/loopback.ts';
import { BROKER, startNats } from '../../support/nats-server.ts';
import { anySignal, STATUS } from '../../transport/support.ts';
import { agentAt, agentIdentity, ca, PARTIES, senderAt, TARGET } from './way.ts';

async function startCluster() {
  const ports = [await freePort(), await freePort()];
  const routes = ports.map((port) => `${BROKER}:${port}`);
  const servers = await Promise.all(
    routes.map((listen) => startNats({ ...PARTIES, cluster: { listen, routes } })),
  );
  return { servers, port: ports[0] ?? 0 };
}

/** What a server says to a route of ours (TLS comes first there), until it closes it or answers a ping. */
function routeTo(port: number, identity: Identity): Promise<string> {
  const tls = connectTls({ ...tlsOptions(identity), port, host: '127.0.0.1', servername: BROKER });
  onTestFinished(() => void tls.destroy());
  const heard = until(tls, /PONG|ERR/);
  tls.write(
    'CONNECT {"verbose":false,"pedantic":false,"tls_required":true,"name":"x","cluster":"kick"}\r\nPING\r\n',
  );
  return heard;
}

function until(socket: Socket, pattern: RegExp): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const done = () => resolve(text);
    const take = (data: Buffer) => {
      text += data.toString('latin1');
      if (!pattern.test(text)) return;
      socket.off('data', take);
      done();
    };
    socket.on('data', take);
    socket.on('error', done);
    socket.on('close', done);
  });
}

test('a controller at one server reaches agents at the other', async () => {
  const { servers } = await startCluster();
  const [first = '', second = ''] = servers.map(({ address }) => address);
  await agentAt(first);
  const { sender } = senderAt(second);
  // Servers that have just met tell each other of subscriptions a little later.
  await expect
    .poll(() => sender.status(TARGET, { signal: anySignal() }).catch(() => undefined))
    .toEqual(STATUS);
});

test('the port of the cluster takes the certificate of a server, and of no host', async () => {
  const { port } = await startCluster();
  const server = ca.agent(BROKER, { purposes: ['serverAuth', 'clientAuth'] });
  expect(await routeTo(port, server)).toMatch(/PONG/);
  expect(await routeTo(port, agentIdentity)).toMatch(/Authorization Violation/);
  expect(await routeTo(port, ca.controller())).toMatch(/Authorization Violation/);
});
