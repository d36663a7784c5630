/** Ports on loopback addresses. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Lets a server listen on a port that is free, and says which. */
export async function listenOn(server: Server, address = '127.0.0.1'): Promise<number> {
  await once(server.listen(0, address), 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return bound.port;
}

/** One that was free a moment ago, for programs that need a port number. */
export async function freePort(address = '127.0.0.1'): Promise<number> {
  const server = createServer();
  const port = await listenOn(server, address);
  await once(server.close(), 'close');
  return port;
}
