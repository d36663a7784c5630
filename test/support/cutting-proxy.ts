/** A way to an agent that ends, or stands still, after so many bytes. */
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { listenOn } from '../../tools/loopback.ts';
import { deferred } from './deferred.ts';

export interface Cut {
  /** Whose bytes count. */
  from: 'client' | 'server';
  after: number;
  /** `stall`: nothing more comes from there, and nobody is told. */
  how: 'reset' | 'end' | 'stall';
}

export interface CuttingProxy {
  port: number;
  /** Resolves once the first connection has been cut, or is over. */
  reached: Promise<'cut' | 'over'>;
  /** Bytes of the first connection that went through from either side. */
  passed: Readonly<Record<Cut['from'], number>>;
  /** Resolves once nothing has come from either side for many turns of the event loop. */
  quiet(): Promise<void>;
  /** Ends what stands still; resolves once that is closed. */
  close(): Promise<void>;
}

const QUIET_TURNS = 200;

/** Leads to `port` on loopback. Only the first connection is cut, later ones pass. */
export async function cuttingProxy(port: number, cut: Cut): Promise<CuttingProxy> {
  const { promise: reached, resolve } = deferred<'cut' | 'over'>();
  const passed = { client: 0, server: 0 };
  const open = new Set<Socket>();
  let isFirst = true;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const agent = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [client, agent]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => open.delete(socket));
    }
    if (isFirst) cutPipe({ client, agent }, { cut, passed, resolve });
    else pipe(client, agent);
    isFirst = false;
  });
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    port: await listenOn(server),
    reached,
    passed,
    async quiet() {
      for (let turns = 0, seen = -1; turns < QUIET_TURNS; turns++) {
        const all = passed.client + passed.server;
        if (all !== seen) turns = 0;
        seen = all;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async close() {
      const closed = [...open].map((socket) => new Promise((done) => socket.once('close', done)));
      for (const socket of open) socket.destroy();
      await Promise.all(closed);
    },
  };
}

function pipe(client: Socket, agent: Socket): void {
  client.pipe(agent);
  agent.pipe(client);
}

interface Pipe {
  cut: Cut;
  passed: Record<Cut['from'], number>;
  resolve(how: 'cut' | 'over'): void;
}

function cutPipe({ client, agent }: { client: Socket; agent: Socket }, { cut, passed, resolve }: Pipe): void {
  let isCut = false;
  const stop = () => {
    isCut = true;
    resolve('cut');
    // The agent gets what was sent until then, and an end.
    if (cut.how !== 'stall') agent.end();
    if (cut.how === 'reset') client.resetAndDestroy();
    if (cut.how === 'end') client.end();
  };
  const forward = (from: Cut['from'], source: Socket, sink: Socket) => {
    source.on('data', (data: Buffer) => {
      if (isCut && (cut.how !== 'stall' || from === cut.from)) return;
      const room = from === cut.from ? cut.after - passed[from] : data.length;
      const some = data.subarray(0, room);
      passed[from] += some.length;
      if (some.length > 0) sink.write(some);
      if (from === cut.from && passed[from] >= cut.after) stop();
    });
    source.on('end', () => {
      if (!isCut) sink.end();
      resolve('over');
    });
    source.on('close', () => resolve('over'));
  };
  forward('client', client, agent);
  forward('server', agent, client);
  if (cut.after === 0) stop();
}
