/** Handles input that is no HTTP request: one line of answer if that is still possible, then the connection is cut. */
import type { ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { systemCode } from '../../../errors.ts';
import { plainAddress } from '../../../util/address-group.ts';
import type { QuietLog } from '../../../util/quiet-log.ts';

const LINGER_MS = 1000;

const STATUS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

export function answerBrokenRequest(server: Server, quiet: QuietLog): void {
  const secure = new WeakSet<Duplex>();
  const responses = new WeakMap<Duplex, ServerResponse>();
  server.on('secureConnection', (socket: TLSSocket) => secure.add(socket));
  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) {
    server.prependListener(event, ({ socket }, response) => responses.set(socket, response));
  }
  server.on('clientError', (error: Error, socket: Duplex) => {
    // node:https also passes failed handshakes here; they are logged elsewhere.
    if (!secure.has(socket)) return void socket.destroy();
    const code = systemCode(error) ?? error.message;
    if (code !== 'ECONNRESET' && code !== 'EPIPE') {
      const address = socket instanceof TLSSocket ? plainAddress(socket.remoteAddress ?? '') : '';
      quiet({ address, reason: code }, 'request cut off');
    }
    if (!socket.writable || code === 'ECONNRESET' || responses.get(socket)?.headersSent === true) {
      return void socket.destroy();
    }
    const status = STATUS[code] ?? '400 Bad Request';
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () =>
      socket.destroy(),
    );
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  });
}
