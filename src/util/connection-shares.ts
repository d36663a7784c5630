/** Connections at once of one host: nobody may have all of them. */
import type { Server, Socket } from 'node:net';
import { addressGroup } from './address-group.ts';
import { createShares } from './shares.ts';

/** Closes those over `each` before TLS begins. */
export function shareConnections(server: Server, each: number): void {
  const shares = createShares(each);
  const begin = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const group = addressGroup(socket.remoteAddress ?? '');
    if (!shares.take(group)) return void socket.destroy();
    socket.on('close', () => shares.giveBack(group));
    for (const start of begin) start.call(server, socket);
  });
}
