/** A Puppet server that can be cut off from an agent. */
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { onTestFinished } from 'vitest';
import { freePort } from '../../tools/loopback.ts';

/** A port that leads to the Puppet server while it is open. */
export async function wayToServer(
  serverPort: number,
): Promise<{ port: number; open(): Promise<void>; close(): Promise<void> }> {
  const port = await freePort();
  let server: Server | undefined;
  const close = async () => {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    closing.close();
    await once(closing, 'close');
  };
  const open = async () => {
    server = createServer((socket) => {
      const onward = connect(serverPort, '127.0.0.1');
      socket.pipe(onward).pipe(socket);
      socket.on('error', () => onward.destroy());
      onward.on('error', () => socket.destroy());
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await open();
  onTestFinished(close);
  return { port, open, close };
}
