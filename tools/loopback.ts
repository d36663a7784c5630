/** Ports on loopback addresses. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { systemCode } from '../src/errors.ts';

/** Lets a server listen on a port that is free, and says which. */
export async function listenOn(server: Server, address = '127.0.0.1'): Promise<number> {
  await once(server.listen(0, address), 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return bound.port;
}

/** From here on Linux gives ports away by itself, to whoever connects or listens on any. */
const FIRST_EPHEMERAL = 32_768;
const FIRST_FREE = 16_384;

/** One that is free, and that nobody is given by the kernel meanwhile: for programs that need a number, or need it again. */
export async function freePort(address = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_FREE, FIRST_EPHEMERAL);
    const server = createServer();
    try {
      await once(server.listen(port, address), 'listening');
    } catch (error) {
      if (systemCode(error) === 'EADDRINUSE') continue;
      throw error;
    }
    await once(server.close(), 'close');
    return port;
  }
}
