/** Checks whether controllers will accept this host's certificate, over a real connection to our own client. */
import type { AddressInfo } from 'node:net';
import { createSecureContext, createServer } from 'node:tls';
import type { Identity } from '../../pki/identity.ts';
import { connectTo } from '../../transport/https/client/connect.ts';
import { tlsOptions } from '../../transport/tls/options.ts';
import { SendError } from '../../transport/transport.ts';

/** Milliseconds. */
const CONNECT_MS = 10_000;

/** Returns why controllers refuse it, in their own words; undefined if they accept it. */
export async function refusedByControllers(identity: Identity): Promise<string | undefined> {
  const { certname } = identity;
  const server = createServer(tlsOptions(identity), (socket) => socket.destroy());
  server.on('tlsClientError', () => {}); // the client reports it
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  try {
    const socket = await connectTo(
      { certname, host: '127.0.0.1', port },
      { secureContext: createSecureContext(tlsOptions(identity)), connectMs: CONNECT_MS, onSocket: () => {} },
    );
    socket.on('error', () => {});
    socket.destroy();
    return undefined;
  } catch (error) {
    // Other failures say nothing about the certificate.
    if (error instanceof SendError && error.failure === 'certificate') return error.message;
    return undefined;
  } finally {
    server.close();
  }
}
