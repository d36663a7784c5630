/** Which connections a change of trust ends, when some of them end by themselves at the same time. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import type { Identity } from '../../src/pki/identity.ts';
import { distrusted } from '../../src/transport/https/listener/distrusted.ts';
import { peerCertificate } from '../../src/transport/https/listener/peer-certificate.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { afterwards } from '../support/afterwards.ts';

test('a connection that is closed already is passed over', async () => {
  const ca = mintCa();
  const [agent, controller] = [ca.agent(), ca.controller()];
  const pem = ({ key, chain }: Identity) => ({
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    cert: chain.join(''),
  });
  const server = createServer({ ...pem(agent), ca: agent.ca.join(''), requestCert: true });
  afterwards(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', ...pem(controller), rejectUnauthorized: false });
  afterwards(() => client.destroy());
  const [socket] = (await once(server, 'secureConnection')) as [TLSSocket];
  expect(peerCertificate(socket)).toBeDefined();
  const change = { before: agent, next: { ...agent, ca: mintCa().agent().ca }, now: Date.now() };
  expect(distrusted([socket], change)).toEqual([socket]);
  socket.destroy();
  await once(socket, 'close');
  expect(() => distrusted([socket], change)).not.toThrow();
});
