/** Servers with a certificate of our CA that answer as they like. */
import type { Server, Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import type { Identity } from '../../src/pki/identity.ts';
import { tlsOptions } from '../../src/transport/tls/options.ts';
import { agentIdentity, BODY } from './sending.ts';
import { accepted, serveUntilFinished } from './support.ts';

export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
export const STREAM =
  'HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n';
export const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
export const ACCEPTED = `${JSON.stringify(accepted())}\n`;
export const END = '0\r\n\r\n';

/** A TLS server of our CA that answers as it likes: `greet` to the head, `answer` to the body. */
export function tlsServer({
  identity = agentIdentity,
  greet,
  answer,
  tls = {},
}: {
  identity?: Identity;
  greet?: (socket: TLSSocket) => void;
  answer?: (socket: TLSSocket) => void;
  tls?: TlsOptions;
}): Server {
  return createTlsServer({ ...tlsOptions(identity), ...tls }, (socket) => {
    socket.on('error', () => {});
    let seen = '';
    let greeted = false;
    socket.on('data', (data) => {
      seen += data.toString('latin1');
      if (!greeted && seen.includes('\r\n\r\n')) {
        greeted = true;
        greet?.(socket);
      }
      if (seen.includes(BODY.toString())) answer?.(socket);
    });
  });
}

/** A server that asks for the body and then says this. */
export function liar(...says: (string | Buffer)[]): Promise<number> {
  return serveUntilFinished(
    tlsServer({
      greet: (socket) => void socket.write(CONTINUE),
      answer: (socket) => {
        for (const text of says) socket.write(text);
      },
    }),
  );
}

/** A server that says this to whatever is asked. */
export function prater(...says: string[]): Promise<number> {
  return serveUntilFinished(
    tlsServer({
      greet: (socket) => {
        for (const text of says) socket.write(text);
      },
    }),
  );
}

export function drip(socket: Socket, text: string): void {
  const letters = [...text];
  const timer = setInterval(() => {
    const next = letters.shift();
    if (next === undefined || socket.destroyed) clearInterval(timer);
    else socket.write(next);
  }, 20);
  socket.on('close', () => clearInterval(timer));
}
