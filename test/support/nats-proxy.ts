/** A broker that cannot be trusted: between clients without TLS and a real nats-server, it does to messages what it likes. */
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { listenOn } from '../../tools/loopback.ts';

/** A message on its way to a client: its head up to the size, and what it carries. */
export interface Carried {
  head: string;
  payload: Buffer;
}

/** What becomes of a message: none, one, or several. */
export type Meddle = (message: Carried) => Carried[];

export interface NatsProxy {
  readonly address: string;
  /** From now on. */
  meddle(how: Meddle): void;
  /** Ends all connections, and takes no more. */
  cut(): void;
  /** Everything that went through, in both directions. */
  seen(): Buffer;
}

export async function startNatsProxy(port: number): Promise<NatsProxy> {
  let how: Meddle = (message) => [message];
  const passed: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.on('data', (bytes: Buffer) => {
      passed.push(bytes);
      upstream.write(bytes);
    });
    const read = reader((message) => how(message));
    upstream.on('data', (bytes: Buffer) => {
      passed.push(bytes);
      client.write(read(bytes));
    });
  });
  const own = await listenOn(server);
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  onTestFinished(cut);
  return {
    address: `127.0.0.1:${own}`,
    meddle(next) {
      how = next;
    },
    cut,
    seen: () => Buffer.concat(passed),
  };
}

/** Takes MSG and HMSG out of what a server sends; everything else passes. */
function reader(meddle: Meddle): (bytes: Buffer) => Buffer {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const out: Buffer[] = [];
    for (;;) {
      const end = rest.indexOf('\r\n');
      if (end < 0) break;
      const line = rest.toString('latin1', 0, end);
      const [, head, size] = /^(H?MSG .*) (\d+)$/.exec(line) ?? [];
      if (head === undefined) {
        out.push(rest.subarray(0, end + 2));
        rest = rest.subarray(end + 2);
        continue;
      }
      const stop = end + 2 + Number(size);
      if (rest.byteLength < stop + 2) break;
      const payload = rest.subarray(end + 2, stop);
      rest = rest.subarray(stop + 2);
      for (const one of meddle({ head, payload })) out.push(written(one));
    }
    return Buffer.concat(out);
  };
}

function written({ head, payload }: Carried): Buffer {
  return Buffer.concat([
    Buffer.from(`${head} ${payload.byteLength}\r\n`, 'latin1'),
    payload,
    Buffer.from('\r\n'),
  ]);
}
