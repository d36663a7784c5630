/** Which connections a change of trust ends, when some of them, or the lists that they were judged by, end by themselves. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import type { Identity } from '../../src/pki/identity.ts';
import { distrusted } from '../../src/transport/https/listener/distrusted.ts';
import { peerCertificate } from '../../src/transport/https/listener/peer-certificate.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { afterwards } from '../support/afterwards.ts';

/** The agent's end of a connection that a client with this identity has made, as if it had been let in while it was valid. */
async function connected(agent: Identity, controller: Identity): Promise<TLSSocket> {
  const pem = ({ key, chain }: Identity) => ({
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    cert: chain.join(''),
  });
  const server = createServer({
    ...pem(agent),
    ca: agent.ca.join(''),
    requestCert: true,
    rejectUnauthorized: false,
  });
  afterwards(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', ...pem(controller), rejectUnauthorized: false });
  client.on('error', () => {});
  afterwards(() => client.destroy());
  const [socket] = (await once(server, 'secureConnection')) as [TLSSocket];
  return Object.assign(socket, { authorized: true });
}

test('a connection that is closed already is passed over', async () => {
  const ca = mintCa();
  const agent = ca.agent();
  const socket = await connected(agent, ca.controller());
  expect(peerCertificate(socket)).toBeDefined();
  const change = { before: agent, next: { ...agent, ca: mintCa().agent().ca } };
  expect(distrusted([socket], change)).toEqual([socket]);
  socket.destroy();
  await once(socket, 'close');
  expect(() => distrusted([socket], change)).not.toThrow();
});

test.each([
  ['whose CRL had ended when the new one came', { crlDays: -1 }, {}],
  ['whose certificate has ended', {}, { notAfter: Date.now() - 1000 }],
])(
  'a connection %s ends if it is revoked, denied, or of a CA that is gone',
  async (_, options, certificate) => {
    const ca = mintCa(options);
    const before = ca.agent();
    const controller = ca.controller('controller.example.com', certificate);
    const socket = await connected(before, controller);
    const dropped = (next: Partial<Identity>) =>
      distrusted([socket], { before, next: { ...before, ...next } }).length;
    expect(dropped({})).toBe(0);
    expect(dropped({ denied: { denies: () => 'controller.example.com' } })).toBe(1);
    const other = mintCa().agent();
    expect(dropped({ ca: other.ca, crls: other.crls })).toBe(1);
    ca.revoke(ca.controller('other.example.com'));
    expect(dropped({ crls: ca.agent().crls })).toBe(0);
    ca.revoke(controller);
    expect(dropped({ crls: ca.agent().crls })).toBe(1);
  },
);
